"""One request to a provider under way: its generator lives in one task from its start to its end.

A generator may hold timeouts and task groups, which belong to the task that entered them. So it is not passed from a
race to whoever listens to the winner: it is pumped in a task of its own, and what it gives is taken from here.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Generic, TypeVar

from speakback.observe.population import task_name

T = TypeVar("T")

LIMIT = 256
"""Items that may wait; then the provider waits."""
GRACE_S = 0.05
"""How long a turn waits for its cancelled requests to end; they end at once unless something is amiss in them."""


def now_ms() -> float:
    """The event loop's clock."""
    return asyncio.get_running_loop().time() * 1000


def is_past(at_ms: float) -> bool:
    """Whether that time has come; a timer set for it may fire a hair early."""
    return at_ms <= now_ms() + 0.01


class Feed(Generic[T]):
    """What a request gives. `on_change` is called after each item and at the end."""

    def __init__(self, source: AsyncGenerator[T, None], on_change: Callable[[], None]) -> None:
        self.items: deque[T] = deque()
        self.ended = False
        self.problem: BaseException | None = None
        """Why it ended before its time; it counts once the items are taken."""
        self.last_ms: float | None = None
        """When the last item came."""
        self._on_change = on_change
        self._room = asyncio.Event()
        self._cancelled = False
        self.task = asyncio.create_task(self._pump(source), name=task_name("chain-feed"))

    def take(self) -> T:
        """The next item; there must be one."""
        item = self.items.popleft()
        self._room.set()
        return item

    def cancel(self) -> None:
        """Nobody listens any more; `task` ends soon."""
        self._cancelled = True
        self.task.cancel()

    async def _pump(self, source: AsyncGenerator[T, None]) -> None:
        try:
            async with aclosing(source):
                async for item in source:
                    if self._cancelled:  # it swallowed its cancellation
                        return
                    await self._put(item)
        except asyncio.CancelledError as problem:
            self.problem = problem
            if not self._cancelled:  # the provider cancelled itself: a failure like any other
                return
            raise
        except Exception as problem:
            self.problem = problem
        finally:
            self.ended = True
            self._on_change()

    async def _put(self, item: T) -> None:
        while len(self.items) >= LIMIT:
            self._room.clear()
            await self._room.wait()
        self.items.append(item)
        self.last_ms = now_ms()
        self._on_change()


class Stragglers:
    """Cancelled tasks that have not ended yet: held here, so that none is lost, and awaited when the chain closes."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, task: "asyncio.Task[None]") -> None:
        """Hold a task that was cancelled until it has ended."""
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._forget)

    async def settle(self, tasks: "set[asyncio.Task[None]]") -> None:
        """Wait a moment for these to end, so that a turn leaves nothing behind it. Cancelling is safe."""
        if under_way := {task for task in tasks if not task.done()}:
            await asyncio.wait(under_way, timeout=GRACE_S)

    async def aclose(self) -> None:
        """Wait for all."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _forget(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # it was cancelled: how it ended is of no interest, but asyncio wants it seen
