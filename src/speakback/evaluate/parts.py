"""The parts of the score, T1 to T5. Each is a pure function; `docs/evaluation.md` says why each is as it is."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np

from speakback.evaluate import calibrate
from speakback.evaluate.baseline import Baseline, Quantity, RateName
from speakback.evaluate.conduct import Conduct, Service
from speakback.evaluate.distribution_score import DistributionScore, Sampling, score_distribution
from speakback.evaluate.floor import ACT_CLASSES
from speakback.evaluate.listening import human_placed_share
from speakback.evaluate.measures import Measures
from speakback.evaluate.outcome import Outcome, Score, TooFewEvents, least, mean

SHARE_EVENTS: Final = 20
"""A share (of interruptions, of backchannels) of fewer events is not scored."""


class Basis(Enum):
    """What response timing was compared with."""

    POOLED = "pooled"
    """All transitions between turns together: the acts are not known, or too few of each."""
    CONDITIONAL = "conditional"
    """Each class of context for itself."""


@dataclass(frozen=True, slots=True)
class ResponseTiming:
    """T1: when the agent begins to answer."""

    basis: Basis
    outcome: Outcome
    pooled: DistributionScore
    classes: tuple[DistributionScore, ...]
    """By what was answered, and after a long pause; open questions are too rare in the baseline."""


CLASSES: Final = (
    Quantity.FTO_YN_QUESTION,
    Quantity.FTO_STATEMENT,
    Quantity.FTO_OPINION,
    Quantity.FTO_OTHER_ACT,
    Quantity.FTO_WH_QUESTION,
    Quantity.FTO_AFTER_LONG_PAUSE,
)


def response_timing(measures: Measures, sampling: Sampling, basis: Basis | None = None) -> ResponseTiming:
    """Conditional, the mean over the classes of 160 events, if act classes of that size hold half of the transitions.

    Else pooled. A given basis is used as it is.
    """
    pooled = score_distribution(measures, Quantity.FTO_TURN, sampling)
    classes = tuple(score_distribution(measures, quantity, sampling) for quantity in CLASSES)
    acts = ACT_CLASSES.values()
    covered = sum(row.events for row in classes if row.quantity in acts and row.distances is not None)
    if basis is None:
        enough = covered > 0 and 2 * covered >= pooled.events
        basis = Basis.CONDITIONAL if enough else Basis.POOLED
    outcome = pooled.outcome if basis is Basis.POOLED else mean([row.outcome for row in classes])
    return ResponseTiming(basis, outcome, pooled, classes)


@dataclass(frozen=True, slots=True)
class FloorRespect:
    """T2: whether the agent leaves the user's floor alone. The lower of two scores against sides of human talk.

    Not their mean: an agent that enters every pause begins no overlap, for it is the user who begins to speak over it.
    """

    outcome: Score
    cut_ins_per_min: float
    cut_ins_score: float
    collisions_by_agent_per_min: float
    collisions_score: float


def floor_respect(measures: Measures, baseline: Baseline) -> FloorRespect:
    """Both per minute of conversation."""
    cut_ins = measures.per_minute(measures.counts.cut_ins)
    collisions = measures.per_minute(measures.counts.collisions_by_agent)
    cut_ins_score = calibrate.of_rate(cut_ins, baseline.rates[RateName.CUT_INS_BY_SIDE])
    collisions_score = calibrate.of_rate(collisions, baseline.rates[RateName.COLLISIONS_BY_SIDE])
    outcome = Score(min(cut_ins_score, collisions_score))
    return FloorRespect(outcome, cut_ins, cut_ins_score, collisions, collisions_score)


@dataclass(frozen=True, slots=True)
class InterruptionHandling:
    """T3: giving way to interruptions, and not to backchannels. The lower of the two: each alone is easy."""

    outcome: Outcome
    from_intervals: bool
    """Interruptions were found in the intervals, which cannot tell giving way from ending anyway.

    So an agent that never gives way can have a good score here, and it is no part of the composite.
    """
    interruptions: int
    yielded: int
    median_yield_ms: float | None
    """None: it never gave way."""
    yielding: Outcome
    """Share yielded, against the share of interruptions that take the floor among people, times how soon."""
    ignoring: Outcome
    """Share of backchannels that did not stop the agent; intervals do not show it."""


FASTEST_YIELD_MS: Final = 150
"""Sooner than this nobody can have heard the interruption."""


def interruption_handling(measures: Measures, conduct: Service | None, baseline: Baseline) -> InterruptionHandling:
    """From what was meant where it is known, else from the intervals."""
    from_intervals = not isinstance(conduct, Conduct)
    if not isinstance(conduct, Conduct):
        interruptions, yielded = measures.counts.user_interruptions, measures.counts.user_took_floor
        times_ms = measures.samples[Quantity.YIELD_TIME].tolist()
        heard = stopped = 0
    else:
        interruptions, yielded = conduct.interruptions, conduct.interruptions_yielded
        times_ms = list(conduct.yield_times_ms)
        heard, stopped = conduct.backchannels_heard, conduct.backchannels_that_stopped
    median_ms = float(np.median(times_ms)) if times_ms else None
    yielding: Outcome = TooFewEvents(interruptions, SHARE_EVENTS)
    if interruptions >= SHARE_EVENTS:
        human = baseline.shares.interruptions_that_took_the_floor
        share = min(1.0, yielded / interruptions / human)
        yielding = Score(share * (0.0 if median_ms is None else yield_time_score(median_ms, baseline)))
    ignoring: Outcome = TooFewEvents(heard, SHARE_EVENTS)
    if heard >= SHARE_EVENTS:
        ignoring = Score(calibrate.BEST * (1 - stopped / heard))
    outcome = least([yielding, ignoring]) if isinstance(yielding, Score) else yielding
    return InterruptionHandling(outcome, from_intervals, interruptions, yielded, median_ms, yielding, ignoring)


def yield_time_score(median_ms: float, baseline: Baseline) -> float:
    """10 from 150 ms to the median of people (720 ms), 9 at their 90th percentile (1230 ms); 7 at 75 ms."""
    if median_ms < FASTEST_YIELD_MS:
        late = np.log2(FASTEST_YIELD_MS / max(median_ms, 1.0))
        return max(0.0, calibrate.BEST - calibrate.LOSS_PER_DOUBLING * float(late))
    human = baseline.distributions[Quantity.YIELD_TIME]
    return float(calibrate.calibrated(median_ms, human.percentile_ms(50), human.percentile_ms(90)))


@dataclass(frozen=True, slots=True)
class Backchannelling:
    """T4: how the agent shows that it listens. Reported; no part of the composite."""

    outcome: Outcome
    rate_per_min: float | None
    """Per minute of the user's speech; None: the user did not speak."""
    rate_score: float
    placed_share: float | None
    """Of its backchannels, those within 700 ms after the end of the user's speech; None: it had none."""
    chance_share: float | None
    """What random times would have reached."""
    human_share: float
    placement: Outcome
    """10 at people's share, 0 at chance."""
    duration: DistributionScore


def backchannelling(measures: Measures, sampling: Sampling, baseline: Baseline) -> Backchannelling:
    """The mean of rate, placement and duration, as far as there are events."""
    counts, rate = measures.counts, measures.backchannels_per_min_of_user_speech
    rate_score = 0.0 if rate is None else calibrate.of_range(rate, baseline.rates[RateName.BACKCHANNELS_OF_SIDE])
    duration = score_distribution(measures, Quantity.BACKCHANNEL_DURATION, sampling)
    placed = counts.backchannels_placed / counts.backchannels if counts.backchannels else None
    chance = counts.backchannel_window_ms / counts.backchannel_open_ms if counts.backchannel_open_ms else None
    human = human_placed_share(baseline)
    placement: Outcome = TooFewEvents(counts.backchannels, SHARE_EVENTS)
    if placed is not None and chance is not None and counts.backchannels >= SHARE_EVENTS and chance < human:
        placement = Score(float(np.clip(calibrate.BEST * (placed - chance) / (human - chance), 0, calibrate.BEST)))
    outcome = mean([Score(rate_score), placement, duration.outcome])
    return Backchannelling(outcome, rate, rate_score, placed, chance, human, placement, duration)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """T5: how long the agent speaks and pauses, and how much of the talk is its own. The mean of what has events."""

    outcome: Outcome
    distributions: tuple[DistributionScore, ...]
    talk_share_pct: float | None
    """None: nobody spoke."""
    talk_share_score: float


RHYTHM: Final = (Quantity.PAUSE, Quantity.IPU, Quantity.TURN, Quantity.OVERLAP)


def rhythm(measures: Measures, sampling: Sampling, baseline: Baseline) -> Rhythm:
    """Without 160 events in any of the distributions there is no score: the talk share alone is no rhythm."""
    distributions = tuple(score_distribution(measures, quantity, sampling) for quantity in RHYTHM)
    share = measures.talk_share_pct
    share_score = 0.0 if share is None else calibrate.of_share_pct(share, baseline.rates[RateName.TALK_SHARE_PCT])
    durations = mean([row.outcome for row in distributions])
    if isinstance(durations, TooFewEvents):
        return Rhythm(durations, distributions, share, share_score)
    outcome = mean([*(row.outcome for row in distributions), Score(share_score)])
    return Rhythm(outcome, distributions, share, share_score)
