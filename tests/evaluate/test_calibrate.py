import pytest

from speakback.evaluate.baseline import Rate, RateName, load_baseline
from speakback.evaluate.calibrate import calibrated, of_range, of_rate, of_share_pct

RATE = Rate("", "1/min", 5.0, {1: 0.5, 5: 1.0, 10: 1.5, 25: 3.0, 50: 5.0, 75: 8.0, 90: 10.0, 95: 12.0, 99: 15.0})


@pytest.mark.parametrize(
    ("distance", "score"), [(0.0, 10), (1.0, 10), (1.5, 9.5), (2.0, 9), (4.0, 6), (8.0, 3), (16.0, 0), (99.0, 0)]
)
def test_the_formula(distance: float, score: float) -> None:
    assert calibrated(distance, 1.0, 2.0) == pytest.approx(score)


@pytest.mark.parametrize(("rate", "score"), [(0.0, 10), (5.0, 10), (12.0, 9), (24.0, 6)])
def test_of_a_rate_less_is_better(rate: float, score: float) -> None:
    assert of_rate(rate, RATE) == pytest.approx(score)


@pytest.mark.parametrize(("value", "score"), [(0.0, 0), (1.0, 9), (3.0, 10), (5.0, 10), (8.0, 10), (12.0, 9), (0.2, 6)])
def test_of_a_range_both_ends_are_bad(value: float, score: float) -> None:
    assert of_range(value, RATE) == pytest.approx(score)


def test_a_share_is_judged_by_the_smaller_side() -> None:
    human = load_baseline().rates[RateName.TALK_SHARE_PCT]
    assert of_share_pct(50, human) == 10
    assert of_share_pct(28.7138, human) == pytest.approx(9)
    assert of_share_pct(20, human) == of_share_pct(80, human)
    assert 5 < of_share_pct(20, human) < 9
    assert of_share_pct(0, human) == of_share_pct(100, human) == 0
