import math
from random import Random

import numpy as np
import pytest

from benchmarks.calibration import Outcome, comparisons, fitted, left_out, loss, reliability, weights
from speakback.turn.end_of_turn import OVER_SHARE, Combination

KNOWS = Combination(bias=0.0, acoustic_weight=1.0, words_weight=0.0)


def drawn(count: int, truth: Combination) -> list[Outcome]:
    """Outcomes for which `truth` is calibrated, at whatever share of ends it makes."""
    chance = Random(1)
    outcomes = []
    for number in range(count):
        acoustic, words = chance.uniform(0.03, 0.97), chance.uniform(0.1, 0.9)
        over = chance.random() < truth.probability(acoustic, words)
        outcomes.append(Outcome(f"clip {number}", False, over, acoustic, words))
    return outcomes


def test_ends_weigh_as_they_do_among_people_and_recorded_ones_as_much_as_synthetic_ones() -> None:
    outcomes = [
        Outcome("a", False, True, 0.5, None),
        *(Outcome("b", True, True, 0.5, None) for _ in range(5)),
        *(Outcome("c", False, False, 0.5, None) for _ in range(4)),
    ]
    shares = weights(outcomes)
    assert shares.sum() == pytest.approx(1)
    assert shares[0] == pytest.approx(OVER_SHARE / 2)
    assert shares[1:6].sum() == pytest.approx(OVER_SHARE / 2)


def test_loss_is_the_surprise_at_what_was() -> None:
    outcomes = [Outcome("a", False, True, 0.8, None), Outcome("b", False, False, 0.8, None)]
    expected = -(OVER_SHARE * math.log(0.8) + (1 - OVER_SHARE) * math.log(0.2))
    assert loss(KNOWS, outcomes) == pytest.approx(expected)


def test_a_fit_finds_the_weights_that_made_the_outcomes() -> None:
    found = fitted(drawn(5_000, Combination(bias=-0.7, acoustic_weight=0.6, words_weight=1.2)))
    assert found.acoustic_weight == pytest.approx(0.6, abs=0.15)
    assert found.words_weight == pytest.approx(1.2, abs=0.3)


def test_what_is_left_out_does_not_teach() -> None:
    outcomes = [*drawn(50, KNOWS), Outcome("odd", False, True, 0.001, 0.001)]
    models = left_out(outcomes)
    assert models["odd"] == fitted(outcomes[:-1])
    assert models["odd"] != fitted(outcomes)


def test_bins_show_how_often_the_turn_was_over() -> None:
    outcomes = [Outcome("a", False, True, 0.99, 0.95), Outcome("b", False, False, 0.01, 0.1)]
    assert [figure.value for figure in reliability(outcomes)] == [0, None, None, None, 100]


def test_comparisons_give_the_difference_and_its_bounds() -> None:
    values = [figure.value for figure in comparisons(drawn(60, KNOWS))]
    assert len(values) == 1 + 3 * 3
    for here, low, high in (values[1:4], values[4:7], values[7:]):
        assert here is not None
        assert low is not None
        assert high is not None
        assert low < high
        assert np.isfinite(here)
