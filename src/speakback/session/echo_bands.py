"""Sound as the power in a few bands every 16 ms: all that is needed to tell an echo from its source. Pure."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from speakback.audio.pcm import Samples

HOP_MS = 16
BAND_EDGES_HZ = (250, 600, 1200, 2400, 4800)
"""What a small loudspeaker gives back of a voice, in four parts of about an octave."""
BANDS = len(BAND_EDGES_HZ) - 1

Levels: TypeAlias = NDArray[np.float32]
"""Power per band in dB of full scale, shape `[hops, BANDS]`."""
SILENCE_DB = -100.0
"""The least level."""
LONG_AGO = -1_000_000
"""A hop before any."""


class BandLevels:
    """Cuts one stream of sound into hops. Each hop is measured with the one before it, through a Hann window."""

    def __init__(self, rate_hz: int) -> None:
        self.hop_samples = rate_hz * HOP_MS // 1000
        size = 2 * self.hop_samples
        self._window = np.hanning(size + 1)[:size].astype(np.float32)
        bins_hz = np.arange(size // 2 + 1) * (rate_hz / size)
        lows, highs = np.array(BAND_EDGES_HZ[:-1]), np.array(BAND_EDGES_HZ[1:])
        inside = (bins_hz[:, None] >= lows) & (bins_hz[:, None] < highs)
        self._bins = slice(int(np.argmax(inside[:, 0])), int(np.flatnonzero(inside[:, -1])[-1]) + 1)
        # Each bin's weight stands twice: for its real and for its imaginary part.
        weights = np.repeat(inside[self._bins], 2, axis=0) * (2 / size / float(np.sum(self._window**2)))
        self._weights = weights.astype(np.float32)
        self._rest = np.zeros(0, np.float32)
        self.restart(0)

    def restart(self, silent_samples: int) -> None:
        """What comes next begins after silence, so many samples (less than a hop) into a hop."""
        self._rest = np.zeros(self.hop_samples + silent_samples, np.float32)

    def push(self, audio: Samples) -> Levels:
        """The hops that this completes."""
        audio = np.concatenate((self._rest, audio))
        size = self.hop_samples
        hops = len(audio) // size - 1
        self._rest = audio[hops * size :]
        windows = np.empty((hops, 2 * size), np.float32)
        windows[:, :size] = audio[: hops * size].reshape(hops, size)
        windows[:, size:] = audio[size : (hops + 1) * size].reshape(hops, size)
        windows *= self._window
        spectrum = np.fft.rfft(windows)[:, self._bins].astype(np.complex64)
        parts = spectrum.view(np.float32)
        return decibels(((parts * parts) @ self._weights).astype(np.float32))


class Track:
    """The last `HOPS` hops of a stream, by their place in the session's time; silence where nothing was put."""

    HOPS = 256

    def __init__(self) -> None:
        # Every hop stands in it twice, so that any stretch is a slice.
        self._rows = np.full((2 * self.HOPS, BANDS), SILENCE_DB, np.float32)
        self._clean_from = LONG_AGO
        self.end = LONG_AGO
        """The hop after the last."""

    def put(self, hop: int, levels: Levels) -> None:
        """These hops, from `hop` on; what lies between the last and them is silence."""
        self._silence_to(hop)
        self.end = self._clean_from = hop + len(levels)
        places = np.arange(hop, self.end) % self.HOPS
        self._rows[places] = self._rows[places + self.HOPS] = levels

    def get(self, start: int, end: int) -> Levels:
        """Hops `[start, end)`, a view: at most `HOPS`, and none older. Silence where none came yet."""
        self._silence_to(end)
        first = start % self.HOPS
        return self._rows[first : first + end - start]

    def _silence_to(self, hop: int) -> None:
        if hop > self._clean_from:
            places = np.arange(max(self._clean_from, hop - self.HOPS), hop) % self.HOPS
            self._rows[places] = self._rows[places + self.HOPS] = SILENCE_DB
            self._clean_from = hop


def decibels(powers: NDArray[np.float32]) -> Levels:
    """Mean squares in dB of full scale."""
    levels: Levels = 10 * np.log10(np.maximum(powers, np.float32(10 ** (SILENCE_DB / 10))))
    return levels
