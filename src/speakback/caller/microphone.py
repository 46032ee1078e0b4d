"""The caller's microphone: what is said, and the faint noise of a room in between. Pure."""

import numpy as np

from speakback.audio.pcm import Samples
from speakback.caller.pacing import FRAME_MS
from speakback.caller.speech_intervals import find_speech
from speakback.caller.timeline import Interval
from speakback.timebase import VOICE_HZ, ms_to_samples

FRAME_SAMPLES = ms_to_samples(FRAME_MS, VOICE_HZ)
ROOM_DBFS = -70.0
"""A quiet line: not digital silence, which no telephone has."""
_ROOM_SEED = 7
_ROOM_MS = 2000


def room_noise(level_dbfs: float = ROOM_DBFS) -> Samples:
    """Two seconds of white noise, the same at every call."""
    generator = np.random.default_rng(_ROOM_SEED)
    noise = generator.standard_normal(ms_to_samples(_ROOM_MS, VOICE_HZ)) * 10 ** (level_dbfs / 20)
    return noise.astype(np.float32)


class Microphone:
    """Frames of 20 ms at 24 kHz. Positions are milliseconds of audio since the first frame."""

    def __init__(self, background: Samples) -> None:
        """`background` is heard whenever nothing is said, over and over; at least a frame of it."""
        if len(background) < FRAME_SAMPLES:
            raise ValueError(f"the background needs at least {FRAME_SAMPLES} samples")
        self.spoken: list[Interval] = []
        """Where something is said, by position; also what is still to come."""
        self._background = background
        self._background_at = 0
        self._waiting = np.zeros(0, np.float32)
        self._frames = 0

    @property
    def position_ms(self) -> int:
        """Position of the next frame."""
        return self._frames * FRAME_MS

    @property
    def is_talking(self) -> bool:
        """Whether some of what is to be said has not gone out yet."""
        return len(self._waiting) > 0

    def say(self, audio_24k: Samples) -> None:
        """Say this next, after what still waits."""
        # Whole frames: an utterance that began in the middle of one would have two beginnings.
        start_ms = self.position_ms + len(self._waiting) * 1000 // VOICE_HZ
        missing = -len(audio_24k) % FRAME_SAMPLES
        self._waiting = np.concatenate((self._waiting, audio_24k, self._noise(missing)))
        for interval in find_speech(audio_24k):
            self.spoken.append(Interval(start_ms + interval.start_ms, start_ms + interval.end_ms))

    def next_frame(self) -> Samples:
        """The next 20 ms."""
        self._frames += 1
        if not self.is_talking:
            return self._noise(FRAME_SAMPLES)
        frame, self._waiting = self._waiting[:FRAME_SAMPLES], self._waiting[FRAME_SAMPLES:]
        return frame

    def _noise(self, samples: int) -> Samples:
        if self._background_at + samples > len(self._background):
            self._background_at = 0
        start = self._background_at
        self._background_at += samples
        return self._background[start : start + samples]
