"""Sample-rate conversion: `Resampler` for live sound in small blocks, `resample` for whole recordings.

Whatever a resampler holds back is part of every turn's latency. soxr's stream works in blocks of
its own and at 20 ms a push lags by 11 to 118 ms on the way to the ear (the figures and the choice
are in docs/decisions/005-live-resampling.md), so live sound goes through a short polyphase filter
instead: `DELAY_MS` of delay whatever the block, at the same cost. Recordings have no latency: soxr
converts them.
"""

from functools import cache
from math import ceil, gcd

import numpy as np
import soxr

from speakback.audio.pcm import Samples

DELAY_MS = 3
"""Half the filter's length: what a live stream lags."""

STOPBAND_DB = 60.0
"""Aliases stay this far below. With `DELAY_MS` it sets the transition band: ~600 Hz, so 3.4 kHz of a
telephone's 4 kHz pass untouched."""

_MAX_RATIO_TERM = 8
_STEPS_TOGETHER = 8
"""Steps whose windows overlap almost wholly are made as one: to copy the windows is half of the work otherwise."""


class Resampler:
    """Converts one mono stream from `from_hz` to `to_hz`. Equal rates pass through untouched.

    Feed blocks of any length to `push`; the output lags by `DELAY_MS`. `flush` gives the rest: in
    all, `n` samples become `ceil(n * to_hz / from_hz)`, sample 0 standing at sample 0's moment.

    The rates must be in a small ratio, as 8, 16, 24 and 48 kHz are: otherwise `ValueError`.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        if from_hz <= 0 or to_hz <= 0:
            raise ValueError(f"sample rates are positive: {from_hz} Hz to {to_hz} Hz")
        common = gcd(from_hz, to_hz)
        self._made, self._used = to_hz // common, from_hz // common
        if max(self._made, self._used) > _MAX_RATIO_TERM:
            raise ValueError(f"live sound is not converted from {from_hz} to {to_hz} Hz: the ratio must be small")
        self.from_hz = from_hz
        self.to_hz = to_hz
        self._reach = ceil(from_hz * DELAY_MS / 1000)
        self._filter, self._wide_filter = _filters(from_hz, to_hz, self._used, self._made, self._reach)
        self._held = np.zeros(self._reach, np.float32)
        self._received = self._sent = 0
        self._flushed = False

    def push(self, samples: Samples) -> Samples:
        """Take the next samples at `from_hz`; return what is ready at `to_hz` (shape `[m]`, `m` may be 0)."""
        if self._flushed:
            raise ValueError("this stream was flushed: start another resampler")
        if self._made == self._used:
            return samples
        self._received += len(samples)
        converted = self._convert(samples)
        self._sent += len(converted)
        return converted

    def would_make(self, count: int) -> int:
        """How many samples `push` would return for so many."""
        if self._made == self._used:
            return count
        return self._made * self._steps(len(self._held) + count)

    def flush(self) -> Samples:
        """End the stream and return what the filter still held. Neither `push` nor `flush` may follow."""
        rest = self.push(np.zeros(0, np.float32))
        self._flushed = True
        missing = ceil(self._received * self._made / self._used) - self._sent
        if missing > 0:
            rest = self._convert(np.zeros(self._reach + self._used, np.float32))[:missing]
        return rest

    def _steps(self, held: int) -> int:
        return max(0, (held - len(self._filter)) // self._used + 1)

    def _convert(self, samples: Samples) -> Samples:
        """Each step uses `_used` samples, sees `_reach` more on either side, and makes `_made`."""
        held = np.concatenate((self._held, samples))
        steps = self._steps(len(held))
        together = steps // _STEPS_TOGETHER
        done = together * _STEPS_TOGETHER * self._used
        self._held = held[steps * self._used :]
        made = _filtered(held, self._wide_filter, together, _STEPS_TOGETHER * self._used)
        if steps == together * _STEPS_TOGETHER:
            return made
        return np.concatenate((made, _filtered(held[done:], self._filter, steps % _STEPS_TOGETHER, self._used)))


def _filtered(held: Samples, weights: Samples, steps: int, used: int) -> Samples:
    """`steps` windows of `held`, each `used` samples further than the one before, through the filter."""
    if steps == 0:
        return np.zeros(0, np.float32)
    # Overlapping rows over one buffer; sliding_window_view makes the same at three times the cost.
    windows = np.ndarray((steps, len(weights)), np.float32, held, strides=(used * 4, 4))
    made: Samples = np.ascontiguousarray(windows) @ weights
    return made.reshape(-1)


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Convert a whole recording at once, at any rates: `len(samples) * to_hz / from_hz` samples, rounded."""
    if from_hz == to_hz:
        return samples
    converted: Samples = soxr.resample(samples, from_hz, to_hz, quality="HQ").astype(np.float32, copy=False)
    return converted


@cache
def _filters(from_hz: int, to_hz: int, used: int, made: int, reach: int) -> tuple[Samples, Samples]:
    """For one step, and for `_STEPS_TOGETHER`; all streams of a process share them."""
    one = _polyphase_filter(from_hz, to_hz, used, made, reach)
    return one, _together(one, used, _STEPS_TOGETHER)


def _polyphase_filter(from_hz: int, to_hz: int, used: int, made: int, reach: int) -> Samples:
    """Weights of a step's window for each sample it makes, shape `[2 * reach + used, made]`.

    A Kaiser-windowed sinc (Kaiser's formulas), its stop band beginning at the lower Nyquist frequency.
    """
    length_s = 2 * reach / from_hz
    transition_hz = (STOPBAND_DB - 7.95) / 14.36 / length_s
    cutoff_hz = min(from_hz, to_hz) / 2 - transition_hz / 2
    beta = 0.1102 * (STOPBAND_DB - 8.7)
    seen_at = np.arange(-reach, reach + used)[:, None]
    made_at = np.arange(made)[None, :] * used / made
    distance = seen_at - made_at
    inside = np.clip(1 - (distance / reach) ** 2, 0, None)
    weights = np.sinc(2 * cutoff_hz / from_hz * distance) * np.i0(beta * np.sqrt(inside)) * (inside > 0)
    normalized: Samples = (weights / weights.sum(axis=0)).astype(np.float32)
    return normalized


def _together(weights: Samples, used: int, steps: int) -> Samples:
    """The filter that makes so many steps at once: each step's weights stand `used` samples below the one before."""
    width, made = weights.shape
    wide = np.zeros((width + (steps - 1) * used, made * steps), np.float32, order="F")
    for step in range(steps):
        wide[step * used : step * used + width, step * made : (step + 1) * made] = weights
    return wide
