"""Everything that is told of a strategy, as figures with 95 % bootstrap intervals over conversations."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from speakback.evaluate.baseline import Quantity, RateName, load_baseline
from speakback.evaluate.conduct import Conduct
from speakback.evaluate.distribution_score import EVENTS, Sampling, score_distribution
from speakback.evaluate.measures import Measures, measure_one, pool
from speakback.evaluate.outcome import Outcome, Score
from speakback.evaluate.overlap_onsets import overlap_onsets
from speakback.evaluate.score import Interval, Scorecard
from speakback.lab.conduct import pooled
from speakback.lab.simulate import Simulated, score

RESAMPLES = 200
SUBSAMPLES_PER_RESAMPLE = 5
FTO_PERCENTS = (5, 25, 50, 75, 95)
DISTANCES = (Quantity.FTO_TURN, Quantity.IPU, Quantity.TURN, Quantity.PAUSE, Quantity.OVERLAP)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. None: there were too few events for it."""

    value: float | None
    low: float | None = None
    high: float | None = None
    human: float | None = None
    """What people have; None: it means nothing for them."""


@dataclass(frozen=True, slots=True)
class StrategyFigures:
    """One strategy, measured. Keys are in the order in which they are to be read."""

    strategy: str
    figures: Mapping[str, Figure]
    counts: Mapping[str, int]
    """How many events of each kind there were."""
    times_real_time: float
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """As JSON values."""
        return asdict(self)


def figures_of(strategy: str, simulated: Simulated, seed: int) -> StrategyFigures:
    """Score and measure them."""
    card = score(simulated, seed)
    drawn = _measured(simulated, np.random.default_rng(seed))
    conduct = pooled(simulated.conducts, len({call.persona for call in simulated.calls}))
    return StrategyFigures(
        strategy=strategy,
        figures={**_scores(card), **drawn, **_openers(card)},
        counts={
            "conversations": len(simulated.calls),
            "transitions between turns": int(card.measures.samples[Quantity.FTO_TURN].size),
            "turns said": conduct.turns_committed,
            "interruptions": conduct.interruptions,
            "backchannels over the agent": conduct.backchannels_heard,
            "drafts": conduct.drafts_started,
            "drafts promoted": conduct.drafts_promoted,
            "replies": conduct.replies,
            "replies truncated": conduct.replies_truncated,
        },
        times_real_time=simulated.times_real_time,
        notes=(*card.notes, *(f"The composite is capped: {gate.reason}." for gate in card.parts.gates)),
    )


# ---- the scores, with the intervals that come with them ---------------------------------------------


def _scores(card: Scorecard) -> dict[str, Figure]:
    parts, intervals, control = card.parts, card.intervals, card.control
    return {
        "composite": _scored(parts.composite, intervals.composite),
        "composite of its shuffled control": _scored(control.composite, None),
        "above its control": Figure(control.above),
        "T1 response timing": _scored(parts.response_timing.outcome, intervals.response_timing),
        "T1 of its control": _scored(control.response_timing, None),
        "T2 floor respect": _scored(parts.floor_respect.outcome, intervals.floor_respect),
        "T3 interruptions": _scored(parts.interruption_handling.outcome, intervals.interruption_handling),
        "T4 backchannels (not in it)": _scored(parts.backchannelling.outcome, intervals.backchannelling),
        "T5 rhythm": _scored(parts.rhythm.outcome, intervals.rhythm),
    }


def _scored(outcome: Outcome, interval: Interval | None) -> Figure:
    value = outcome.value if isinstance(outcome, Score) else None
    return Figure(value) if interval is None else Figure(value, interval.low, interval.high)


def _openers(card: Scorecard) -> dict[str, Figure]:
    openers = card.lone_openers
    return {
        "lone openers, per min": Figure(openers.per_min),
        "of them near a human backchannel's place": Figure(openers.placed_share),
    }


# ---- everything else, resampled here ----------------------------------------------------------------


def _measured(simulated: Simulated, rng: np.random.Generator) -> dict[str, Figure]:
    singles = [measure_one(call.timeline) for call in simulated.calls]
    conducts = simulated.conducts
    own = _values(pool(singles), pooled(conducts, 1), Sampling(rng))
    drawn: dict[str, list[float]] = {name: [] for name in own}
    for _ in range(RESAMPLES if len(singles) > 1 else 0):
        picked = rng.integers(len(singles), size=len(singles)).tolist()
        again = _values(
            pool([singles[index] for index in picked]),
            pooled([conducts[index] for index in picked], 1),
            Sampling(rng, SUBSAMPLES_PER_RESAMPLE),
        )
        for name, value in again.items():
            if value is not None:
                drawn[name].append(value)
    human = _human()
    return {name: _figure(value, drawn[name], human.get(name)) for name, value in own.items()}


def _figure(value: float | None, drawn: Sequence[float], human: float | None) -> Figure:
    if value is None or 2 * len(drawn) <= RESAMPLES:
        return Figure(value, human=human)
    low, high = np.percentile(drawn, (2.5, 97.5)).tolist()
    return Figure(value, low, high, human)


def _values(measures: Measures, conduct: Conduct, sampling: Sampling) -> dict[str, float | None]:
    counts, per_minute = measures.counts, measures.per_minute
    people = load_baseline()
    onsets = overlap_onsets(measures, people)
    found: dict[str, float | None] = {
        **_fto_percentiles(measures),
        "cut-ins, per min": per_minute(counts.cut_ins),
        "collisions, per min": per_minute(counts.collisions),
        "collisions beyond people's, per min": per_minute(counts.collisions) - people.rates[RateName.COLLISIONS].pooled,
        "collisions that the agent began, per min": per_minute(counts.collisions_by_agent),
        "interruptions yielded to": _share(conduct.interruptions_yielded, conduct.interruptions),
        "yield time, median ms": float(np.median(conduct.yield_times_ms)) if conduct.yield_times_ms else None,
        "backchannels that stopped it": _share(conduct.backchannels_that_stopped, conduct.backchannels_heard),
        "turns missed": _share(conduct.turns_missed, conduct.turns_committed),
        "draft tokens wasted, of useful": _share(conduct.wasted_tokens, conduct.useful_tokens),
        "draft characters wasted, of useful": _share(conduct.wasted_chars, conduct.useful_chars),
        "overlap onsets, JSD bits": None if onsets is None else onsets.jsd_bits,
    }
    for quantity in DISTANCES:
        distances = score_distribution(measures, quantity, sampling).distances
        found[f"{quantity.value}, W1 ms"] = None if distances is None else distances.w1_ms
        found[f"{quantity.value}, JSD bits"] = None if distances is None else distances.jsd_bits
    return found


def _fto_percentiles(measures: Measures) -> dict[str, float | None]:
    events = measures.samples[Quantity.FTO_TURN]
    values = np.percentile(events, FTO_PERCENTS).tolist() if events.size else [None] * len(FTO_PERCENTS)
    return {f"FTO between turns, p{percent} ms": value for percent, value in zip(FTO_PERCENTS, values, strict=True)}


def _human() -> dict[str, float]:
    baseline = load_baseline()
    fto = baseline.distributions[Quantity.FTO_TURN]
    human = {f"FTO between turns, p{percent} ms": fto.percentile_ms(percent) for percent in FTO_PERCENTS}
    human["cut-ins, per min"] = baseline.rates[RateName.CUT_INS_BY_SIDE].pooled
    human["collisions, per min"] = baseline.rates[RateName.COLLISIONS].pooled
    human["collisions that the agent began, per min"] = baseline.rates[RateName.COLLISIONS_BY_SIDE].pooled
    human["interruptions yielded to"] = baseline.shares.interruptions_that_took_the_floor
    human["yield time, median ms"] = baseline.distributions[Quantity.YIELD_TIME].percentile_ms(50)
    for quantity in DISTANCES:
        calibration = next(row for row in baseline.distributions[quantity].calibrations if row.n == EVENTS)
        human[f"{quantity.value}, W1 ms"] = calibration.w1_ms.p50
        human[f"{quantity.value}, JSD bits"] = calibration.jsd_bits.p50
    return human


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
