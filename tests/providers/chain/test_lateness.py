"""What is late."""

from random import Random

import pytest

from speakback.providers.chain.lateness import SLACK_MS, Lateness, LatenessOptions

OPTIONS = LatenessOptions(prior_ms=300, floor_ms=50, ceiling_ms=1000, enough=20, window=100)


def learnt(*times_ms: float, options: LatenessOptions = OPTIONS) -> float:
    lateness = Lateness(options)
    for took_ms in times_ms:
        lateness.record(took_ms)
    return lateness.late_after_ms()


def test_the_prior_holds_until_enough_was_seen() -> None:
    assert learnt(*[100] * 19) == 300
    assert learnt(*[100] * 20) == 100 + SLACK_MS


def test_it_is_the_quantile_of_the_window() -> None:
    assert learnt(*range(100, 200)) == 195 + SLACK_MS
    assert learnt(*[900] * 100, *range(100, 200)) == 195 + SLACK_MS


def test_floor_and_ceiling() -> None:
    assert learnt(*[1] * 50) == 50
    assert learnt(*[5000] * 50) == 1000


def test_requests_given_up_late_keep_the_quantile_where_it_is() -> None:
    rng, lateness, late = Random(1), Lateness(OPTIONS), 0
    for _ in range(3000):
        took_ms, late_after_ms = rng.lognormvariate(5, 0.4), lateness.late_after_ms()
        late += took_ms > late_after_ms
        lateness.record(min(took_ms, late_after_ms))
    assert 0.01 < late / 3000 < 0.06


@pytest.mark.parametrize(
    ("floor_ms", "ceiling_ms", "quantile"), [(50, 1000, 1.0), (50, 1000, 0), (2000, 1000, 0.9), (-1, 1000, 0.9)]
)
def test_options_that_contradict_each_other(floor_ms: float, ceiling_ms: float, quantile: float) -> None:
    with pytest.raises(ValueError, match="contradict"):
        LatenessOptions(300, floor_ms, ceiling_ms, quantile)
