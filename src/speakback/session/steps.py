"""The steps of a session: take one event in, have all done that the turn core makes of it, arm the one timer.

Everything here runs on one event loop, so a step is never interrupted.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from speakback.session.trace import Trace
from speakback.turn import actions as act
from speakback.turn import events as ev
from speakback.turn.config import TurnConfig
from speakback.turn.core import TurnCore
from speakback.turn.tables import Agent


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The core's deadline has come."""

    deadline_ms: int


Input: TypeAlias = ev.Event | TurnConfig | TimerFired
"""What begins a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Who is told what of the steps."""

    perform: Callable[[list[act.Action], int], None]
    """Actions to be performed, and by how many ms the timer that led to them was late."""
    stepped: Callable[[Input, bool], None]
    """A step is done; whether the agent fell idle in it."""
    settled: Callable[[], None]
    """No event waits, and the timer is armed."""
    crashed: Callable[[], None]
    """A step raised, a defect of ours; called while that is handled. To be closed then."""


class Steps:
    """One step after the other, until `close`."""

    def __init__(self, core: TurnCore, trace: Trace, outcomes: Outcomes, *, now_ms: Callable[[], int]) -> None:
        """To be made on the event loop, whose clock `now_ms` tells."""
        self._core = core
        self._trace = trace
        self._outcomes = outcomes
        self._now_ms = now_ms
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Input] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    @property
    def is_under_way(self) -> bool:
        """Whether an event is being taken in, or waits to be."""
        return bool(self._waiting)

    def happened(self, event: Input) -> None:
        """Take an event in. One that comes while a step is under way waits for that step's end."""
        if self._is_closed:
            return
        self._waiting.append(event)
        if len(self._waiting) > 1:
            return
        try:
            while self._waiting:
                self._step(self._waiting[0])
                self._waiting.popleft()
            self._arm()
            self._outcomes.settled()
        except Exception:  # better an ended session than one that hangs
            self._outcomes.crashed()

    def close(self) -> None:
        """Take nothing more in; the step under way, and those that wait behind it, are done to their end."""
        self._is_closed = True
        self._disarm()

    # ---- within -------------------------------------------------------------------------------

    def _step(self, event: Input) -> None:
        now_ms, core = self._now_ms(), self._core
        was_busy = core.agent is not Agent.IDLE
        match event:
            case TimerFired(deadline_ms):
                now_ms = max(now_ms, deadline_ms)
                self._did(now_ms, None, core.tick(now_ms), late_ms=now_ms - deadline_ms)
            case TurnConfig():
                self._did(now_ms, event, core.configure(event, now_ms))
            case _:
                self._did(now_ms, event, core.handle(event, now_ms))
        self._outcomes.stepped(event, was_busy and core.agent is Agent.IDLE)

    def _did(
        self, now_ms: int, event: ev.Event | TurnConfig | None, actions: list[act.Action], *, late_ms: int = 0
    ) -> None:
        """Record a call of the core, then have performed what came of it."""
        self._trace.record(now_ms, event, actions, self._core.next_deadline())
        self._outcomes.perform(actions, late_ms)

    def _arm(self) -> None:
        self._disarm()
        deadline_ms = self._core.next_deadline()
        if deadline_ms is not None and not self._is_closed:
            self._timer = self._loop.call_at(deadline_ms / 1000, self.happened, TimerFired(deadline_ms))

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
