"""The way from the agent's loudspeaker to the user's microphone: found by correlation, then kept. Pure.

Both sides are levels per band and hop (`echo_bands.py`), aligned to the newest hop.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speakback.session.echo_bands import BANDS, HOP_MS, Levels

LAGS = 600 // HOP_MS + 1
"""An echo comes back within 600 ms: a client's buffer, the network twice, and the room."""

STRONG_DBFS = -60.0
"""A band in which less than this is played tells nothing of the gain."""
STRONG_HOPS = 6
"""Fewer such hops are too few."""


@dataclass(frozen=True, slots=True)
class Match:
    """The lag at which what is heard is most like what was played."""

    lag_hops: int
    correlation: float
    """Of the levels in dB over all bands, in [-1, 1]."""


@dataclass(frozen=True, slots=True)
class EchoPath:
    """A way found."""

    lag_hops: int
    gain_db: NDArray[np.float32]
    """Per band, from the played level (see `nearby`) to the heard one."""

    @property
    def lag_ms(self) -> int:
        """From when a client that plays at once plays a sound until it is heard."""
        return self.lag_hops * HOP_MS


def best_match(heard: Levels, played: Levels) -> Match:
    """Compare `heard`, `[n, BANDS]`, with each window of `played`, `[n + LAGS - 1, BANDS]`: lag 0 is its last.

    The softest that is heard is noise: what was played is cut off as far below its loudest, too.
    """
    n = len(heard)
    played = np.maximum(played, played.max(axis=0) - np.ptp(heard, axis=0))
    played -= played.mean(axis=0)
    heard = heard - heard.mean(axis=0)
    windows = _windows(played, n)
    like = windows @ heard.T.reshape(-1)
    means = windows.reshape(LAGS, BANDS, n).mean(axis=2)
    spread = np.einsum("ij,ij->i", windows, windows) - n * np.einsum("ij,ij->i", means, means)
    correlation = like / np.sqrt(np.maximum(spread, 1.0) * max(float(np.sum(heard**2)), 1.0))
    best = int(np.argmax(correlation))
    return Match(LAGS - 1 - best, float(correlation[best]))


def _windows(levels: Levels, n: int) -> NDArray[np.float32]:
    """Each window of `n` hops, band after band, shape `[LAGS, BANDS * n]`."""
    by_band = np.ascontiguousarray(levels.T)
    row, item = by_band.strides
    view = np.lib.stride_tricks.as_strided(by_band, (LAGS, BANDS, n), (item, row, item), writeable=False)
    return view.reshape(LAGS, BANDS * n)


def nearby(levels: Levels) -> Levels:
    """The loudest of each hop and its neighbours, two hops fewer: the lag is known to a hop only."""
    louder: Levels = np.maximum(np.maximum(levels[:-2], levels[1:-1]), levels[2:])
    return louder


def measured_gain(heard: Levels, played: Levels) -> NDArray[np.float32] | None:
    """The usual difference per band where much is played (see `nearby`); None where that is too seldom to tell."""
    gain = np.empty(BANDS, np.float32)
    for band in range(BANDS):
        strong = played[:, band] >= max(float(np.median(played[:, band])), STRONG_DBFS)
        if np.count_nonzero(strong) < STRONG_HOPS:
            return None
        gain[band] = np.median((heard - played)[strong, band])
    return gain
