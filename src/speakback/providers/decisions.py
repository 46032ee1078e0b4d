"""What a chain of providers decides, and why: each decision is an event, a metric and part of the turn's record."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["stt", "llm", "tts"]


class DecisionKind(StrEnum):
    """What was decided."""

    FAILED_OVER = "failed_over"
    """The next provider was asked, as the one before failed."""
    HEDGED = "hedged"
    """A second request was made besides one that is late."""
    HEDGE_WON = "hedge_won"
    """The second answered first."""
    HEDGE_REFUSED = "hedge_refused"
    """It was late, but the budget of second requests is spent."""
    WENT_ON = "went_on"
    """The rest of an utterance is spoken by another provider, from the next word on."""
    SKIPPED = "skipped"
    """A provider was not asked, as its circuit is open."""
    CIRCUIT_OPENED = "circuit_opened"
    CIRCUIT_CLOSED = "circuit_closed"
    EXHAUSTED = "exhausted"
    """No provider is left."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision. Holds neither speech content nor secrets."""

    role: Role
    kind: DecisionKind
    provider: str
    """Whom it is about; where one stands in for another, the one that stands in."""
    reason: str
    """In words, for an operator."""
    instead_of: str | None = None
    """The provider that it stands in for."""


Report: TypeAlias = Callable[[Decision], None]
