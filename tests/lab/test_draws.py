"""What is drawn has the distribution that it was drawn from."""

from random import Random

import numpy as np
import pytest

from speakback.evaluate.baseline import Quantity, RateName, load_baseline
from speakback.evaluate.timeline import Act
from speakback.lab.draws import act_draw, draw_of, from_quantiles, habits, log_normal, rate_at


@pytest.mark.parametrize("quantity", list(Quantity))
def test_draws_have_the_percentiles_of_the_baseline(quantity: Quantity) -> None:
    rng = Random(1)
    drawn = [draw_of(quantity).ms(rng) for _ in range(20_000)]
    human = load_baseline().distributions[quantity]
    spread = human.percentile_ms(75) - human.percentile_ms(25)
    for percent in (10, 25, 50, 75, 90):
        # a reference is half of the corpus; the rarest acts differ between the halves
        assert np.percentile(drawn, percent) == pytest.approx(human.percentile_ms(percent), abs=0.15 * spread)


def test_a_log_normal_has_its_median_and_its_p95() -> None:
    draw, rng = log_normal(250, 600), Random(1)
    drawn = [draw.ms(rng) for _ in range(4000)]
    assert np.median(drawn) == pytest.approx(250, rel=0.05)
    assert np.percentile(drawn, 95) == pytest.approx(600, rel=0.1)


def test_a_log_normal_without_spread_is_constant() -> None:
    assert set(log_normal(40, 40).quantiles_ms) == {40}


def test_quantiles_are_joined_by_lines() -> None:
    draw = from_quantiles((0.0, 1.0), (0, 1000))
    assert draw.share_below(250) == pytest.approx(0.25, abs=0.002)
    assert draw.mean_beyond(500) == pytest.approx(125, abs=1)


def test_rates_are_read_at_percentiles_and_between_them() -> None:
    name = RateName.BACKCHANNELS_OF_SIDE
    known = load_baseline().rates[name].percentiles
    assert rate_at(name, 50) == known[50]
    assert known[50] < rate_at(name, 60) < known[75]
    assert rate_at(name, 0) == known[1]
    assert rate_at(name, 100) == known[99]


def test_acts_are_as_frequent_as_in_the_baseline() -> None:
    rng = Random(2)
    drawn = [act_draw().act(rng) for _ in range(10_000)]
    baseline = load_baseline().distributions
    statements, opinions = baseline[Quantity.FTO_STATEMENT].n, baseline[Quantity.FTO_OPINION].n
    assert drawn.count(Act.STATEMENT) / drawn.count(Act.OPINION) == pytest.approx(statements / opinions, rel=0.1)
    assert set(drawn) == set(Act)


def test_habits_follow_from_the_baseline() -> None:
    assert habits().ipus_per_turn == pytest.approx(3.2, abs=0.1)
    assert habits().ipus_per_min == pytest.approx(11.6, abs=0.2)
    assert 0.2 < habits().listener_openers < 0.35


def test_late_draws_lie_beyond_their_share() -> None:
    draw, rng = draw_of(Quantity.PAUSE), Random(3)
    late = [draw.late_ms(rng, 0.9) for _ in range(2000)]
    assert min(late) >= load_baseline().distributions[Quantity.PAUSE].percentile_ms(89)
    assert max(late) > load_baseline().distributions[Quantity.PAUSE].percentile_ms(98)
