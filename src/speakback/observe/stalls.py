"""Who blocks the event loop: a thread that looks, once the loop has not answered for too long, where it stands.

What is logged is file, line and function of the innermost frames, never a value. Two stalls cannot be told by
their stack: where the whole process got no processor, and where a native call held the interpreter's lock. The
watching thread comes late itself then, and the stall is marked `starved`; its stack, if there is any, is where the
loop stood afterwards.
"""

import math
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

import structlog

from speakback.observe.loop_lag import LateTick, LoopLag

STALL_S = 0.1
"""A loop that has not answered for this long is stalled: people begin to hear it."""
FRAMES = 12
LINE_EVERY_S = 10.0
"""No more than one stall is logged in this time; those between are counted in the next line."""
UNENDING_S = 5.0
"""A stall that lasts this long is told before it is over: it may never be."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stall:
    """The loop did not answer for `lasted_s`."""

    lasted_s: float
    stack: tuple[str, ...]
    """`file:line function`, innermost first; empty where it was over before anyone looked."""
    starved: bool
    is_over: bool


@dataclass(frozen=True, slots=True)
class _Look:
    """Where the loop stood while the tick that was due at `due_s` was late."""

    due_s: float
    stack: tuple[str, ...]
    starved: bool


class StallWatch:
    """Watches the loop whose lag `lag` measures. `tell` is called on the watching thread, once for each stall."""

    def __init__(
        self,
        lag: LoopLag,
        tell: Callable[[Stall], None],
        stall_s: float = STALL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lag = lag
        self._tell = tell
        self._stall_s = stall_s
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stall-watch", daemon=True)
        self._loop_thread = 0
        self._look: _Look | None = None
        self._told_early: float | None = None
        """The due time of the stall that was told before its end."""

    def begin(self) -> None:
        """Watch from now on; called on the loop."""
        self._loop_thread = threading.get_ident()
        self._thread.start()

    def end(self) -> None:
        """Watch no more; blocks for a moment."""
        self._stopped.set()
        self._thread.join()

    @property
    def looked(self) -> bool:
        """Whether it has seen the loop in a stall that it has not told of yet."""
        return self._look is not None

    def _run(self) -> None:
        wait_s = self._stall_s
        asked_s = self._clock()
        while not self._stopped.wait(wait_s):
            now_s = self._clock()
            wait_s = self._see(now_s, overslept_s=now_s - asked_s - wait_s)
            asked_s = self._clock()

    def _see(self, now_s: float, overslept_s: float) -> float:
        """Look at the loop once; returns after how long to look again."""
        due_s = self._lag.due_s
        late_s = now_s - due_s
        if late_s >= self._stall_s and (self._look is None or self._look.due_s != due_s):
            self._look = _Look(due_s, stack_of(self._loop_thread), starved=overslept_s > self._stall_s / 2)
        self._tell_ended()
        if late_s >= UNENDING_S and self._look is not None and self._told_early != due_s:
            self._told_early = due_s
            self._tell(Stall(late_s, self._look.stack, self._look.starved, is_over=False))
        remaining_s = self._stall_s - late_s
        return self._stall_s if not 0 < remaining_s < math.inf else remaining_s

    def _tell_ended(self) -> None:
        while self._lag.stalls:
            tick: LateTick = self._lag.stalls.popleft()
            look, self._look = self._look, None
            if look is not None and look.due_s == tick.due_s:
                self._tell(Stall(tick.late_s, look.stack, look.starved, is_over=True))
            else:  # this thread came too late to see it: if by much, it got no processor either
                self._tell(Stall(tick.late_s, (), starved=tick.late_s > 2 * self._stall_s, is_over=True))


class StallLog:
    """Logs stalls, not too often; `told` counts each that is over. Called on one thread."""

    def __init__(self, told: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._told = told
        self._clock = clock
        self._next_line_s = -math.inf
        self._unlogged = 0

    def __call__(self, stall: Stall) -> None:
        """See `StallWatch.tell`."""
        if stall.is_over:
            self._told()
        if self._clock() < self._next_line_s:
            self._unlogged += 1
            return
        self._next_line_s = self._clock() + LINE_EVERY_S
        event = "the event loop was blocked" if stall.is_over else "the event loop is blocked"
        log.warning(
            event,
            lasted_ms=round(1000 * stall.lasted_s),
            where=stall.stack,
            starved=stall.starved,
            unlogged_before=self._unlogged,
        )
        self._unlogged = 0


def stack_of(thread_id: int) -> tuple[str, ...]:
    """Where a thread stands, innermost frame first: `file:line function`, and no values."""
    frame = sys._current_frames().get(thread_id)
    places: list[str] = []
    while frame is not None and len(places) < FRAMES:
        code = frame.f_code
        places.append(f"{short_path(code.co_filename)}:{frame.f_lineno} {code.co_qualname}")
        frame = frame.f_back
    return tuple(places)


def short_path(path: str) -> str:
    """Enough of a file's path to find it."""
    return "/".join(PurePath(path).parts[-3:])
