"""How many second requests may be made, and what they cost. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BudgetOptions:
    """A bucket of second requests: each first request puts `share` of one into it, up to `burst`."""

    share: float = 0.1
    """Second requests per first one in the long run; 1.0 allows to double each, 0 allows none."""
    burst: float = 3.0
    """Second requests that may come one upon the other; as many are there at the start."""

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1 or self.burst < 0:
            raise ValueError(f"a budget's share lies in 0 to 1 and its burst is not negative: {self}")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request that was not used cost, as far as it is known on this side; services bill by their own rules."""

    tokens: int = 0
    """Of a prompt about a token per four characters, and one for each piece that was written."""
    characters: int = 0
    """Given to a voice."""
    audio_ms: int = 0
    """Given to be transcribed."""

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.tokens + other.tokens, self.characters + other.characters, self.audio_ms + other.audio_ms)


@dataclass(frozen=True, slots=True)
class Spent:
    """The books of second requests since the process began."""

    requests: int = 0
    """First requests."""
    second_requests: int = 0
    refused: int = 0
    """Second requests that the budget did not allow."""
    wasted: Cost = Cost()
    """Of the requests that lost, first or second."""


class Budget:
    """One role's bucket and books, shared by all sessions."""

    def __init__(self, options: BudgetOptions) -> None:
        self._options = options
        self._left = options.burst if options.share else 0.0
        self._requests = self._second_requests = self._refused = 0
        self._wasted = Cost()

    def request(self) -> None:
        """A first request is made."""
        self._requests += 1
        self._left = min(self._left + self._options.share, max(self._options.burst, 1.0) + self._options.share)

    def take(self) -> bool:
        """Whether a second request may be made; it then counts as made."""
        if self._left < 1 - 1e-9:
            self._refused += 1
            return False
        self._left -= 1
        self._second_requests += 1
        return True

    def take_anyway(self) -> None:
        """A second request is made that must not wait for the budget; the later ones pay for it, up to a burst."""
        self._left = max(self._left - 1, -self._options.burst)
        self._second_requests += 1

    def waste(self, cost: Cost) -> None:
        """A request lost, after this."""
        self._wasted += cost

    @property
    def spent(self) -> Spent:
        """The books."""
        return Spent(self._requests, self._second_requests, self._refused, self._wasted)

    def in_words(self) -> str:
        """The state of the budget, for a reason."""
        return f"{self._options.share:.0%} of requests may be doubled, {self._second_requests} of {self._requests} were"
