"""Endpointing: how long a silence must last until the user's turn is over.

A policy is a frozen dataclass of numbers with one pure question. Its answer is counted from the last
voiced sample, and is asked again whenever the evidence grows.
"""

from dataclasses import dataclass
from math import exp, log, prod
from statistics import NormalDist
from typing import NamedTuple, Protocol, TypeAlias

from speakback.turn.words import Unfinished

PAUSE_MU, PAUSE_SIGMA = -0.704, 0.536
"""Log-normal fit to the pauses within people's turns, in ln seconds (Switchboard, pauses of at least 200 ms)."""
SHORTEST_PAUSE_MS = 200
_NORMAL = NormalDist()


class PauseEvidence(NamedTuple):
    """What a server can know about a pause while it lasts."""

    probability: float | None
    """That the turn is over, in [0, 1]; None until it is scored."""
    spoken_ms: int
    """From the turn's first voiced sample to its last."""
    unfinished: Unfinished = Unfinished.NO
    """What in the words says that more is to come."""
    is_read: bool = True
    """Whether the words up to the pause were read already."""
    own_pauses_ms: tuple[int, ...] = ()
    """This user's latest pauses within turns, oldest first."""


class Endpointing(Protocol):
    """A policy that turns evidence into a deadline."""

    def silence_ms(self, evidence: PauseEvidence) -> int:
        """The silence after which the turn is over, given what is known now."""
        ...


@dataclass(frozen=True, slots=True)
class FixedEndpointing:
    """A turn is over after one fixed silence, whatever was said."""

    wait_ms: int

    def silence_ms(self, evidence: PauseEvidence) -> int:
        """`wait_ms`, always."""
        return self.wait_ms


@dataclass(frozen=True, slots=True)
class SemanticEndpointing:
    """The likelier the end, the shorter the silence: linear between a sure and a doubtful wait.

    The waits have a floor in human conversation: half of all pauses within a turn last over 480 ms
    (Switchboard, 209,382 pauses), so a short wait is only for a confident score.
    """

    sure_ms: int
    """At a probability of `sure_at` or more."""
    doubtful_ms: int
    """At a probability of `doubtful_at` or less."""
    unscored_ms: int
    """While there is no score; a deadline that needs no model."""
    sure_at: float = 2 / 3
    doubtful_at: float = 1 / 9

    def silence_ms(self, evidence: PauseEvidence) -> int:
        """A wait between `sure_ms` and `doubtful_ms`."""
        if evidence.probability is None:
            return self.unscored_ms
        doubt = (self.sure_at - evidence.probability) / (self.sure_at - self.doubtful_at)
        return round(self.sure_ms + min(max(doubt, 0.0), 1.0) * (self.doubtful_ms - self.sure_ms))


@dataclass(frozen=True, slots=True)
class Patience:
    """The least silence after words that say that more is to come."""

    hesitation_ms: int = 1400
    counting_ms: int = 1600
    address_ms: int = 1800

    def silence_ms(self, unfinished: Unfinished) -> int:
        """0 where nothing in the words asks for patience."""
        match unfinished:
            case Unfinished.NO:
                return 0
            case Unfinished.HESITATION:
                return self.hesitation_ms
            case Unfinished.COUNTING:
                return self.counting_ms
            case Unfinished.ADDRESS:  # pragma: no branch
                return self.address_ms


@dataclass(frozen=True, slots=True)
class CalibratedEndpointing:
    """A turn is over once it is likely enough, given the score *and* that the silence has lasted.

    A pause within a turn rarely lasts: by Bayes' rule, odds(over | score, silent for t) = odds(over | score) / S(t),
    where S(t) is the share of pauses within turns that last t. The wait is the t at which these odds reach
    `confidence`: short for a confident score, long for a poor one, by the same rule.

    S is log-normal with the parameters of 209,382 pauses of at least 200 ms within turns (Switchboard), stretched to
    this user's own pauses as these become known.
    """

    confidence: float = 0.7
    """How sure to be. The share of pauses taken for ends is about 1 − this, if the score is calibrated."""
    least_ms: int = 240
    most_ms: int = 2500
    unscored_ms: int = 700
    """While there is no score; a deadline that needs no model."""
    unread_ms: int = 500
    """While the words are not read: they may ask for patience, and a reply needs them anyway."""
    learns: bool = True
    """Whether the user's own pauses within the conversation count."""
    prior_pauses: int = 8
    """How many of the user's own pauses weigh as much as what is known of people."""
    patience: Patience = Patience()

    def silence_ms(self, evidence: PauseEvidence) -> int:
        """A wait between `least_ms` and `most_ms`, and no shorter than patience asks for."""
        patient_ms = self.patience.silence_ms(evidence.unfinished)
        if evidence.probability is None:
            return max(self.unscored_ms, patient_ms)
        least_ms = self.least_ms if evidence.is_read else max(self.least_ms, self.unread_ms)
        scored_ms = round(self._stretch(evidence.own_pauses_ms) * self._human_wait_ms(evidence.probability))
        return max(min(max(scored_ms, least_ms), self.most_ms), patient_ms)

    def _human_wait_ms(self, probability: float) -> float:
        """The t at which S(t) = odds(over | score) / odds(confidence)."""
        clipped = min(max(probability, 1e-4), 1 - 1e-4)
        sure = min(max(self.confidence, 0.01), 0.999)
        lasting = clipped / (1 - clipped) * (1 - sure) / sure
        if lasting >= 1:
            return 0.0
        return 1000 * exp(PAUSE_MU + PAUSE_SIGMA * _NORMAL.inv_cdf(1 - max(lasting, 1e-9)))

    def _stretch(self, own_pauses_ms: tuple[int, ...]) -> float:
        """How much longer this user's pauses are than people's: the geometric mean, drawn towards 1."""
        if not (self.learns and own_pauses_ms):
            return 1.0
        longer = log(prod(own_pauses_ms)) - len(own_pauses_ms) * (PAUSE_MU + log(1000))
        return exp(longer / (len(own_pauses_ms) + self.prior_pauses))


EndpointingPolicy: TypeAlias = FixedEndpointing | SemanticEndpointing | CalibratedEndpointing
"""The policies that a configuration may hold; all satisfy `Endpointing`."""
