"""The one clock of all callers: their frames are spread over its slots, and it notes how late they were handed over."""

import asyncio
from collections.abc import Callable
from math import ceil
from typing import Protocol

from speakback.caller.pacing import FRAME_MS
from speakback.load.durations import Histogram

SLOT_MS = 2
"""As many callers' frames go out together as fall into one slot: real ones do not speak in step."""
_SLOTS = FRAME_MS // SLOT_MS


class Paced(Protocol):
    """Who has a frame to hand over every `FRAME_MS`."""

    def send_frame(self, at_ms: float) -> None:
        """Hand the next frame over, now; never blocks and never raises for the line's sake."""
        ...


class PacingClock:
    """One wake-up for each slot serves all callers in it; a frame that is late is sent at once and counted."""

    def __init__(self, now_ms: Callable[[], float]) -> None:
        self.frames_late = Histogram()
        """From the moment when a frame was due until it had been handed over."""
        self.loop_late = Histogram()
        """From the moment when this loop was to wake up until it did."""
        self._now_ms = now_ms
        self._slots: list[list[Paced]] = [[] for _ in range(_SLOTS)]

    def join(self, caller: Paced) -> None:
        """From now on `caller` speaks; it gets the emptiest slot."""
        min(self._slots, key=len).append(caller)

    def leave(self, caller: Paced) -> None:
        """It says no more; nothing happens to one that never joined."""
        for slot in self._slots:
            if caller in slot:
                slot.remove(caller)

    async def run(self) -> None:
        """Keep time until cancelled."""
        due_ms, turn = self._now_ms(), 0
        while True:
            at_ms = self._now_ms()
            self.loop_late.note(at_ms - due_ms)
            while due_ms <= at_ms:
                for caller in self._slots[turn % _SLOTS]:
                    at_ms = self._now_ms()
                    caller.send_frame(at_ms)
                    self.frames_late.note(at_ms - due_ms)
                due_ms, turn = due_ms + SLOT_MS, turn + 1
            # Whole milliseconds, as the loop's timers have them: any less, and it would come back too early.
            await asyncio.sleep(max(ceil(due_ms - self._now_ms()), 0) / 1000)
