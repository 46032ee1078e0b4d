"""How long a provider takes to its first answer, learnt as it goes, and from when on a request is late. Pure."""

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field

SLACK_MS = 20
"""More than usual by less than this is no lateness: some providers' times hardly vary."""


@dataclass(frozen=True, slots=True)
class LatenessOptions:
    """When a request counts as late. In ms."""

    prior_ms: float
    """Until `enough` answers were seen."""
    floor_ms: float
    """Nothing is late before this."""
    ceiling_ms: float
    """Everything is late after this."""
    quantile: float = 0.95
    """A request is late once it takes longer than this share of those before it."""
    enough: int = 20
    window: int = 200
    """Answers remembered."""
    per_audio_s_ms: float = 0.0
    """Allowed besides for each second of audio in the request."""

    def __post_init__(self) -> None:
        are_bounds_right = 0 <= self.floor_ms <= self.ceiling_ms and 1 <= self.enough <= self.window
        if not 0 < self.quantile < 1 or not are_bounds_right:
            raise ValueError(f"these lateness options contradict each other: {self}")


@dataclass(slots=True)
class Lateness:
    """One provider's times to its first answer."""

    options: LatenessOptions
    _recent: deque[float] = field(default_factory=deque)
    _sorted: list[float] = field(default_factory=list)

    def record(self, took_ms: float) -> None:
        """An answer took so long; or a request that was late was given up after so long.

        The latter must be told as well: with the quick ones alone the quantile would sink, and ever more be late.
        """
        self._recent.append(took_ms)
        insort(self._sorted, took_ms)
        if len(self._recent) > self.options.window:
            oldest = self._recent.popleft()
            del self._sorted[bisect_left(self._sorted, oldest)]

    def late_after_ms(self) -> float:
        """How long a request may take before it is late."""
        options = self.options
        if len(self._sorted) < options.enough:
            usual_ms = options.prior_ms
        else:
            usual_ms = self._sorted[min(int(options.quantile * len(self._sorted)), len(self._sorted) - 1)]
            usual_ms += SLACK_MS
        return min(max(usual_ms, options.floor_ms), options.ceiling_ms)
