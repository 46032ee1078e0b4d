"""observe/loop_lag.py"""

import asyncio
import math
from itertools import pairwise

import pytest

from speakback.observe.loop_lag import MOMENTS, PERIOD_S, REST_PERIOD_S, LoopLag


def measured(*late_s: float) -> LoopLag:
    """A measurement of ticks that came so late."""
    lag = LoopLag(lambda lag_s: None, stall_s=0.1)
    for each in late_s:
        lag.book(each)
    return lag


def test_a_punctual_loop_has_no_lag() -> None:
    figures = measured().figures()
    assert (figures.p50_ms, figures.p90_ms, figures.p99_ms) == (0, 0, 0)


def test_one_moment_in_a_hundred_is_the_p99() -> None:
    few = MOMENTS // 100
    assert measured(*[0.01] * few).figures().p99_ms == 0
    assert measured(*[0.01] * (few + 1)).figures().p99_ms == pytest.approx(10)


def test_a_stall_counts_as_the_moments_that_it_swallowed() -> None:
    told: list[float] = []
    lag = LoopLag(told.append, stall_s=0.1)
    assert lag.book(0.1) == 6
    assert told == pytest.approx([0.1, 0.08, 0.06, 0.04, 0.02, 0.0])


def test_a_single_stall_raises_the_p99_and_not_the_p90() -> None:
    figures = measured(0.9).figures()
    assert figures.p99_ms > 700
    assert figures.p90_ms == 0


def test_a_loop_that_is_late_for_more_than_a_second_in_all_raises_the_p90() -> None:
    late = MOMENTS // 10
    assert measured(*[0.015] * late).figures().p90_ms == 0
    assert measured(*[0.015] * (late + 1)).figures().p90_ms == pytest.approx(15)


def test_only_the_last_ten_seconds_count() -> None:
    lag = measured(1.0)
    for _ in range(MOMENTS):
        lag.book(0.0)
    assert lag.figures().p99_ms == 0
    assert lag.worst_ms() == 0


def test_the_worst_is_the_longest_single_lag() -> None:
    assert measured().worst_ms() == 0
    assert measured(0.004, 0.025, 0.003).worst_ms() == pytest.approx(25)


def test_a_stall_longer_than_what_is_kept_fills_it_once() -> None:
    told: list[float] = []
    lag = LoopLag(told.append, stall_s=0.1)
    lag.book(3 * MOMENTS * PERIOD_S)
    assert len(told) == MOMENTS


async def test_on_a_loop_it_ticks_and_tells_of_late_ones() -> None:
    """The clock jumps by 1 s between two ticks, as a stall makes it do."""
    ticks: asyncio.Queue[float] = asyncio.Queue()
    jump_s = 0.0
    now = asyncio.get_running_loop().time
    lag = LoopLag(ticks.put_nowait, stall_s=0.5, clock=lambda: now() + jump_s)
    lag.begin()
    await ticks.get()
    due_s, jump_s = lag.due_s, 1.0
    while (late_s := await ticks.get()) < 0.5:
        pass
    lag.end()
    (stall,) = lag.stalls
    assert late_s > 0.9
    assert stall.due_s >= due_s
    assert stall.late_s == pytest.approx(late_s)


async def test_at_rest_it_asks_less_often_and_the_moments_between_count_as_punctual() -> None:
    """On a clock that only ticks move: each comes when it is due."""
    ticks: asyncio.Queue[float] = asyncio.Queue()
    lag = LoopLag(ticks.put_nowait, stall_s=0.5, clock=lambda: 0.0 if lag.due_s == math.inf else lag.due_s)
    for _ in range(MOMENTS):
        lag.book(0.01)
    while not ticks.empty():
        ticks.get_nowait()
    lag.at_rest = True
    lag.begin()
    dues_s = []
    for _ in range(3):
        await ticks.get()
        dues_s.append(lag.due_s)
    lag.end()
    assert [round(after - before, 3) for before, after in pairwise(dues_s)] == [REST_PERIOD_S] * 2
    punctual = sum(1 for each in lag._lags_s if each == 0)
    assert punctual == 1 + 2 * round(REST_PERIOD_S / PERIOD_S)
