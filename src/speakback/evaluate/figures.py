"""Everything that is told of an agent, as figures with 95 % bootstrap intervals over conversations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from speakback.evaluate.baseline import Quantity, RateName, load_baseline
from speakback.evaluate.conduct import Conduct, Service, pooled, pooled_service
from speakback.evaluate.distribution_score import EVENTS, Sampling, score_distribution
from speakback.evaluate.measures import Measures, measure_one, pool
from speakback.evaluate.outcome import Outcome, Score
from speakback.evaluate.overlap_onsets import overlap_onsets
from speakback.evaluate.score import Interval, Scorecard, score_conversations
from speakback.evaluate.timeline import Timeline

RESAMPLES = 200
SUBSAMPLES_PER_RESAMPLE = 5
FTO_PERCENTS = (5, 25, 50, 75, 95)
_OF_CONDUCT = (
    "interruptions yielded to",
    "yield time, median ms",
    "backchannels that stopped it",
    "turns missed",
    "draft tokens wasted, of useful",
    "draft characters wasted, of useful",
)
"""What intervals do not show."""
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
class Findings:
    """An agent, measured. Keys are in the order in which they are to be read."""

    figures: Mapping[str, Figure]
    counts: Mapping[str, int]
    """How many events of each kind there were; what is not known is left out."""
    notes: tuple[str, ...]


def findings(timelines: Sequence[Timeline], conducts: Sequence[Service | None], callers: int, seed: int) -> Findings:
    """Score and measure conversations; what else is known of each stands at its place in `conducts`.

    `callers`: how many different kinds of them there were, where that is known. Raises `ValueError` for none.
    """
    service = _together(conducts, callers)
    card = score_conversations(timelines, service, np.random.default_rng(seed))
    singles = [measure_one(timeline) for timeline in timelines]
    drawn = _measured(singles, conducts, np.random.default_rng(seed))
    return Findings(
        figures={**_scores(card), **drawn, **_openers(card)},
        counts=_counts(card, service),
        notes=(*card.notes, *(f"The composite is capped: {gate.reason}." for gate in card.parts.gates)),
    )


def _together(conducts: Sequence[Service | None], callers: int) -> Service | None:
    """The conduct where it is known of all, else what is known of some."""
    full = [one for one in conducts if isinstance(one, Conduct)]
    if full and len(full) == len(conducts):
        return pooled(full, callers)
    known = [one for one in conducts if one is not None]
    return pooled_service(known) if known else None


def _counts(card: Scorecard, service: Service | None) -> dict[str, int]:
    handling = card.parts.interruption_handling
    counts = {
        "conversations": card.measures.conversations,
        "transitions between turns": int(card.measures.samples[Quantity.FTO_TURN].size),
    }
    if service is not None:
        counts["turns said" if isinstance(service, Conduct) else "turns committed"] = service.turns_committed
    counts["interruptions"] = handling.interruptions
    if isinstance(service, Conduct):
        counts["backchannels over the agent"] = service.backchannels_heard
    else:
        counts["interruptions that took the floor"] = handling.yielded
    if service is not None:
        counts |= {
            "drafts": service.drafts_started,
            "drafts promoted": service.drafts_promoted,
            "replies": service.replies,
            "replies truncated": service.replies_truncated,
        }
    return counts


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


def _measured(
    singles: Sequence[Measures], conducts: Sequence[Service | None], rng: np.random.Generator
) -> dict[str, Figure]:
    own = _values(pool(singles), _together(conducts, 1), Sampling(rng))
    drawn: dict[str, list[float]] = {name: [] for name in own}
    for _ in range(RESAMPLES if len(singles) > 1 else 0):
        picked = rng.integers(len(singles), size=len(singles)).tolist()
        again = _values(
            pool([singles[index] for index in picked]),
            _together([conducts[index] for index in picked], 1),
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


def _values(measures: Measures, service: Service | None, sampling: Sampling) -> dict[str, float | None]:
    counts, per_minute = measures.counts, measures.per_minute
    people = load_baseline()
    onsets = overlap_onsets(measures, people)
    found: dict[str, float | None] = {
        **_fto_percentiles(measures),
        "cut-ins, per min": per_minute(counts.cut_ins),
        "collisions, per min": per_minute(counts.collisions),
        "collisions beyond people's, per min": per_minute(counts.collisions) - people.rates[RateName.COLLISIONS].pooled,
        "collisions that the agent began, per min": per_minute(counts.collisions_by_agent),
        **_values_of_conduct(service),
        "overlap onsets, JSD bits": None if onsets is None else onsets.jsd_bits,
    }
    for quantity in DISTANCES:
        distances = score_distribution(measures, quantity, sampling).distances
        found[f"{quantity.value}, W1 ms"] = None if distances is None else distances.w1_ms
        found[f"{quantity.value}, JSD bits"] = None if distances is None else distances.jsd_bits
    return found


def _values_of_conduct(service: Service | None) -> dict[str, float | None]:
    found: dict[str, float | None] = dict.fromkeys(_OF_CONDUCT)
    if service is not None:
        found["turns missed"] = _share(service.turns_missed, service.turns_committed)
        found["draft tokens wasted, of useful"] = _share(service.wasted_tokens, service.useful_tokens)
        found["draft characters wasted, of useful"] = _share(service.wasted_chars, service.useful_chars)
    if isinstance(service, Conduct):
        times_ms = service.yield_times_ms
        found["interruptions yielded to"] = _share(service.interruptions_yielded, service.interruptions)
        found["yield time, median ms"] = float(np.median(times_ms)) if times_ms else None
        found["backchannels that stopped it"] = _share(service.backchannels_that_stopped, service.backchannels_heard)
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
