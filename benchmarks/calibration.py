"""Whether the end-of-turn probability means what it says, and whether other coefficients would do better.

Ends and pauses are weighted to the share that ends have among people's silences; recorded and synthetic ends
weigh alike. Loss is the logarithmic loss in nats. Chance is judged by drawing whole clips again, synthetic ones of
the same words together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Figure
from speakback.turn.end_of_turn import BALANCED, COMBINATION, OVER_SHARE, Combination

BINS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
DRAWS = 1000
CLIPPED = 0.02
RIDGE_SD = 3.0
"""Of the prior on the fitted coefficients: weak, for data that one source separates."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One silence: whether the turn was over, and what the sources said as it began."""

    group: str
    synthetic: bool
    over: bool
    acoustic: float
    words: float | None


def weights(outcomes: Sequence[Outcome]) -> Floats:
    """Each outcome's share of the whole."""
    return _weights_of(_kinds(outcomes))


def _kinds(outcomes: Sequence[Outcome]) -> NDArray[np.int64]:
    """0: a pause within a turn; 1: a recorded end; 2: a synthetic end."""
    return np.array([int(outcome.over) + (outcome.over and outcome.synthetic) for outcome in outcomes], np.int64)


def _weights_of(kinds: NDArray[np.int64]) -> Floats:
    counts = np.bincount(kinds, minlength=3)
    shares = np.array([1 - OVER_SHARE, OVER_SHARE, OVER_SHARE]) / [1, *[np.count_nonzero(counts[1:])] * 2]
    return np.asarray((shares / np.maximum(counts, 1))[kinds], np.float64)


def loss(model: Combination, outcomes: Sequence[Outcome]) -> float:
    """The weighted logarithmic loss."""
    return float(np.average(_surprises([model] * len(outcomes), outcomes), weights=weights(outcomes)))


def _surprises(models: Sequence[Combination], outcomes: Sequence[Outcome]) -> Floats:
    """Of each outcome, to its own model."""
    said = [model.probability(outcome.acoustic, outcome.words) for model, outcome in zip(models, outcomes, strict=True)]
    return -np.log([p if outcome.over else 1 - p for p, outcome in zip(said, outcomes, strict=True)])


def reliability(outcomes: Sequence[Outcome]) -> list[Figure]:
    """Per bin of the prediction, how often the turn was over."""
    shares = weights(outcomes)
    said = np.array([COMBINATION.probability(outcome.acoustic, outcome.words) for outcome in outcomes])
    over = np.array([outcome.over for outcome in outcomes])
    figures = []
    for low, high in zip(BINS, BINS[1:], strict=False):
        within = (said >= low) & (said < high)
        observed = 100 * float(np.average(over[within], weights=shares[within])) if within.any() else None
        figures.append(Figure(f"over, where {low:g} to {high:g} was predicted (n = {within.sum()})", observed, "%"))
    return figures


def comparisons(outcomes: Sequence[Outcome]) -> list[Figure]:
    """The loss as it is, and what others would add to it: a minus is better, and the bounds hold 95 % of draws."""
    without_words = replace(COMBINATION, words_weight=0.0)
    fits = left_out(outcomes)
    others = {
        "for ends and pauses in equal numbers": [BALANCED] * len(outcomes),
        "without the words": [without_words] * len(outcomes),
        "fitted, each clip left out once": [fits[outcome.group] for outcome in outcomes],
    }
    in_use = _surprises([COMBINATION] * len(outcomes), outcomes)
    figures = [Figure("loss, in thousandths", 1000 * loss(COMBINATION, outcomes), "")]
    for what, models in others.items():
        more = _spread_over_clips(_surprises(models, outcomes) - in_use, outcomes)
        for label, value in zip(("", ", 2.5 % of draws below", ", 2.5 % of draws above"), more, strict=True):
            figures.append(Figure(f"loss {what}: more by thousandths{label}", 1000 * value, ""))
    return figures


def _spread_over_clips(values: Floats, outcomes: Sequence[Outcome]) -> tuple[float, float, float]:
    """The weighted mean, and what 2.5 % and 97.5 % of the means of clips drawn again lie below."""
    chance = np.random.default_rng(0)
    kinds = _kinds(outcomes)
    groups = [outcome.group for outcome in outcomes]
    places = [np.flatnonzero([group == name for group in groups]) for name in dict.fromkeys(groups)]
    means = []
    for _ in range(DRAWS):
        drawn = np.concatenate([places[number] for number in chance.integers(len(places), size=len(places))])
        if 0 < np.count_nonzero(kinds[drawn]) < len(drawn):
            means.append(np.average(values[drawn], weights=_weights_of(kinds[drawn])))
    low, high = np.percentile(means, (2.5, 97.5))
    return float(np.average(values, weights=_weights_of(kinds))), float(low), float(high)


def left_out(outcomes: Sequence[Outcome]) -> dict[str, Combination]:
    """For each group, what is fitted to all the others."""
    return {
        group: fitted([outcome for outcome in outcomes if outcome.group != group])
        for group in dict.fromkeys(outcome.group for outcome in outcomes)
    }


def fitted(outcomes: Sequence[Outcome]) -> Combination:
    """The coefficients of least loss, by Newton's method."""
    sources = np.array([(x.acoustic, 0.5 if x.words is None else x.words) for x in outcomes]).clip(CLIPPED, 1 - CLIPPED)
    inputs = np.column_stack((np.ones(len(outcomes)), np.log(sources / (1 - sources))))
    over = np.array([outcome.over for outcome in outcomes], np.float64)
    mass = weights(outcomes) * len(outcomes)
    found = np.zeros(3)
    for _ in range(50):
        said = 1 / (1 + np.exp(-inputs @ found))
        slope = inputs.T @ (mass * (said - over)) + found / RIDGE_SD**2
        curve = (inputs * (mass * said * (1 - said))[:, None]).T @ inputs + np.eye(3) / RIDGE_SD**2
        found = found - np.linalg.solve(curve, slope)
    return Combination(*(float(value) for value in found))
