"""What can be set of a chain, and the defaults of each role."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from speakback.providers.chain.breaker import BreakerOptions
from speakback.providers.chain.budget import BudgetOptions
from speakback.providers.chain.lateness import LatenessOptions

Hedge: TypeAlias = Literal["never", "late", "always"]
"""When a second request is made: never, once the first is late, or at once besides each (the budget permitting)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainOptions:
    """One role's chain."""

    lateness: LatenessOptions
    patience_ms: float
    """A request that is late is given up after so much longer, and the next provider asked."""
    last_patience_ms: float = 8_000
    """The same where nobody else is left to ask."""
    stall_ms: float
    """An answer under way that falls silent for this long is suspected (a voice), or given up (a model)."""
    hedge: Hedge = "late"
    hedge_with: str = "next"
    """Who gets the second request: the `same` provider again, the `next` in order, or the one of this name."""
    budget: BudgetOptions = BudgetOptions()
    breaker: BreakerOptions = BreakerOptions()


STT_OPTIONS = ChainOptions(
    lateness=LatenessOptions(prior_ms=600, floor_ms=150, ceiling_ms=1500, per_audio_s_ms=30),
    patience_ms=2_500,
    stall_ms=2_500,
)
LLM_OPTIONS = ChainOptions(
    lateness=LatenessOptions(prior_ms=250, floor_ms=80, ceiling_ms=1000),
    patience_ms=2_500,
    stall_ms=2_000,
)
TTS_OPTIONS = ChainOptions(
    lateness=LatenessOptions(prior_ms=350, floor_ms=100, ceiling_ms=800),
    patience_ms=1_500,
    stall_ms=200,
    hedge_with="same",
)
"""The same voice first: a change of voice is heard."""
