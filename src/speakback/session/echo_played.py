"""What the agent said, as levels in the session's time, the room's reverberation with them. Pure: numpy only.

To measure sound costs more than to keep it for a while, and of what was played nobody may ever ask.
"""

from collections import deque

import numpy as np

from speakback.audio.pcm import Samples
from speakback.session.echo_bands import BANDS, HOP_MS, SILENCE_DB, BandLevels, Levels, Track
from speakback.timebase import VOICE_HZ, samples_to_ms

AUDIBLE_DBFS = -62.0
REVERB_DB_PER_HOP = 2.2
REVERB_DB = -5.0
"""A room's reverberation: how fast it decays, and how far below the sound itself it begins."""


class PlayedSound:
    """One session's, as a client plays it that plays at once. `levels` hold what was measured."""

    def __init__(self) -> None:
        self.levels = Track()
        self.end_ms: int | None = None
        """When it will have been played; None: nothing was."""
        self.audible_hops = 0
        """Of those measured."""
        self._waiting: deque[Samples] = deque()
        self._waiting_samples = 0
        self._bands = BandLevels(VOICE_HZ)
        self._reverb_db = np.full(BANDS, SILENCE_DB, np.float32)

    @property
    def waiting_ms(self) -> int:
        """How much waits to be measured."""
        return samples_to_ms(self._waiting_samples, VOICE_HZ)

    def is_over(self, at_ms: int) -> bool:
        """Whether a client that plays at once has nothing left to play then."""
        return self.end_ms is None or at_ms > self.end_ms

    def add(self, audio_24k: Samples, at_ms: int) -> None:
        """The next message; it is played behind the one before, or now."""
        if self.end_ms is None or self.is_over(at_ms):  # the former is in the latter, but for the type checker
            self.measure()
            self._begin(at_ms)
            self.end_ms = at_ms
        self._waiting.append(audio_24k)
        self._waiting_samples += len(audio_24k)
        self.end_ms += samples_to_ms(len(audio_24k), VOICE_HZ)

    def measure(self) -> None:
        """Measure all that waits."""
        if self._waiting:
            levels = self._bands.push(np.concatenate(self._waiting))
            self._drop(self._waiting_samples)
            self.audible_hops += int(np.count_nonzero(levels.max(axis=1) > AUDIBLE_DBFS))
            self.levels.put(self.levels.end, self._with_reverb(levels))

    def skip(self, kept_ms: int) -> None:
        """Never measure what waits, but for about the last `kept_ms`: as if it began there."""
        if self.end_ms is not None and self.waiting_ms > kept_ms:
            self._drop(self._waiting_samples - kept_ms * VOICE_HZ // 1000)
            self._begin(self.end_ms - self.waiting_ms)

    # ---- within -------------------------------------------------------------------------------

    def _drop(self, samples: int) -> None:
        """The oldest messages that are no longer than this in all."""
        while self._waiting and len(self._waiting[0]) <= samples:
            dropped = len(self._waiting.popleft())
            self._waiting_samples -= dropped
            samples -= dropped

    def _begin(self, at_ms: int) -> None:
        self._bands.restart(at_ms % HOP_MS * VOICE_HZ // 1000)
        self.levels.put(at_ms // HOP_MS, np.zeros((0, BANDS), np.float32))
        self._reverb_db[:] = SILENCE_DB

    def _with_reverb(self, levels: Levels) -> Levels:
        """The louder of each hop and of what is left in the room of those before it."""
        fallen = (REVERB_DB_PER_HOP * np.arange(len(levels) + 1, dtype=np.float32))[:, None]
        since = np.concatenate((self._reverb_db[None], levels + (REVERB_DB + fallen[:-1])))
        reverb = np.maximum.accumulate(since) - fallen
        self._reverb_db = reverb[-1]
        louder: Levels = np.maximum(levels, reverb[:-1])
        return louder
