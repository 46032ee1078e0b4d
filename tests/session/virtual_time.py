"""An event loop whose clock jumps to the next timer as soon as nothing is left to do: exact times, no waiting.

All code runs as it does in a server; only `loop.time()` is another. While a thread works, the clock stands still.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar, TypeVarTuple

START_S = 1000.0
_Ts = TypeVarTuple("_Ts")
_R = TypeVar("_R")


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting it moves the clock, unless somebody is at work outside the loop."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = START_S
        self.threads_at_work = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or self.threads_at_work:
            return super().select(timeout if timeout == 0 else None)
        ready = super().select(0)
        if not ready:
            self.now_s += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """For one test at a time."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s

    def run_in_executor(self, executor: Executor | None, func: Callable[[*_Ts], _R], *args: *_Ts) -> asyncio.Future[_R]:
        self._jumping.threads_at_work += 1
        work = super().run_in_executor(executor, func, *args)
        work.add_done_callback(self._on_work_done)
        return work

    def _on_work_done(self, _: "asyncio.Future[_R]") -> None:
        self._jumping.threads_at_work -= 1
