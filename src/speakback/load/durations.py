"""How durations are spread: exactly for the few that tell something, in bins for the many that must not cost. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

BIN_MS = 0.25
LONGEST_MS = 1000.0


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of `n` durations in milliseconds."""

    n: int
    p50: float
    p95: float
    p99: float
    worst: float


def percentiles(values: Iterable[float | None]) -> Percentiles | None:
    """None where nothing was measured; values that are None are left out and not counted."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    p50, p95, p99 = (float(value) for value in np.percentile(known, (50, 95, 99)))
    return Percentiles(len(known), p50, p95, p99, max(known))


class Histogram:
    """Durations counted in bins of `BIN_MS`; the worst is kept as it is."""

    def __init__(self) -> None:
        self._counts = [0] * (int(LONGEST_MS / BIN_MS) + 1)
        self._worst = 0.0

    def note(self, duration_ms: float) -> None:
        """One more; what is below 0 counts as 0."""
        self._counts[min(int(max(duration_ms, 0.0) / BIN_MS), len(self._counts) - 1)] += 1
        self._worst = max(self._worst, duration_ms)

    def percentiles(self) -> Percentiles | None:
        """Each no more than `BIN_MS` above the true one (of those up to `LONGEST_MS`); None where nothing was noted."""
        sums = np.cumsum(self._counts)
        n = int(sums[-1])
        if not n:
            return None
        p50, p95, p99 = (
            min((int(np.searchsorted(sums, n * share)) + 1) * BIN_MS, self._worst) for share in (0.5, 0.95, 0.99)
        )
        return Percentiles(n, p50, p95, p99, self._worst)
