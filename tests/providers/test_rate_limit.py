"""The worked figures are captured headers of a real service."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.providers.rate_headers import duration_s, retry_after_s
from speakback.providers.rate_limit import LONGEST_PAUSE_S, Budget, Exhausted, Plan, RateLimit, Turnstile

ONE = {Budget.REQUESTS_A_MINUTE: 1.0, Budget.REQUESTS_A_DAY: 1.0}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("6s", 6), ("1.57s", 1.57), ("500ms", 0.5), ("1m26.4s", 86.4), ("9m52.272s", 592.272), ("1h2m3s", 3723)],
)
def test_durations_are_read_as_go_writes_them(text: str, seconds: float) -> None:
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "6", "-6s", "6 s", "6s6m", "soon", "infs"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert duration_s(text) is None


@given(st.text(max_size=12))
def test_no_text_breaks_the_reading_of_durations(text: str) -> None:
    assert duration_s(text) is None or duration_s(text) is not None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3),
        ({"retry-after": "0.4"}, 0.4),
        ({"retry-after-ms": "250", "retry-after": "3"}, 0.25),
        ({}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
    ],
    ids=repr,
)
def test_retry_after_is_seconds_and_never_a_date_as_clocks_differ(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after_s(headers) == (None if seconds is None else pytest.approx(seconds))


def test_a_bucket_fills_evenly() -> None:
    limit = RateLimit(Plan(requests_a_minute=20))
    for _ in range(20):
        assert limit.wait_s(ONE, 100.0) == 0
        limit.begin(ONE, 100.0)
    assert limit.wait_s(ONE, 100.0) == pytest.approx(3.0)
    assert limit.wait_s(ONE, 102.0) == pytest.approx(1.0)
    assert limit.wait_s(ONE, 103.0) == pytest.approx(0.0)


def test_an_unknown_plan_holds_nobody_back_until_the_service_tells() -> None:
    limit = RateLimit(Plan())
    assert (limit.wait_s(ONE, 0.0), limit.fullness(0.0)) == (0.0, 1.0)
    limit.told({"x-ratelimit-limit-requests": "2000", "x-ratelimit-remaining-requests": "0"}, 0.0)
    assert limit.wait_s(ONE, 0.0) == pytest.approx(86_400 / 2000)
    assert limit.fullness(0.0) == 0


@pytest.mark.parametrize(
    ("name", "limit", "used", "reset_s"),
    [
        ("requests", 14_400, 1, 6),
        ("tokens", 6000, 157, 1.57),
        ("audio-seconds", 7200, 1, 0.5),
        ("requests", 1000, 1, 86.4),
    ],
)
def test_what_is_told_agrees_with_the_captured_resets(name: str, limit: int, used: int, reset_s: float) -> None:
    """Full again after `reset_s`: that is what the service's own header said."""
    kept = RateLimit(Plan())
    kept.told({f"x-ratelimit-limit-{name}": str(limit), f"x-ratelimit-remaining-{name}": str(limit - used)}, 0.0)
    assert kept.fullness(reset_s * 0.98) < 1.0
    assert kept.fullness(reset_s * 1.001) == pytest.approx(1.0)


def test_what_is_still_under_way_is_not_in_the_services_count() -> None:
    limit = RateLimit(Plan(requests_a_day=100))
    limit.begin(ONE, 0.0)
    limit.told({"x-ratelimit-limit-requests": "100", "x-ratelimit-remaining-requests": "50"}, 0.0)
    assert limit.fullness(0.0) == pytest.approx(0.49)
    limit.end(ONE)
    limit.told({"x-ratelimit-limit-requests": "100", "x-ratelimit-remaining-requests": "49"}, 0.0)
    assert limit.fullness(0.0) == pytest.approx(0.49)


@pytest.mark.parametrize("text", ["", "many", "-5", "nan", "inf"])
def test_nonsense_in_the_headers_is_passed_over(text: str) -> None:
    limit = RateLimit(Plan(requests_a_day=100))
    limit.told({"x-ratelimit-limit-requests": text, "x-ratelimit-remaining-requests": text}, 0.0)
    assert limit.fullness(0.0) == 1.0


def test_a_refused_request_pauses_all_but_not_for_a_day() -> None:
    limit = RateLimit(Plan())
    limit.pause(5.0, 10.0)
    assert (limit.wait_s(ONE, 12.0), limit.fullness(12.0), limit.wait_s(ONE, 15.0)) == (3.0, 0.0, 0.0)
    limit.pause(86_400.0, 20.0)
    assert limit.wait_s(ONE, 20.0) == LONGEST_PAUSE_S


def test_one_request_larger_than_the_whole_budget_may_go_when_it_is_full() -> None:
    limit = RateLimit(Plan(audio_s_an_hour=60))
    assert limit.wait_s({Budget.AUDIO_S_AN_HOUR: 300.0}, 0.0) == 0


def test_a_clock_that_steps_back_takes_nothing() -> None:
    limit = RateLimit(Plan(requests_a_minute=20))
    limit.begin(ONE, 100.0)
    assert limit.fullness(50.0) == pytest.approx(0.95)


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 3)), max_size=60))
def test_never_more_passes_than_the_burst_and_the_refill(steps: list[tuple[float, int]]) -> None:
    limit, now_s, passed = RateLimit(Plan(requests_a_minute=20)), 0.0, 0
    for step_s, tries in steps:
        now_s += step_s
        for _ in range(tries):
            if limit.wait_s(ONE, now_s) == 0:
                limit.begin(ONE, now_s)
                passed += 1
    assert passed <= 20 + now_s / 3 + 1e-6


async def test_a_short_wait_is_waited_and_a_long_one_refused_at_once() -> None:
    now_s = 0.0

    def clock() -> float:
        nonlocal now_s
        now_s += 0.01
        return now_s

    limit = RateLimit(Plan(requests_a_minute=6000))
    turnstile = Turnstile(limit, clock=clock)
    limit.pause(0.02, now_s)
    async with asyncio.timeout(5), turnstile.passing(ONE):
        assert limit.fullness(now_s) < 1
    turnstile.pause(30.0)
    with pytest.raises(Exhausted) as refused:
        async with turnstile.passing(ONE):
            raise AssertionError("was let through")
    assert refused.value.wait_s == pytest.approx(30.0, abs=0.1)
