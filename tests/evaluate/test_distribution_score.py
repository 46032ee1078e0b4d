from dataclasses import replace

import numpy as np
import pytest

from speakback.evaluate.baseline import Floats, Quantity, load_baseline
from speakback.evaluate.distribution_score import EVENTS, DistributionScore, Sampling, score_distribution
from speakback.evaluate.measures import measure_one
from speakback.evaluate.outcome import Score, TooFewEvents
from tests.evaluate.build import talk

RNG = np.random.default_rng(20_241)
NOTHING = measure_one(talk([], []))
PEOPLE = load_baseline().distributions[Quantity.FTO_TURN].at(RNG.random(20_000))


def scored(values_ms: Floats, quantity: Quantity = Quantity.FTO_TURN) -> DistributionScore:
    measures = replace(NOTHING, samples={quantity: np.round(values_ms).astype(np.int64)})
    return score_distribution(measures, quantity, Sampling(np.random.default_rng(1)))


def score(values_ms: Floats, quantity: Quantity = Quantity.FTO_TURN) -> float:
    outcome = scored(values_ms, quantity).outcome
    assert isinstance(outcome, Score)
    return outcome.value


@pytest.mark.parametrize(
    ("values_ms", "expected"),
    [
        (PEOPLE, 10.0),
        (PEOPLE[PEOPLE > 0], 4.05),
        (np.maximum(PEOPLE, 200), 3.6),
    ],
    ids=["people", "a person's own gaps, but never early", "clipped at 200 ms"],
)
def test_the_table_of_response_timing(values_ms: Floats, expected: float) -> None:
    assert score(values_ms) == pytest.approx(expected, abs=0.15)


def test_a_persons_own_gaps_on_all_transitions() -> None:
    people = load_baseline().distributions[Quantity.FTO].at(RNG.random(20_000))
    assert score(people[people > 0], Quantity.FTO) == pytest.approx(5.5, abs=0.15)


def test_a_constant_answer_is_not_human() -> None:
    assert score(np.full(500, 200.0)) < 4


def test_each_delay_costs() -> None:
    scores = [score(PEOPLE + delay_ms) for delay_ms in range(0, 1001, 100)]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 1


def test_fewer_than_160_events_are_not_scored() -> None:
    few = scored(PEOPLE[: EVENTS - 1])
    assert few.outcome == TooFewEvents(159, 160)
    assert few.distances is None


def test_exactly_160_events_are() -> None:
    assert score(PEOPLE[:EVENTS]) > 8


def test_chance_decides_little_and_the_seed_all_of_it() -> None:
    delayed = PEOPLE + 150
    measures = replace(NOTHING, samples={Quantity.FTO_TURN: np.round(delayed).astype(np.int64)})
    rows = [
        score_distribution(measures, Quantity.FTO_TURN, Sampling(np.random.default_rng(seed))) for seed in (1, 1, 2)
    ]
    assert rows[0] == rows[1] != rows[2]
    assert rows[0].distances is not None
    assert rows[2].distances is not None
    assert rows[0].distances.w1_score == pytest.approx(rows[2].distances.w1_score, abs=0.2)


def test_durations_are_compared_by_their_logarithms() -> None:
    row = scored(load_baseline().distributions[Quantity.IPU].at(RNG.random(5000)), Quantity.IPU)
    assert row.distances is not None
    assert row.distances.w1_ln is not None
    assert isinstance(row.outcome, Score)
    assert row.outcome.value > 9


@pytest.mark.parametrize("quantity", [Quantity.YIELD_TIME, Quantity.FTO_OPEN_QUESTION])
def test_what_has_no_reference_cannot_be_scored(quantity: Quantity) -> None:
    with pytest.raises(ValueError, match="cannot score"):
        scored(PEOPLE, quantity)


def test_subsamples_do_not_repeat_an_event() -> None:
    drawn = Sampling(np.random.default_rng(3)).draw(np.arange(500))
    assert drawn.shape == (200, EVENTS)
    assert all(np.unique(row).size == EVENTS for row in drawn)
    assert np.unique(drawn).size == 500
