"""A score, or the plain statement that there were too few events for one: never a silent number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Score:
    """From 0 to 10."""

    value: float


@dataclass(frozen=True, slots=True)
class TooFewEvents:
    """Not scored."""

    events: int
    needed: int


Outcome: TypeAlias = Score | TooFewEvents


def values(outcomes: Sequence[Outcome]) -> list[float]:
    """The scores that there are."""
    return [outcome.value for outcome in outcomes if isinstance(outcome, Score)]


def mean(outcomes: Sequence[Outcome]) -> Outcome:
    """Mean of the scores that there are; without one, the fullest of those that failed."""
    found = values(outcomes)
    if found:
        return Score(sum(found) / len(found))
    return max((o for o in outcomes if isinstance(o, TooFewEvents)), key=lambda few: few.events / few.needed)


def least(outcomes: Sequence[Outcome]) -> Outcome:
    """The lowest of the scores that there are; without one, the first."""
    found = values(outcomes)
    return Score(min(found)) if found else outcomes[0]
