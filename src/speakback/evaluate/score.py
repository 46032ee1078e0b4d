"""The score of a strategy: how like people it takes turns, from 0 to 10, with everything that it is made of.

Similarity to US-English telephone talk between strangers in 1990-91; not a measure of quality.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from speakback.evaluate.baseline import Baseline, load_baseline
from speakback.evaluate.composite import Parts, score_parts
from speakback.evaluate.conduct import Service, resampled
from speakback.evaluate.control import shuffled_control
from speakback.evaluate.distribution_score import Sampling
from speakback.evaluate.measures import Measures, measure_one, pool
from speakback.evaluate.outcome import Outcome, Score, TooFewEvents, values
from speakback.evaluate.overlap_onsets import OverlapOnsets, overlap_onsets
from speakback.evaluate.parts import Basis
from speakback.evaluate.timeline import Timeline

RESAMPLES: Final = 200
SUBSAMPLES_PER_RESAMPLE: Final = 10


@dataclass(frozen=True, slots=True)
class Interval:
    """Where 95 % of the scores of resampled conversations lie, widened to hold the score itself.

    Conversations that occur twice in a resample lie farther from the reference, so a very good score can be above most.
    """

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Intervals:
    """Bootstrap by conversation. None: not scored, fewer than two conversations, or most resamples not scored."""

    response_timing: Interval | None
    floor_respect: Interval | None
    interruption_handling: Interval | None
    backchannelling: Interval | None
    rhythm: Interval | None
    composite: Interval | None


@dataclass(frozen=True, slots=True)
class ControlScore:
    """The same agent with its onsets paired anew with the user's turns (see `control.py`)."""

    response_timing: Outcome
    floor_respect: Outcome
    composite: Outcome
    above: float | None
    """The strategy's composite less the control's, both before the gates; None: one of them has none."""


@dataclass(frozen=True, slots=True)
class LoneOpeners:
    """Short sounds of the agent with silence of its own around them: what a score could be gamed with."""

    per_min: float
    placed_share: float | None
    """Share within 500 ms of the place of a human backchannel; None: there were none."""
    chance_share: float | None
    """What random times would have reached."""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Everything about one strategy."""

    measures: Measures
    parts: Parts
    intervals: Intervals
    control: ControlScore
    lone_openers: LoneOpeners
    overlap_onsets: OverlapOnsets | None
    """None: the agent never began to speak over the user."""
    conduct: Service | None
    notes: tuple[str, ...]
    """What a reader must know to read the figures."""


def score_conversations(timelines: Sequence[Timeline], conduct: Service | None, rng: np.random.Generator) -> Scorecard:
    """Score the agent of these conversations; `conduct` is of all of them together. Raises `ValueError` for none."""
    baseline = load_baseline()
    singles = [measure_one(timeline) for timeline in timelines]
    measures = pool(singles)
    parts = score_parts(measures, conduct, Sampling(rng))
    basis = parts.response_timing.basis
    shuffled = pool([measure_one(timeline) for timeline in shuffled_control(timelines, rng)])
    return Scorecard(
        measures=measures,
        parts=parts,
        intervals=_intervals(singles, parts, conduct, rng),
        control=_control(parts, score_parts(shuffled, conduct, Sampling(rng), basis)),
        lone_openers=_lone_openers(measures),
        overlap_onsets=overlap_onsets(measures, baseline),
        conduct=conduct,
        notes=tuple(_notes(parts, baseline)),
    )


def _intervals(singles: Sequence[Measures], own: Parts, conduct: Service | None, rng: np.random.Generator) -> Intervals:
    sampling, basis = Sampling(rng, SUBSAMPLES_PER_RESAMPLE), own.response_timing.basis
    drawn = []
    for _ in range(RESAMPLES if len(singles) > 1 else 0):
        measures = pool([singles[index] for index in rng.integers(len(singles), size=len(singles))])
        drawn.append(score_parts(measures, resampled(conduct, rng) if conduct else None, sampling, basis))

    def interval(outcome_of: Callable[[Parts], Outcome]) -> Interval | None:
        return _interval(outcome_of(own), [outcome_of(parts) for parts in drawn])

    return Intervals(
        response_timing=interval(lambda parts: parts.response_timing.outcome),
        floor_respect=interval(lambda parts: parts.floor_respect.outcome),
        interruption_handling=interval(lambda parts: parts.interruption_handling.outcome),
        backchannelling=interval(lambda parts: parts.backchannelling.outcome),
        rhythm=interval(lambda parts: parts.rhythm.outcome),
        composite=interval(lambda parts: parts.composite),
    )


def _interval(own: Outcome, outcomes: Sequence[Outcome]) -> Interval | None:
    found = values(outcomes)
    if not isinstance(own, Score) or 2 * len(found) <= RESAMPLES:
        return None
    low, high = np.percentile(found, (2.5, 97.5)).tolist()
    return Interval(min(low, own.value), max(high, own.value))


def _control(own: Parts, shuffled: Parts) -> ControlScore:
    ours, theirs = own.ungated, shuffled.ungated
    above = ours.value - theirs.value if isinstance(ours, Score) and isinstance(theirs, Score) else None
    timing, floor = shuffled.response_timing.outcome, shuffled.floor_respect.outcome
    return ControlScore(timing, floor, shuffled.composite, above)


def _lone_openers(measures: Measures) -> LoneOpeners:
    counts = measures.counts
    return LoneOpeners(
        per_min=measures.per_minute(counts.lone_openers),
        placed_share=counts.lone_openers_placed / counts.lone_openers if counts.lone_openers else None,
        chance_share=counts.lone_opener_window_ms / counts.lone_opener_open_ms if counts.lone_opener_open_ms else None,
    )


def _notes(parts: Parts, baseline: Baseline) -> Iterable[str]:
    yield baseline.caveats[0]
    if parts.response_timing.basis is Basis.POOLED:
        yield "T1 is of all transitions together (fto_turn): dialogue acts are not known, or too few of each."
    if parts.interruption_handling.from_intervals:
        yield "T3 is from intervals, where giving way looks like ending anyway: it is left out of the composite."
    rows = [parts.response_timing.pooled, *parts.rhythm.distributions]
    for row in rows:
        if isinstance(row.outcome, TooFewEvents):
            yield f"Not scored: {row.quantity.value}, too few events: {row.events} of {row.outcome.needed}."
    for name, outcome in (
        ("giving way to interruptions", parts.interruption_handling.yielding),
        ("not stopping for backchannels", parts.interruption_handling.ignoring),
    ):
        if isinstance(outcome, TooFewEvents):
            yield f"Not scored: {name}, too few events: {outcome.events} of {outcome.needed}."
