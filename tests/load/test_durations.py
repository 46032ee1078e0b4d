"""Percentiles, exact and in bins."""

import pytest

from speakback.load.durations import BIN_MS, LONGEST_MS, Histogram, percentiles


def test_percentiles_leave_out_what_was_not_measured() -> None:
    found = percentiles([*range(1, 102), None])
    assert found is not None
    assert (found.n, found.p50, found.p95, found.p99, found.worst) == (101, 51, 96, 100, 101)


def test_nothing_measured() -> None:
    assert percentiles([None]) is None
    assert Histogram().percentiles() is None


def test_bins_are_no_more_than_one_off() -> None:
    histogram = Histogram()
    for value in range(1000):
        histogram.note(value / 10)
    found = histogram.percentiles()
    assert found is not None
    assert found.n == 1000
    assert found.p50 == pytest.approx(50, abs=BIN_MS)
    assert found.p99 == pytest.approx(99, abs=BIN_MS)
    assert found.worst == 99.9


def test_the_worst_is_kept_as_it_is() -> None:
    histogram = Histogram()
    histogram.note(3 * LONGEST_MS)
    histogram.note(-1.0)
    found = histogram.percentiles()
    assert found is not None
    assert found.worst == 3 * LONGEST_MS
    assert found.p50 <= BIN_MS
