"""What a session keeps of the audio that came in: the open turn and a moment before it. Pure."""

from collections import deque

import numpy as np

from speakback.audio.pcm import Samples

BLOCK_SAMPLES = 512
"""Shorter stretches are joined up to this (32 ms): however small a client's messages are, what is kept of them takes
little more memory than the samples."""


class TurnAudio:
    """A stretch of the input at 16 kHz, addressed by absolute sample positions of the session."""

    def __init__(self, position: int = 0) -> None:
        self._blocks: deque[Samples] = deque()
        self.start = position
        """Position of the first sample kept."""
        self.end = position
        """Position after the last sample."""

    def append(self, audio_16k: Samples) -> None:
        """Add the next stretch of input."""
        if self._blocks and len(self._blocks[-1]) + len(audio_16k) <= BLOCK_SAMPLES:
            self._blocks[-1] = np.concatenate((self._blocks[-1], audio_16k))
        else:
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
