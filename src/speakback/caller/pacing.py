"""When the next frame of a live microphone is due. Pure; the clock is passed in."""

FRAME_MS = 20
"""A telephone's packet."""
MIN_APART_MS = FRAME_MS / 2
"""Frames that are late catch up at twice real time, never in a burst."""
MAX_BEHIND_MS = 200.0
"""Further behind than this, the call goes on from now instead of catching up."""


class Pacer:
    """The absolute clock of a microphone: frame k is full, and due, (k + 1) frames after the start."""

    def __init__(self, started_ms: float) -> None:
        self.slipped_ms = 0.0
        """By how much frames were put off for good."""
        self._origin_ms = started_ms
        self._sent = 0
        self._last_ms = started_ms

    def due_ms(self) -> float:
        """When the next frame is to be handed over."""
        return max(self._full_ms(), self._last_ms + MIN_APART_MS)

    def spoken_ms(self) -> float:
        """When the next frame's first sample is spoken."""
        return self._full_ms() - FRAME_MS

    def sent(self, at_ms: float) -> None:
        """The next frame was handed over."""
        behind_ms = at_ms - self._full_ms()
        if behind_ms > MAX_BEHIND_MS:
            self._origin_ms += behind_ms
            self.slipped_ms += behind_ms
        self._sent += 1
        self._last_ms = at_ms

    def _full_ms(self) -> float:
        return self._origin_ms + (self._sent + 1) * FRAME_MS
