from dataclasses import replace

import numpy as np
import pytest

from speakback.evaluate.baseline import Quantity, load_baseline
from speakback.evaluate.conduct import Conduct
from speakback.evaluate.distribution_score import Sampling
from speakback.evaluate.measures import Counts, Measures, measure_one
from speakback.evaluate.outcome import Score, TooFewEvents, least, mean
from speakback.evaluate.overlap_onsets import overlap_onsets
from speakback.evaluate.parts import (
    Basis,
    backchannelling,
    floor_respect,
    interruption_handling,
    response_timing,
    rhythm,
    yield_time_score,
)
from tests.evaluate.build import GOOD, TRACED, talk

BASELINE = load_baseline()
NOTHING = measure_one(talk([], [], 600_000))


def sampling() -> Sampling:
    return Sampling(np.random.default_rng(1), 20)


def people(sizes: dict[Quantity, int]) -> Measures:
    """Ten minutes with so many events of people."""
    rng = np.random.default_rng(4)
    drawn = {q: BASELINE.distributions[q].at(rng.random(n)).round().astype(np.int64) for q, n in sizes.items()}
    return replace(NOTHING, samples={**NOTHING.samples, **drawn})


def with_counts(counts: Counts) -> Measures:
    return replace(NOTHING, counts=counts)


def value(outcome: Score | TooFewEvents) -> float:
    assert isinstance(outcome, Score)
    return outcome.value


def test_timing_is_conditional_where_classes_hold_half_of_the_transitions() -> None:
    timing = response_timing(people({Quantity.FTO_TURN: 400, Quantity.FTO_STATEMENT: 200}), sampling())
    assert timing.basis is Basis.CONDITIONAL
    assert value(timing.outcome) > 9


@pytest.mark.parametrize("statements", [0, 159, 199])
def test_timing_is_pooled_where_they_do_not(statements: int) -> None:
    timing = response_timing(people({Quantity.FTO_TURN: 400, Quantity.FTO_STATEMENT: statements}), sampling())
    assert timing.basis is Basis.POOLED
    assert timing.outcome == timing.pooled.outcome


def test_conditional_timing_tells_a_question_from_a_statement() -> None:
    rows = people({Quantity.FTO_TURN: 1000, Quantity.FTO_OTHER_ACT: 1000, Quantity.FTO_WH_QUESTION: 1000})
    swapped = dict(rows.samples)
    swapped[Quantity.FTO_OTHER_ACT], swapped[Quantity.FTO_WH_QUESTION] = (
        swapped[Quantity.FTO_WH_QUESTION],
        swapped[Quantity.FTO_OTHER_ACT],
    )
    right = value(response_timing(rows, sampling()).outcome)
    wrong = value(response_timing(replace(rows, samples=swapped), sampling()).outcome)
    assert right > 9
    assert wrong < 6


def test_too_few_transitions_have_no_timing() -> None:
    assert response_timing(people({Quantity.FTO_TURN: 40}), sampling()).outcome == TooFewEvents(40, 160)


@pytest.mark.parametrize(
    ("cut_ins", "collisions", "lowest", "highest"), [(4, 4, 9.9, 10), (4, 40, 0, 5), (40, 0, 0, 5), (11, 14, 8.9, 9.2)]
)
def test_floor_respect_is_the_worse_of_its_two(cut_ins: int, collisions: int, lowest: float, highest: float) -> None:
    measures = with_counts(replace(NOTHING.counts, cut_ins=cut_ins, collisions_by_agent=collisions))
    assert lowest <= floor_respect(measures, BASELINE).outcome.value <= highest


@pytest.mark.parametrize(
    ("conduct", "lowest", "highest"),
    [
        (GOOD, 9.5, 9.7),
        (replace(GOOD, interruptions_yielded=24), 9.5, 9.7),
        (replace(GOOD, interruptions_yielded=0, yield_times_ms=()), 0, 0),
        (replace(GOOD, backchannels_that_stopped=100), 0, 0),
        (replace(GOOD, yield_times_ms=(3000,) * 49), 5, 5.5),
    ],
    ids=["good", "yields as often as people", "never yields", "always stops", "yields late"],
)
def test_interruptions_need_both(conduct: Conduct, lowest: float, highest: float) -> None:
    handling = interruption_handling(NOTHING, conduct, BASELINE)
    assert lowest <= value(handling.outcome) <= highest
    assert not handling.from_intervals


def test_what_a_server_shows_says_nothing_of_what_was_meant() -> None:
    assert interruption_handling(NOTHING, TRACED, BASELINE) == interruption_handling(NOTHING, None, BASELINE)
    assert interruption_handling(NOTHING, TRACED, BASELINE).from_intervals


def test_few_interruptions_are_not_scored() -> None:
    few = replace(GOOD, interruptions=19, interruptions_yielded=19, yield_times_ms=(300,) * 19)
    assert interruption_handling(NOTHING, few, BASELINE).outcome == TooFewEvents(19, 20)


def test_without_conduct_interruptions_come_from_the_intervals() -> None:
    measures = replace(
        with_counts(replace(NOTHING.counts, user_interruptions=40, user_took_floor=19)),
        samples={**NOTHING.samples, Quantity.YIELD_TIME: np.full(19, 700)},
    )
    handling = interruption_handling(measures, None, BASELINE)
    assert handling.from_intervals
    assert value(handling.outcome) > 9.9
    assert handling.ignoring == TooFewEvents(0, 20)


@pytest.mark.parametrize(("median_ms", "score"), [(150, 10), (700, 10), (75, 7), (1229, 9), (0, 0)])
def test_yielding_at_a_human_speed(median_ms: float, score: float) -> None:
    assert yield_time_score(median_ms, BASELINE) == pytest.approx(score, abs=0.05)


def backchannels(total: int, placed: int) -> Measures:
    return with_counts(
        replace(
            NOTHING.counts,
            user_speech_ms=300_000,
            backchannels=total,
            backchannels_placed=placed,
            backchannel_window_ms=60_000,
            backchannel_open_ms=400_000,
        )
    )


@pytest.mark.parametrize(("placed", "score"), [(15, 10), (14, 9.4), (4, 0), (5, 0.5)])
def test_backchannels_in_place_are_compared_with_chance(placed: int, score: float) -> None:
    found = backchannelling(backchannels(30, placed), sampling(), BASELINE)
    assert found.chance_share == pytest.approx(0.15)
    assert value(found.placement) == pytest.approx(score, abs=0.1)
    assert found.rate_per_min == pytest.approx(6)
    assert found.rate_score == 10


def test_no_backchannels_are_a_fault() -> None:
    found = backchannelling(backchannels(0, 0), sampling(), BASELINE)
    assert value(found.outcome) == 0
    assert found.placed_share is None
    assert found.placement == TooFewEvents(0, 20)


def test_rhythm_of_people_who_share_the_talk() -> None:
    rows = people({Quantity.PAUSE: 400, Quantity.IPU: 400, Quantity.TURN: 400, Quantity.OVERLAP: 400})
    rows = replace(rows, counts=replace(rows.counts, user_speech_ms=1, agent_speech_ms=1))
    assert value(rhythm(rows, sampling(), BASELINE).outcome) > 9
    alone = replace(rows, counts=replace(rows.counts, user_speech_ms=0))
    assert value(rhythm(alone, sampling(), BASELINE).outcome) < 8.2


def test_a_talk_share_alone_is_no_rhythm() -> None:
    rows = replace(NOTHING, counts=replace(NOTHING.counts, user_speech_ms=1, agent_speech_ms=1))
    assert isinstance(rhythm(rows, sampling(), BASELINE).outcome, TooFewEvents)


def test_overlap_onsets() -> None:
    assert overlap_onsets(NOTHING, BASELINE) is None
    human = replace(NOTHING.counts, simultaneous_starts=567, terminal_overlaps=1447, interruptions=987)
    found = overlap_onsets(with_counts(human), BASELINE)
    assert found is not None
    assert found.jsd_bits == pytest.approx(0, abs=1e-5)
    only = overlap_onsets(with_counts(replace(NOTHING.counts, interruptions=10)), BASELINE)
    assert only is not None
    assert only.interrupting == 1
    assert only.jsd_bits > 0.3


def test_means_and_minima_of_what_there_is() -> None:
    few, fewer = TooFewEvents(3, 20), TooFewEvents(16, 160)
    assert mean([Score(2), few, Score(4)]) == Score(3)
    assert mean([fewer, few]) == few
    assert least([few, Score(4), Score(2)]) == Score(2)
    assert least([few, fewer]) == few
