"""How far samples lie from the human reference. Each function takes many samples of one size at once: shape (…, N)."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from speakback.evaluate.baseline import Floats, Reference

SMOOTHING = 0.5
"""Added to each bin's count, as when the calibration tables were made."""

SHORTEST_LN_MS = 10
"""Logarithms are taken of no less than this."""


def wasserstein_ms(samples_ms: NDArray[np.generic], reference: Reference) -> Floats:
    """1-Wasserstein distance, both as equal-weight samples: the area between their distribution functions."""
    return _wasserstein(np.asarray(samples_ms, dtype=np.float64), reference.quantiles_ms)


def wasserstein_ln(samples_ms: NDArray[np.generic], reference: Reference) -> Floats:
    """The same between natural logarithms (of any unit of time: it shifts both alike)."""
    return _wasserstein(_ln(np.asarray(samples_ms, dtype=np.float64)), _ln(reference.quantiles_ms))


def _ln(times_ms: Floats) -> Floats:
    return np.log(np.maximum(times_ms, SHORTEST_LN_MS))


def _wasserstein(samples: Floats, quantiles: Floats) -> Floats:
    steps = _common_steps(samples.shape[-1], quantiles.size)
    between = np.abs(np.sort(samples, axis=-1)[..., steps.sample] - quantiles[steps.quantile])
    return np.asarray(between @ steps.width, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Steps:
    """The stretches of 0 to 1 on which two quantile functions are both constant."""

    width: Floats
    sample: NDArray[np.int64]
    """Index of the value of the one there, and of the other."""
    quantile: NDArray[np.int64]


@cache
def _common_steps(n: int, q: int) -> _Steps:
    edges = np.union1d(np.arange(n + 1) * q, np.arange(q + 1) * n)
    """In units of 1 / (n q): whole numbers, so nothing is rounded."""
    return _Steps(np.diff(edges) / (n * q), edges[:-1] // q, edges[:-1] // n)


def jensen_shannon_bits(samples_ms: NDArray[np.generic], reference: Reference) -> Floats:
    """Jensen-Shannon divergence with base 2 (the square of the distance; 0 to 1) over the reference's bins."""
    values = np.asarray(samples_ms, dtype=np.float64)
    n, bins = values.shape[-1], reference.bin_share.size
    index = np.searchsorted(reference.bin_edges_ms, values.reshape(-1, n), side="right")
    rows = index.shape[0]
    flat = np.bincount((index + bins * np.arange(rows)[:, np.newaxis]).ravel(), minlength=rows * bins)
    count = flat.reshape(*values.shape[:-1], bins)
    p, q = (count + SMOOTHING) / (n + SMOOTHING * bins), reference.bin_share
    middle = (p + q) / 2
    return np.asarray(_relative_entropy_bits(p, middle) / 2 + _relative_entropy_bits(q, middle) / 2, dtype=np.float64)


def _relative_entropy_bits(p: Floats, q: Floats) -> Floats:
    return np.asarray(np.sum(p * np.log2(p / q), axis=-1), dtype=np.float64)
