"""Barge-in: what the agent does when the user starts to speak over it.

People yield to a bid for the floor in 0.6 to 1.2 s and talk on through an "mm-hm". Neither can be told
from the other by its sound at first: half of all backchannels still sound after 400 ms, and a quarter of
real turns open with "yeah", "oh" or "right" (Switchboard). So the answer is graded. The agent lowers its
voice at once, holds it when the user is still speaking at the provisional verdict, and gives the floor
away or goes on by the final one. The verdict is a pure function of all that is known, asked again
whenever more is.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from speakback.turn.words import HeardWords


class BargeIn(Enum):
    """Who yields when both speak."""

    IMMEDIATE = "immediate"
    """The agent stops as soon as the VAD is sure of voice."""
    NEVER = "never"
    """The agent speaks to its end; what the user says meanwhile is a turn that waits."""
    GRADED = "graded"
    """Duck, hold, then yield or go on, by the verdict of `Overlap`."""


class Verdict(Enum):
    """What speech over the agent is taken for."""

    OPEN = "open"
    """Too early to say."""
    HOLD = "hold"
    """Likely a bid for the floor: be silent until it is clear."""
    BACKCHANNEL = "backchannel"
    NOISE = "noise"
    ECHO = "echo"
    INTERRUPTION = "interruption"


LET_BE = (Verdict.BACKCHANNEL, Verdict.NOISE, Verdict.ECHO)
"""Verdicts by which the agent keeps the floor."""


class OverlapEvidence(NamedTuple):
    """What a server can know about speech over the agent while it lasts."""

    since_onset_ms: int
    voiced_ms: int
    """From its first voiced sample to its last; grows while it is voiced."""
    is_voiced: bool
    words: HeardWords | None
    """None until some were read."""
    is_read: bool
    """Whether all of it was read, up to the present pause."""
    end_of_turn: float | None
    """How likely its pause ends it; None until scored."""
    echo: float | None
    """How likely it is the agent's own voice; None where it was not judged."""
    reply_age_ms: int
    """How long the agent had been audible when the user began."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """The graded policy, as numbers; durations count from the first voiced sample of the user's speech."""

    duck_ms: int = 120
    """Speech this long lowers the agent's voice."""
    provisional_ms: int = 280
    """Speech that still goes on by now makes the agent hold."""
    young_reply_ms: int = 600
    """A reply that was audible for less when the user began has run into the user's turn: both start at once."""
    young_provisional_ms: int = 150
    """The provisional verdict over such a reply."""
    final_ms: int = 900
    """The verdict by now is final, where the words are read and tell."""
    settle_ms: int = 1200
    """Where they are not read, or tell nothing, a voice that stopped is given until now: who pauses may go on."""
    last_ms: int = 1300
    """A voice that goes on until now without telling words has the floor. What is later than `final_ms` costs no
    overlap, as the agent is held; sooner, one backchannel in ten would stop it (docs/decisions/007)."""
    bid_ms: int = 700
    """Nine of ten backchannels are shorter: what cannot be read in time and is longer is a bid for the floor."""
    words_ms: int = 1800
    """So long the words of a short utterance are waited for, until it counts as one without any."""
    broke_off_below: float = 0.08
    """A remark whose end is less likely than this was broken off: the user wants to say more."""
    echo_at: float = 0.6
    """An echo this likely is taken for one, unless words that are not the agent's are read"""
    echo_sure_at: float = 0.85
    """and it is less likely than this: recognition garbles an echo."""
    not_echo_below: float = 0.3
    """Below this someone else speaks, too,"""
    echo_told_ms: int = 250
    """and has for about so long when the level tells."""

    def verdict(self, evidence: OverlapEvidence) -> Verdict:
        """The verdict as things stand; never `OPEN` or `HOLD` from `last_ms` on."""
        if evidence.words is HeardWords.HALT:
            return Verdict.INTERRUPTION
        needed = self.echo_sure_at if evidence.words is HeardWords.CONTENT else self.echo_at
        if evidence.words is HeardWords.ECHO or (evidence.echo is not None and evidence.echo >= needed):
            return Verdict.ECHO
        return self._while_voiced(evidence) if evidence.is_voiced else self._after_voice(evidence)

    def next_look_ms(self, evidence: OverlapEvidence) -> int | None:
        """The least `since_onset_ms` beyond the present at which time alone may change the verdict."""
        looks = [self.final_ms, self.settle_ms, self.last_ms, self.words_ms, self._provisional_ms(evidence)]
        return min([look for look in looks if look > evidence.since_onset_ms], default=None)

    def ducks(self, evidence: OverlapEvidence) -> bool:
        """Whether the agent is to lower its voice already."""
        return evidence.is_voiced and evidence.since_onset_ms >= self.duck_ms

    def is_conclusive(self, evidence: OverlapEvidence) -> bool:
        """Whether nothing more is to be learnt of it."""
        return evidence.since_onset_ms >= (self.final_ms if evidence.is_read else self.words_ms)

    def _while_voiced(self, evidence: OverlapEvidence) -> Verdict:
        """A voice that goes on claims the floor, whatever its first words were: real turns open with "yeah", too."""
        claims_ms = self.final_ms if evidence.words is HeardWords.CONTENT else self.last_ms
        if evidence.since_onset_ms >= claims_ms:
            return Verdict.INTERRUPTION
        return Verdict.HOLD if evidence.since_onset_ms >= self._provisional_ms(evidence) else Verdict.OPEN

    def _after_voice(self, evidence: OverlapEvidence) -> Verdict:
        """A voice that stopped is judged by its words, once all of them are read or can be waited for no longer."""
        is_settled = evidence.since_onset_ms >= self.settle_ms
        if not evidence.is_read and not is_settled:
            return Verdict.OPEN
        match evidence.words:
            case HeardWords.CONTENT:
                return Verdict.INTERRUPTION
            case HeardWords.REMARK if self._is_broken_off(evidence):
                return Verdict.INTERRUPTION
            case HeardWords.BACKCHANNEL:
                return Verdict.BACKCHANNEL
            case _ if not is_settled:
                return Verdict.OPEN
            case HeardWords.REMARK:
                return Verdict.BACKCHANNEL
            case HeardWords.NONE:
                return Verdict.NOISE
            case _:
                return Verdict.BACKCHANNEL if evidence.voiced_ms < self.bid_ms else Verdict.INTERRUPTION

    def _is_broken_off(self, evidence: OverlapEvidence) -> bool:
        return evidence.end_of_turn is not None and evidence.end_of_turn < self.broke_off_below

    def _provisional_ms(self, evidence: OverlapEvidence) -> int:
        is_young = evidence.reply_age_ms < self.young_reply_ms
        return self.young_provisional_ms if is_young else self.provisional_ms
