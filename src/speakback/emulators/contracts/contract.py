"""One thing that a service must do: what it says, what it costs, and the function that tries it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias

from speakback.emulators.contracts.site import Site

Service: TypeAlias = Literal["groq", "elevenlabs"]
LABELS: dict[Service, str] = {"groq": "Groq", "elevenlabs": "ElevenLabs"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What is billed at most, roughly, for one exchange with the real service."""

    characters: int = 0
    audio_s: int = 0
    """As it is billed: 10 s at least for each request."""
    tokens: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.characters + other.characters, self.audio_s + other.audio_s, self.tokens + other.tokens)

    def __str__(self) -> str:
        named = {"characters of speech": self.characters, "s of audio": self.audio_s, "tokens at most": self.tokens}
        return ", ".join(f"{count} {unit}" for unit, count in named.items() if count) or "nothing"


FREE = Cost()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One contract. `attempt` raises `BrokenContractError` where it does not hold."""

    service: Service
    name: str
    """Of its fixtures' files, too."""
    says: str
    attempt: Callable[[Site], Awaitable[None]]
    cost: Cost = FREE
    is_slow: bool = False
    is_gate: bool = False
    """Where it does not hold, the service's others are not tried: each would fail for the same reason."""


class Verdict(Enum):
    """What came of a contract."""

    HOLDS = "holds"
    BROKEN = "does not hold"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a contract at one address, and why."""

    verdict: Verdict
    why: str = ""

    def __str__(self) -> str:
        return f"{self.verdict.value}: {self.why}" if self.why else self.verdict.value
