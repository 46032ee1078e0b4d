"""What a listener does of their own accord while the other speaks: backchannels, interruptions, entries into pauses."""

from dataclasses import dataclass
from random import Random

from speakback.evaluate.baseline import Quantity, RateName, load_baseline
from speakback.lab.draws import INTERRUPTS_AFTER_MS, INTERRUPTS_BEFORE_MS, draw_of, habits, rate_at
from speakback.lab.personas import Persona
from speakback.lab.voice import Stretch

BACKCHANNEL_AFTER_MS = 300
"""No backchannel begins earlier into an IPU: there was nothing to react to yet. Assumption."""


@dataclass(frozen=True, slots=True)
class Impulses:
    """One listener's habits; every question is asked once for each IPU or pause of the other."""

    backchannels_per_ms: float
    """Of the other's IPUs."""
    interruptions_per_ms: float
    """Of the part of the other's IPUs in which one could begin."""
    pause_entries_per_pause: float

    def backchannel_in(self, stretch: Stretch, rng: Random) -> int | None:
        """When a backchannel begins while this sounds; None if none does."""
        room_ms = stretch.due_ms - stretch.start_ms - BACKCHANNEL_AFTER_MS
        expected = self._backchannels_expected(stretch) * habits().backchannels_in_overlap
        if room_ms <= 0 or rng.random() >= expected:
            return None
        return stretch.start_ms + BACKCHANNEL_AFTER_MS + int(rng.random() * room_ms)

    def backchannel_after(self, stretch: Stretch, rng: Random) -> int | None:
        """When a backchannel begins in the pause after this; None if none does.

        After a turn's last IPU comes an answer and no backchannel, so the inner ones have the share of all.
        """
        inner_share = 1 - 1 / habits().ipus_per_turn
        expected = self._backchannels_expected(stretch) * (1 - habits().backchannels_in_overlap) / inner_share
        if rng.random() >= expected:
            return None
        return stretch.due_ms + draw_of(Quantity.BACKCHANNEL_ONSET).ms(rng)

    def interruption_in(self, stretch: Stretch, rng: Random) -> int | None:
        """When the listener begins to take the floor while this sounds; None if they do not."""
        if self.interruptions_per_ms <= 0:
            return None
        at_ms = stretch.start_ms + INTERRUPTS_AFTER_MS + int(rng.expovariate(self.interruptions_per_ms))
        return at_ms if at_ms < stretch.due_ms - INTERRUPTS_BEFORE_MS else None

    def entry_after(self, stretch: Stretch, rng: Random) -> int | None:
        """When the listener begins to speak in the pause after this, if it lasts so long; None if they do not."""
        if rng.random() >= self.pause_entries_per_pause / GAPS_WITHIN_PAUSES:
            return None
        return stretch.due_ms + draw_of(Quantity.GAP).ms(rng)

    def _backchannels_expected(self, stretch: Stretch) -> float:
        return self.backchannels_per_ms * (stretch.due_ms - stretch.start_ms)


GAPS_WITHIN_PAUSES = 0.73
"""How often a gap drawn from the baseline is shorter than a pause drawn from it: only then is the pause entered."""


def impulses_of(persona: Persona, rng: Random) -> Impulses:
    """One caller of this kind."""
    backchannels = rate_at(RateName.BACKCHANNELS_OF_SIDE, rng.uniform(*persona.backchannels))
    interruptions = rate_at(RateName.INTERRUPTIONS_BY_SIDE, rng.uniform(*persona.interruptions))
    boldness = interruptions / load_baseline().rates[RateName.INTERRUPTIONS_BY_SIDE].pooled
    return Impulses(
        backchannels_per_ms=backchannels / 60_000,
        interruptions_per_ms=boldness * habits().interruptions_per_exposed_min / 60_000,
        pause_entries_per_pause=boldness * habits().pause_entries_per_pause,
    )
