"""The level at which a voice goes out, changed only along ramps: so neither ducking nor restoring clicks."""

import numpy as np

from speakback.audio.fade import rising
from speakback.audio.pcm import Samples


class RampedGain:
    """A gain (1: as made) that moves to a new level over the samples that pass through it."""

    def __init__(self) -> None:
        self._before = 1.0
        """The level from which the last ramp began."""
        self._target = 1.0
        self._ramp: Samples = np.zeros(0, np.float32)
        self._done = 0

    @property
    def level(self) -> float:
        """The gain of the sample that passed last."""
        if self._done == len(self._ramp):
            return self._target
        share = float(self._ramp[self._done - 1]) if self._done else 0.0
        return self._before + (self._target - self._before) * share

    def ramp_to(self, target: float, ramp_samples: int) -> None:
        """From the next sample on, move from the present level to `target`; the present ramp ends where it is."""
        if target == self._target:
            return
        self._before, self._target = self.level, target
        self._ramp, self._done = rising(ramp_samples), 0

    def begin_silent(self, ramp_samples: int) -> None:
        """The next sample begins a sound: rise to the full level."""
        self._before, self._target = 0.0, 1.0
        self._ramp, self._done = rising(ramp_samples), 0

    def apply(self, audio: Samples) -> Samples:
        """The next stretch of sound at the level it is to have."""
        if self._done == len(self._ramp) and self._target == 1.0:
            return audio.copy()  # never a view: it would keep all that it is a part of
        ramp = self._ramp[self._done : self._done + len(audio)]
        self._done += len(ramp)
        gains = np.full(len(audio), self._target, np.float32)
        gains[: len(ramp)] = self._before + (self._target - self._before) * ramp
        return audio * gains
