"""How long to wait before a lost connection is tried again."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential, with full jitter above a floor: many clients that lost one service do not come back at once."""

    first_s: float = 0.25
    longest_s: float = 30.0

    def wait_s(self, failures: int, rng: Random) -> float:
        """Before the next attempt, after `failures` (at least 1) in a row: between half and all of the doubled time."""
        ceiling = min(self.first_s * 2.0 ** min(failures - 1, 30), self.longest_s)
        return ceiling * rng.uniform(0.5, 1.0)
