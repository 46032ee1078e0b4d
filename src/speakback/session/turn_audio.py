"""What a session keeps of the audio that came in: the open turn and a moment before it. Pure."""

from collections import deque

import numpy as np

from speakback.audio.pcm import Samples


class TurnAudio:
    """A stretch of the input at 16 kHz, addressed by absolute sample positions of the session."""

    def __init__(self) -> None:
        self._blocks: deque[Samples] = deque()
        self.start = 0
        """Position of the first sample kept."""
        self.end = 0
        """Position after the last sample."""

    def append(self, audio_16k: Samples) -> None:
        """Add the next stretch of input."""
        self._blocks.append(audio_16k)
        self.end += len(audio_16k)

    def forget_before(self, position: int) -> None:
        """Drop whole blocks that end at or before `position`."""
        while self._blocks and self.start + len(self._blocks[0]) <= position:
            self.start += len(self._blocks.popleft())

    def slice(self, start: int, end: int) -> Samples:
        """A copy of the samples in `[start, end)`, as far as they are kept."""
        start, end = max(start, self.start), min(end, self.end)
        parts: list[Samples] = []
        position = self.start
        for block in self._blocks:
            if position >= end:
                break
            if position + len(block) > start:
                parts.append(block[max(start - position, 0) : end - position])
            position += len(block)
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)
