"""What a chain knows of its providers, shared by all sessions: circuits, usual times, the budget of second requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from speakback.providers.chain.breaker import Breaker, Circuit
from speakback.providers.chain.budget import Budget
from speakback.providers.chain.entry import Entry
from speakback.providers.chain.feed import Stragglers, now_ms
from speakback.providers.chain.lateness import Lateness
from speakback.providers.chain.options import ChainOptions
from speakback.providers.chain.probing import Probe, Prober
from speakback.providers.decisions import Decision, DecisionKind, Report, Role
from speakback.providers.errors import ProviderError


@dataclass(frozen=True, slots=True)
class Standing:
    """One provider's."""

    breaker: Breaker
    lateness: Lateness
    probe: Probe


class Standings:
    """All of one chain's. Raises `ValueError` for a chain of nobody or with two of one name."""

    def __init__(
        self,
        role: Role,
        entries: tuple[Entry[object], ...],
        options: ChainOptions,
        *,
        probes: Mapping[str, Probe],
        report: Report,
        rng: Random,
    ) -> None:
        names = [entry.name for entry in entries]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"a chain needs providers of different names; the {role} chain has {names}")
        if options.hedge_with not in {"same", "next", *names}:
            raise ValueError(f"{role}: hedge_with is same, next or one of {names}, not {options.hedge_with!r}")
        self.role: Role = role
        self.options = options
        self.budget = Budget(options.budget)
        self.stragglers = Stragglers()
        self._why_open: dict[str, str] = {}
        self._prober = Prober(role, report, rng)
        self._of = {
            entry.name: Standing(
                Breaker(options.breaker), Lateness(entry.lateness or options.lateness), probes[entry.name]
            )
            for entry in entries
        }

    def is_open(self, name: str) -> bool:
        """Whether this provider is not to be asked, others permitting."""
        return self._of[name].breaker.circuit is not Circuit.CLOSED

    def why_open(self, name: str) -> str:
        """What opened this provider's circuit the last time; only of one that was open."""
        return self._why_open[name]

    def is_hopeless(self, name: str) -> bool:
        """Whether it is not to be asked even then: somebody must mend something first."""
        return self.is_open(name) and self._of[name].breaker.is_lasting

    def late_after_ms(self, name: str) -> float:
        """How long its first answer may take."""
        return self._of[name].lateness.late_after_ms()

    def allowance_ms(self, name: str, audio_ms: float) -> float:
        """What it may take longer for so much audio."""
        return self._of[name].lateness.options.per_audio_s_ms * audio_ms / 1000

    def answered(self, name: str, took_ms: float, report: Report) -> None:
        """It gave its first answer to a turn."""
        self._of[name].lateness.record(took_ms)
        if self._of[name].breaker.succeeded(now_ms()):
            reason = "it answered a turn that nobody else could"
            report(Decision(self.role, DecisionKind.CIRCUIT_CLOSED, name, reason))

    def outrun(self, name: str, after_ms: float) -> None:
        """It had not answered when another did."""
        if after_ms >= self.late_after_ms(name):
            self._of[name].lateness.record(after_ms)

    def failed(self, name: str, problem: ProviderError, report: Report) -> None:
        """It failed in a turn."""
        standing = self._of[name]
        because = standing.breaker.failed(problem, now_ms())
        if because is not None:
            self._why_open[name] = because
            report(Decision(self.role, DecisionKind.CIRCUIT_OPENED, name, because))
            self._prober.watch(name, standing.breaker, standing.probe)

    async def aclose(self) -> None:
        """Stop probing, and wait for the cancelled requests to end."""
        await self._prober.aclose()
        await self.stragglers.aclose()
