"""From a distance, a rate or a time to a score: 10 is the median of people, 9 their 95th percentile, 0 far beyond."""

import math
from typing import Final

import numpy as np

from speakback.evaluate.baseline import Floats, Rate, Spread

BEST: Final = 10.0
P95_SCORE: Final = 9.0
LOSS_PER_DOUBLING: Final = 3.0


def calibrated(distance: Floats | float, median: float, p95: float) -> Floats:
    """Score of anything of which less is better.

    Up to the 95th percentile of people `10 - (d - median) / (p95 - median)`, beyond it `9 - 3 log2(d / p95)`; 0 to 10.
    """
    d = np.asarray(distance, dtype=np.float64)
    near = BEST - (d - median) / (p95 - median)
    far = P95_SCORE - LOSS_PER_DOUBLING * np.log2(np.maximum(d, p95) / p95)
    return np.asarray(np.clip(np.where(d <= p95, near, far), 0.0, BEST), dtype=np.float64)


def of_spread(distance: Floats, spread: Spread) -> Floats:
    """Against the distances of pools of people."""
    return calibrated(distance, spread.p50, spread.p95)


def of_rate(per_min: float, rate: Rate) -> float:
    """A rate of which less is better, against single sides of human conversations."""
    return float(calibrated(per_min, rate.percentiles[50], rate.percentiles[95]))


def of_range(value: float, rate: Rate) -> float:
    """A rate that can be too low and too high: by its ratio to the median of people, each way on its own scale.

    10 up to the quartile, 9 at the 5th and 95th percentile, 0 for nothing at all.
    """
    if value <= 0:
        return 0.0
    middle = rate.percentiles[50]
    quartile, tail = (25, 5) if value < middle else (75, 95)
    return float(calibrated(_ratio(value, middle), *(_ratio(rate.percentiles[p], middle) for p in (quartile, tail))))


def of_share_pct(value: float, rate: Rate) -> float:
    """A share between two sides, on which both extremes are alike: the smaller side's share, as in `of_range`."""
    return of_range(min(value, 100 - value), rate)


def _ratio(value: float, middle: float) -> float:
    return abs(math.log(value / middle))
