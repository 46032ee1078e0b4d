"""How long the real services take, as seeded draws: log-normal through p50 and p95, then a tail."""

from dataclasses import dataclass
from math import exp, log
from random import Random
from statistics import NormalDist

_NORMAL = NormalDist()
_Z95, _Z99 = _NORMAL.inv_cdf(0.95), _NORMAL.inv_cdf(0.99)


@dataclass(frozen=True, slots=True)
class Percentiles:
    """A duration in ms, by three percentiles; `p50` 0 is none at all. Raises `ValueError` where they do not ascend."""

    p50: float
    p95: float
    p99: float

    def __post_init__(self) -> None:
        if not (0 <= self.p50 <= self.p95 <= self.p99) or (self.p50 == 0 and self.p99 > 0):
            raise ValueError(f"percentiles must ascend from above 0, or all be 0: {self}")

    def draw_ms(self, rng: Random) -> float:
        """A draw. Log-normal through p50 and p95; beyond p95, log-linear in the normal score through p99."""
        z = rng.gauss(0, 1)
        if self.p50 == 0:
            return 0.0
        to_p95 = log(self.p95 / self.p50) / _Z95
        if z <= _Z95:
            return self.p50 * exp(to_p95 * z)
        to_p99 = log(self.p99 / self.p95) / (_Z99 - _Z95)
        return min(self.p95 * exp(to_p99 * (z - _Z95)), 4 * self.p99)

    def scaled(self, by: float) -> "Percentiles":
        """The same, `by` times as long."""
        return Percentiles(self.p50 * by, self.p95 * by, self.p99 * by)


NONE = Percentiles(0, 0, 0)
