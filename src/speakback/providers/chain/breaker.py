"""A circuit per provider: after failures it is not asked for a while, until a probe finds it well again. Pure."""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from speakback.providers.errors import LASTING, Failure, ProviderError


@dataclass(frozen=True, slots=True)
class BreakerOptions:
    """When a circuit opens, and for how long."""

    failures: int = 3
    """So many failures within `window_ms` open it, if they are"""
    share: float = 0.4
    """this share of all answers as well: many callers meet three chance failures in no time. One of a lasting kind
    opens it at once."""
    window_ms: float = 30_000
    open_ms: float = 5_000
    """Until the first probe; each probe that fails doubles it, up to `longest_open_ms`."""
    longest_open_ms: float = 120_000
    lasting_open_ms: float = 300_000
    """Until the first probe after a failure that somebody must mend."""
    obeyed_wait_ms: float = 1_000
    """A service that asks for a longer wait than this is left alone for so long."""


class Circuit(Enum):
    """Whether a provider is asked."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"
    """A probe is under way; turns still go elsewhere."""


OURS = frozenset({Failure.BAD_REQUEST, Failure.SHED})
"""These say nothing about the provider's health."""


@dataclass(slots=True)
class Breaker:
    """One provider's circuit."""

    options: BreakerOptions
    circuit: Circuit = Circuit.CLOSED
    is_lasting: bool = False
    """It is open for something that somebody must mend: asking in spite of it is in vain."""
    probe_at_ms: float = 0.0
    """When an open circuit is to be probed."""
    _open_ms: float = 0.0
    _failures: deque[float] = field(default_factory=deque)
    _successes: deque[float] = field(default_factory=deque)

    def succeeded(self, now_ms: float) -> bool:
        """An answer came, to a turn or a probe; whether that closed the circuit."""
        was_closed = self.circuit is Circuit.CLOSED
        self.circuit, self.is_lasting, self._open_ms = Circuit.CLOSED, False, 0.0
        if not was_closed:
            self._failures.clear()
        self._successes.append(now_ms)
        self._forget_before(now_ms - self.options.window_ms)
        return not was_closed

    def failed(self, problem: ProviderError, now_ms: float) -> str | None:
        """It failed; why that opens the circuit, in words, or None if it does not (or was open before)."""
        if problem.failure in OURS:
            if self.circuit is Circuit.HALF_OPEN:  # the probe found nothing out: another one, after as long
                self._open(self._open_ms, now_ms, is_lasting=self.is_lasting)
            return None
        if self.circuit is not Circuit.CLOSED:
            self._reopened(problem, now_ms)
            return None
        options = self.options
        self._failures.append(now_ms)
        self._forget_before(now_ms - options.window_ms)
        asked_wait_ms = (problem.retry_after_s or 0.0) * 1000
        if problem.failure in LASTING:
            self._open(options.lasting_open_ms, now_ms, is_lasting=True)
            return f"{problem.failure.value}: nothing changes until somebody mends it"
        if asked_wait_ms > options.obeyed_wait_ms:
            self._open(asked_wait_ms, now_ms)
            return f"{problem.failure.value}: it asks to be left alone for {asked_wait_ms / 1000:g} s"
        failures, answers = len(self._failures), len(self._failures) + len(self._successes)
        if failures >= options.failures and failures >= options.share * answers:
            self._open(options.open_ms, now_ms)
            seconds = options.window_ms / 1000
            return f"{failures} failures of {answers} answers within {seconds:g} s, the last: {problem.failure.value}"
        return None

    def probe_began(self) -> None:
        """A probe is under way."""
        self.circuit = Circuit.HALF_OPEN

    def _reopened(self, problem: ProviderError, now_ms: float) -> None:
        """A probe failed, or a turn that had nobody else to ask."""
        if self.circuit is Circuit.HALF_OPEN:
            lasting = problem.failure in LASTING
            longer = min(2 * self._open_ms, self.options.longest_open_ms)
            self._open(self.options.lasting_open_ms if lasting else longer, now_ms, is_lasting=lasting)

    def _forget_before(self, at_ms: float) -> None:
        for seen in (self._failures, self._successes):
            while seen and seen[0] <= at_ms:
                seen.popleft()

    def _open(self, open_ms: float, now_ms: float, *, is_lasting: bool = False) -> None:
        self.circuit, self.is_lasting = Circuit.OPEN, is_lasting
        self._open_ms, self.probe_at_ms = open_ms, now_ms + open_ms
