"""Virtual time: what happens next, and when. Nothing waits; the clock jumps."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TypeAlias

Happening: TypeAlias = Callable[[int], None]
"""Called with the number it was scheduled with."""


class Clock:
    """A heap of what is to happen. Of two things at the same time the one scheduled first happens first."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._heap: list[tuple[int, int, Happening, int]] = []
        self._scheduled = 0

    def at(self, when_ms: int, happening: Happening, number: int = 0) -> None:
        """Have it happen at `when_ms`, or now if that is past."""
        self._scheduled += 1
        now_ms = self.now_ms
        heappush(self._heap, (when_ms if when_ms > now_ms else now_ms, self._scheduled, happening, number))

    @property
    def next_ms(self) -> int | None:
        """When the next thing happens; None if nothing is to."""
        return self._heap[0][0] if self._heap else None

    def step(self) -> None:
        """Jump to the next thing and let it happen. Raises `IndexError` if there is none."""
        self.now_ms, _, happening, number = heappop(self._heap)
        happening(number)

    def step_before(self, limit_ms: int) -> bool:
        """The same, if it is to happen before this; returns whether it was."""
        heap = self._heap
        if not heap or heap[0][0] >= limit_ms:
            return False
        self.now_ms, _, happening, number = heappop(heap)
        happening(number)
        return True


class Timer:
    """One thing that is to happen later, and can be put off or called off."""

    __slots__ = ("_clock", "_due", "_setting")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._setting = 0
        self._due: Callable[[], None] | None = None

    def set(self, when_ms: int, due: Callable[[], None]) -> None:
        """Do `due` at `when_ms`, instead of whatever was set before."""
        self._setting += 1
        self._due = due
        self._clock.at(when_ms, self._ring, self._setting)

    def cancel(self) -> None:
        """Do nothing, after all."""
        self._setting += 1
        self._due = None

    @property
    def is_set(self) -> bool:
        """Whether something is to happen."""
        return self._due is not None

    def _ring(self, setting: int) -> None:
        if setting == self._setting and self._due is not None:
            due, self._due = self._due, None
            due()
