"""Endpointing: how long a silence must last until the user's turn is over.

A policy is a frozen dataclass of numbers with one pure question. Its answer is counted from the last
voiced sample, and is asked again whenever the evidence grows.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class PauseEvidence:
    """What a server can know about a pause while it lasts."""

    probability: float | None
    """That the turn is over, in [0, 1]; None until it is scored."""
    spoken_ms: int
    """From the turn's first voiced sample to its last."""


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
    sure_at: float = 0.8
    doubtful_at: float = 0.2

    def silence_ms(self, evidence: PauseEvidence) -> int:
        """A wait between `sure_ms` and `doubtful_ms`."""
        if evidence.probability is None:
            return self.unscored_ms
        doubt = (self.sure_at - evidence.probability) / (self.sure_at - self.doubtful_at)
        return round(self.sure_ms + min(max(doubt, 0.0), 1.0) * (self.doubtful_ms - self.sure_ms))


EndpointingPolicy: TypeAlias = FixedEndpointing | SemanticEndpointing
"""The policies that a configuration may hold; all satisfy `Endpointing`."""
