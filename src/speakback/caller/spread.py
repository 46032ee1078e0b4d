"""How measured values are spread. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Spread:
    """Of `n` values; `p95` is interpolated between the two nearest."""

    n: int
    mean: float
    median: float
    p95: float


def spread(values: Iterable[float | None]) -> Spread | None:
    """None where nothing was measured; values that are None are left out and not counted."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(len(known), float(np.mean(known)), float(np.median(known)), float(np.percentile(known, 95)))
