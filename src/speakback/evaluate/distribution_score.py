"""Score of one distribution: 160 events at a time, because every distance depends on how many events there are."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from speakback.evaluate.baseline import Quantity, load_baseline
from speakback.evaluate.calibrate import of_spread
from speakback.evaluate.distance import jensen_shannon_bits, wasserstein_ln, wasserstein_ms
from speakback.evaluate.joint_state import Ints
from speakback.evaluate.measures import Measures
from speakback.evaluate.outcome import Outcome, Score, TooFewEvents

EVENTS: Final = 160

SUBSAMPLES: Final = 200


@dataclass(frozen=True, slots=True)
class Sampling:
    """How subsamples are drawn: chance is passed in."""

    rng: np.random.Generator
    subsamples: int = SUBSAMPLES

    def draw(self, events: Ints) -> Ints:
        """Subsamples of 160 events, without replacement within each: shape (subsamples, 160)."""
        blocks = min(self.subsamples, events.size // EVENTS)
        rounds = -(-self.subsamples // blocks)
        picked = [
            self.rng.choice(events, blocks * EVENTS, replace=False).reshape(blocks, EVENTS) for _ in range(rounds)
        ]
        return np.concatenate(picked)[: self.subsamples]


@dataclass(frozen=True, slots=True)
class Distances:
    """Means over the subsamples."""

    w1_ms: float
    w1_ln: float | None
    """Between logarithms, where the Wasserstein score uses these (IPU and turn durations)."""
    jsd_bits: float
    w1_score: float
    jsd_score: float


@dataclass(frozen=True, slots=True)
class DistributionScore:
    """How close the agent's values of one quantity are to people's."""

    quantity: Quantity
    events: int
    distances: Distances | None
    """None: too few events."""

    @property
    def outcome(self) -> Outcome:
        """The mean of the Wasserstein and the Jensen-Shannon score."""
        if self.distances is None:
            return TooFewEvents(self.events, EVENTS)
        return Score((self.distances.w1_score + self.distances.jsd_score) / 2)


def score_distribution(measures: Measures, quantity: Quantity, sampling: Sampling) -> DistributionScore:
    """Raises `ValueError` for a quantity that the baseline has no reference or no calibration at 160 events for."""
    human = load_baseline().distributions[quantity]
    calibration = human.calibration(EVENTS)
    if human.reference is None or calibration is None:
        raise ValueError(f"the baseline cannot score {quantity.value} at {EVENTS} events")
    events = measures.samples[quantity]
    if events.size < EVENTS:
        return DistributionScore(quantity, events.size, None)
    drawn = sampling.draw(events)
    w1_ms = wasserstein_ms(drawn, human.reference)
    jsd_bits = jensen_shannon_bits(drawn, human.reference)
    w1_ln, w1_scores = None, of_spread(w1_ms, calibration.w1_ms)
    if calibration.w1_ln is not None:
        w1_ln = wasserstein_ln(drawn, human.reference)
        w1_scores = of_spread(w1_ln, calibration.w1_ln)
    distances = Distances(
        w1_ms=float(w1_ms.mean()),
        w1_ln=None if w1_ln is None else float(w1_ln.mean()),
        jsd_bits=float(jsd_bits.mean()),
        w1_score=float(w1_scores.mean()),
        jsd_score=float(of_spread(jsd_bits, calibration.jsd_bits).mean()),
    )
    return DistributionScore(quantity, events.size, distances)
