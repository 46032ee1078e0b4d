"""Circuits."""

import pytest

from speakback.providers.chain.breaker import Breaker, BreakerOptions, Circuit
from speakback.providers.errors import LASTING, Failure
from tests.providers.chain.scripted import failure

OPTIONS = BreakerOptions(failures=3, window_ms=10_000, open_ms=5_000, longest_open_ms=15_000, lasting_open_ms=60_000)


def opened(kind: Failure = Failure.BUSY) -> Breaker:
    breaker = Breaker(OPTIONS)
    for at_ms in (0, 1, 2):
        breaker.failed(failure(kind), at_ms)
    assert breaker.circuit is Circuit.OPEN
    return breaker


def test_a_few_failures_in_a_window_open_it() -> None:
    breaker = Breaker(OPTIONS)
    assert [breaker.failed(failure(), at_ms) for at_ms in (0, 5_000, 10_001)] == [None, None, None]
    because = breaker.failed(failure(), 10_002)
    assert because is not None
    assert "3 failures of 3 answers within 10 s" in because
    assert (breaker.circuit, breaker.probe_at_ms) == (Circuit.OPEN, 15_002)


@pytest.mark.parametrize("kind", [kind for kind in Failure if kind in LASTING])
def test_a_lasting_failure_opens_it_at_once_and_for_long(kind: Failure) -> None:
    breaker = Breaker(OPTIONS)
    assert breaker.failed(failure(kind), 0) is not None
    assert (breaker.circuit, breaker.is_lasting, breaker.probe_at_ms) == (Circuit.OPEN, True, 60_000)


def test_a_service_that_asks_for_a_long_wait_is_left_alone_for_so_long() -> None:
    breaker = Breaker(OPTIONS)
    assert breaker.failed(failure(Failure.RATE_LIMITED, retry_after_s=0.5), 0) is None
    assert breaker.failed(failure(Failure.RATE_LIMITED, retry_after_s=20), 0) is not None
    assert (breaker.probe_at_ms, breaker.is_lasting) == (20_000, False)


@pytest.mark.parametrize("kind", [Failure.BAD_REQUEST, Failure.SHED])
def test_our_own_bad_requests_and_what_we_shed_do_not_count(kind: Failure) -> None:
    breaker = Breaker(OPTIONS)
    for _ in range(10):
        assert breaker.failed(failure(kind), 0) is None
    assert breaker.circuit is Circuit.CLOSED


def test_a_probe_that_was_shed_is_made_again_after_as_long() -> None:
    breaker = opened()
    for at_ms in (10_000, 20_000):
        breaker.probe_began()
        assert breaker.failed(failure(Failure.SHED), at_ms) is None
        assert (breaker.circuit, breaker.probe_at_ms) == (Circuit.OPEN, at_ms + 5_000)


def test_a_probe_that_fails_makes_the_next_wait_longer_up_to_a_limit() -> None:
    breaker = opened()
    waits = []
    for at_ms in (10_000, 30_000, 60_000):
        breaker.probe_began()
        assert breaker.circuit is Circuit.HALF_OPEN
        assert breaker.failed(failure(), at_ms) is None
        waits.append(breaker.probe_at_ms - at_ms)
    assert waits == [10_000, 15_000, 15_000]


def test_a_success_closes_it_and_forgets() -> None:
    breaker = opened()
    breaker.probe_began()
    assert breaker.succeeded(3)
    assert breaker.circuit is Circuit.CLOSED
    assert breaker.failed(failure(), 3) is None
    assert not breaker.succeeded(3)


def test_a_success_between_failures_does_not_hide_them() -> None:
    breaker = Breaker(OPTIONS)
    for at_ms in (0, 1):
        breaker.failed(failure(), at_ms)
        breaker.succeeded(at_ms)
    assert breaker.failed(failure(), 2) is not None


def test_few_failures_among_many_answers_do_not_open_it() -> None:
    breaker = Breaker(OPTIONS)
    for at_ms in range(100):
        breaker.succeeded(at_ms)
    assert [breaker.failed(failure(), 1_000 + n) for n in range(60)] == [None] * 60
    because = [breaker.failed(failure(), 2_000 + n) for n in range(7)]
    assert "67 failures of 167 answers" in (because[-1] or "")
    assert because[:-1] == [None] * 6


def test_answers_count_for_as_long_as_failures_do() -> None:
    breaker = Breaker(OPTIONS)
    for at_ms in range(100):
        breaker.succeeded(at_ms)
    assert [breaker.failed(failure(), 10_200 + n) for n in range(2)] == [None, None]
    assert breaker.failed(failure(), 10_202) is not None


def test_a_turn_that_fails_on_an_open_circuit_does_not_put_the_probe_off() -> None:
    breaker = opened()
    due_ms = breaker.probe_at_ms
    assert breaker.failed(failure(), 4_000) is None
    assert breaker.probe_at_ms == due_ms
