"""The five parts together: what they weigh, and what caps them."""

from dataclasses import dataclass
from typing import Final

from speakback.evaluate.baseline import load_baseline
from speakback.evaluate.conduct import Service
from speakback.evaluate.distribution_score import Sampling
from speakback.evaluate.gates import Gate, gates
from speakback.evaluate.measures import Measures
from speakback.evaluate.outcome import Outcome, Score, TooFewEvents
from speakback.evaluate.parts import (
    Backchannelling,
    Basis,
    FloorRespect,
    InterruptionHandling,
    ResponseTiming,
    Rhythm,
    backchannelling,
    floor_respect,
    interruption_handling,
    response_timing,
    rhythm,
)

T1_WEIGHT: Final = 2.5
T2_WEIGHT: Final = 2.0
T3_WEIGHT: Final = 1.5
T5_WEIGHT: Final = 1.0


@dataclass(frozen=True, slots=True)
class Parts:
    """The five parts and the gates that apply to them."""

    response_timing: ResponseTiming
    floor_respect: FloorRespect
    interruption_handling: InterruptionHandling
    backchannelling: Backchannelling
    rhythm: Rhythm
    gates: tuple[Gate, ...]

    @property
    def ungated(self) -> Outcome:
        """The weighted mean of T1, T2, T3 and T5; without T3 where it has too few events or only the intervals.

        Without T1 or T5 there is none: an agent that hardly takes a turn must not pass for its good manners.
        """
        t1, t2 = self.response_timing.outcome, self.floor_respect.outcome
        t3, t5 = self.interruption_handling.outcome, self.rhythm.outcome
        for needed in (t1, t5):
            if isinstance(needed, TooFewEvents):
                return needed
        weighted = [(t1, T1_WEIGHT), (t2, T2_WEIGHT), (t5, T5_WEIGHT)]
        if not self.interruption_handling.from_intervals:
            weighted.append((t3, T3_WEIGHT))
        scored = [(outcome.value, weight) for outcome, weight in weighted if isinstance(outcome, Score)]
        return Score(sum(value * weight for value, weight in scored) / sum(weight for _, weight in scored))

    @property
    def composite(self) -> Outcome:
        """The same, under the lowest cap of the gates."""
        ungated = self.ungated
        if isinstance(ungated, TooFewEvents):
            return ungated
        return Score(min([ungated.value, *(gate.cap for gate in self.gates)]))


def score_parts(measures: Measures, conduct: Service | None, sampling: Sampling, basis: Basis | None = None) -> Parts:
    """All parts of the score, without intervals and control. `basis` of T1: None lets the events decide."""
    baseline = load_baseline()
    floor = floor_respect(measures, baseline)
    return Parts(
        response_timing=response_timing(measures, sampling, basis),
        floor_respect=floor,
        interruption_handling=interruption_handling(measures, conduct, baseline),
        backchannelling=backchannelling(measures, sampling, baseline),
        rhythm=rhythm(measures, sampling, baseline),
        gates=gates(measures, floor, conduct, baseline),
    )
