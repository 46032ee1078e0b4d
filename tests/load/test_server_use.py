"""What the server tells of its process."""

import os

import pytest

from speakback.load.server_use import Buckets, FromMetrics, FromProc, reading_of
from speakback.load.wire import address_of

METRICS = """\
# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
process_cpu_seconds_total 12.5
process_resident_memory_bytes 1.5e+08
process_start_time_seconds 1.79e+09
speakback_loop_lag_seconds_bucket{le="0.001"} 90.0
speakback_loop_lag_seconds_bucket{le="0.002"} 98.0
speakback_loop_lag_seconds_bucket{le="0.005"} 100.0
speakback_loop_lag_seconds_bucket{le="+Inf"} 100.0
speakback_loop_lag_seconds_count 100.0
speakback_stage_seconds_bucket{le="0.1",stage="own"} 3.0
"""


def test_a_reading_of_metrics() -> None:
    reading = reading_of(METRICS, 7.0)
    assert reading is not None
    assert (reading.at_s, reading.cpu_s, reading.resident_bytes) == (7.0, 12.5, 150_000_000)
    assert reading.started_s == 1.79e9
    assert reading.loop_lag.quantile_ms(0.5) == pytest.approx(50 / 90)
    assert reading.loop_lag.quantile_ms(0.99) == pytest.approx(3.5)
    assert reading.join.quantile_ms(0.99) is None


def test_metrics_that_tell_nothing_of_the_process() -> None:
    assert reading_of("speakback_sessions 3.0\n", 7.0) is None


def test_what_was_added_to_a_histogram() -> None:
    before, after = Buckets({1.0: 10, 5.0: 10}), Buckets({1.0: 10, 5.0: 14, float("inf"): 15})
    added = after.since(before)
    assert added.counts == {1.0: 0, 5.0: 4, float("inf"): 15}
    assert Buckets({1.0: 0, float("inf"): 3}).quantile_ms(0.5) == 1.0, "beyond the last border nothing is known"


async def test_a_process_of_this_machine() -> None:
    reading = await FromProc(os.getpid()).read()
    assert reading is not None
    assert reading.cpu_s > 0
    assert reading.resident_bytes > 10_000_000
    assert await FromProc(2**22 + 1).read() is None


async def test_a_server_that_is_not_there_tells_nothing() -> None:
    assert await FromMetrics(address_of("ws://127.0.0.1:9/v1/realtime", None)).read() is None
