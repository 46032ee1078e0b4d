from random import Random

from hypothesis import given
from hypothesis import strategies as st

from speakback.providers.link.backoff import Backoff


@given(st.integers(1, 10_000), st.integers())
def test_each_wait_lies_between_half_and_all_of_the_doubled_time(failures: int, seed: int) -> None:
    backoff = Backoff(first_s=0.25, longest_s=30)
    ceiling = min(0.25 * 2.0 ** min(failures - 1, 30), 30)
    assert ceiling / 2 <= backoff.wait_s(failures, Random(seed)) <= ceiling


def test_two_clients_do_not_wait_alike() -> None:
    assert Backoff().wait_s(3, Random(1)) != Backoff().wait_s(3, Random(2))
