"""How late the event loop is: the delay that everything on it suffers, whatever the cause.

A timer asks to be called every 20 ms; by how much later it is called is the lag. The moments that a long stall
swallows count as well, each with what was left of it: else a stall of a second would weigh as little as one late
call. So the figures say for what share of all moments the loop was late, and by how much. Timers of loops are
rounded to milliseconds: below 1 ms a lag means nothing.

A loop with next to nothing to do is asked every 260 ms only: to wake it up would be most of its work. A stall
there that is over sooner may go unseen.
"""

import asyncio
import math
import time
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

PERIOD_S = 0.02
REST_PERIOD_S = 0.26
MOMENTS = 500
"""Kept: those of 10 s."""

_UNSEEN = round(REST_PERIOD_S / PERIOD_S) - 1
"""Moments of a rest in which the loop was not asked; they count as punctual."""


@dataclass(frozen=True, slots=True)
class LagFigures:
    """The lag over the last 10 s, in milliseconds."""

    p50_ms: float
    p90_ms: float
    """What admission goes by: stalls of less than a second in all do not raise it, and it does not jump."""
    p99_ms: float


NO_LAG = LagFigures(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class LateTick:
    """The loop was called for at `due_s` (`time.monotonic`) and came `late_s` later."""

    due_s: float
    late_s: float


class LoopLag:
    """The lag of the loop that `begin` is called on. `observe` is told of every moment's lag in seconds."""

    def __init__(
        self, observe: Callable[[float], None], stall_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._observe = observe
        self._stall_s = stall_s
        self._clock = clock
        self._lags_s = array("d", [0.0] * MOMENTS)
        self._next = 0
        self._timer: asyncio.TimerHandle | None = None
        self._unseen = 0
        self.at_rest = False
        """Whether the loop has next to nothing to do; told from outside."""
        self.due_s = math.inf
        """When the loop is to answer next, on the clock; read by the thread that watches for stalls."""
        self.stalls: deque[LateTick] = deque(maxlen=16)
        """Ticks that were late by a stall's length, until that thread takes them."""

    def begin(self) -> None:
        """Measure from now on; called on the loop."""
        self.due_s = self._clock() + PERIOD_S
        self._timer = asyncio.get_running_loop().call_later(PERIOD_S, self._on_time)

    def end(self) -> None:
        """Measure no more."""
        self.due_s = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def figures(self) -> LagFigures:
        """The lag of late; may be called on any thread."""
        in_order_ms = 1000 * np.sort(np.array(self._lags_s))
        return LagFigures(*(float(in_order_ms[math.ceil(share * MOMENTS) - 1]) for share in (0.5, 0.9, 0.99)))

    def worst_ms(self) -> float:
        """The longest lag of the last 10 s."""
        return 1000 * max(self._lags_s)

    def book(self, late_s: float) -> int:
        """Count a tick that came `late_s` late, and the moments that went by meanwhile; returns how many in all."""
        swallowed = int(late_s / PERIOD_S)
        for number in range(min(swallowed, MOMENTS - 1) + 1):
            lag_s = late_s - number * PERIOD_S
            self._keep(lag_s)
            self._observe(lag_s)
        return swallowed + 1

    def _keep(self, lag_s: float) -> None:
        self._lags_s[self._next] = lag_s
        self._next = (self._next + 1) % MOMENTS

    def _on_time(self) -> None:
        now_s, due_s = self._clock(), self.due_s
        late_s = max(now_s - due_s, 0.0)
        if late_s >= self._stall_s:
            self.stalls.append(LateTick(due_s, late_s))
        for _ in range(self._unseen):
            self._keep(0.0)
        self._unseen = _UNSEEN if self.at_rest else 0
        self.due_s = due_s + (self.book(late_s) + self._unseen) * PERIOD_S
        self._timer = asyncio.get_running_loop().call_later(self.due_s - now_s, self._on_time)
