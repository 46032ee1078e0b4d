"""Mean, median and 95th percentile."""

from speakback.caller.spread import Spread, spread


def test_of_values() -> None:
    assert spread([10.0, 20.0, 60.0]) == Spread(3, 30.0, 20.0, 56.0)


def test_what_was_not_measured_is_no_zero() -> None:
    assert spread([None, 8.0, None]) == Spread(1, 8.0, 8.0, 8.0)
    assert spread([None]) is None
    assert spread([]) is None
