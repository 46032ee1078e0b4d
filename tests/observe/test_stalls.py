"""observe/stalls.py"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from speakback.observe.loop_lag import LoopLag
from speakback.observe.stalls import FRAMES, Stall, StallLog, StallWatch, short_path, stack_of

BRIEF_S = 0.03


@contextmanager
def watching() -> Iterator[tuple[StallWatch, "asyncio.Queue[Stall]"]]:
    """A watch over this loop, and the stalls that it tells of."""
    loop = asyncio.get_running_loop()
    stalls: asyncio.Queue[Stall] = asyncio.Queue()
    lag = LoopLag(lambda lag_s: None, BRIEF_S)
    watch = StallWatch(lag, lambda stall: _on_loop(loop, stalls, stall), BRIEF_S)
    lag.begin()
    watch.begin()
    try:
        yield watch, stalls
    finally:
        lag.end()
        threading.Thread(target=watch.end).start()


def _on_loop(loop: asyncio.AbstractEventLoop, stalls: "asyncio.Queue[Stall]", stall: Stall) -> None:
    loop.call_soon_threadsafe(stalls.put_nowait, stall)


def hog_the_loop(watch: StallWatch) -> None:
    """The culprit: blocks until it was seen."""
    while not watch.looked:
        pass


async def told_of(stalls: "asyncio.Queue[Stall]", function: str) -> Stall:
    """The stall in which that function was seen; a busy machine may have others."""
    while True:
        stall = await stalls.get()
        if any(function in place for place in stall.stack):
            return stall


async def test_the_stack_names_who_blocks_the_loop() -> None:
    with watching() as (watch, stalls):
        hog_the_loop(watch)
        stall = await told_of(stalls, "hog_the_loop")
    assert stall.is_over
    assert stall.lasted_s >= BRIEF_S
    assert "tests/observe/test_stalls.py:" in stall.stack[0] or "stalls.py:" in stall.stack[0]
    assert any("test_the_stack_names_who_blocks_the_loop" in place for place in stall.stack)


async def test_each_stall_is_told_once_and_with_its_own_stack() -> None:
    def another(watch: StallWatch) -> None:
        while not watch.looked:
            pass

    with watching() as (watch, stalls):
        hog_the_loop(watch)
        first = await told_of(stalls, "hog_the_loop")
        another(watch)
        second = await told_of(stalls, "another")
    assert not any("another" in place for place in first.stack)
    assert not any("hog_the_loop" in place for place in second.stack)


STALL = Stall(0.25, ("a/b.py:1 f",), starved=False, is_over=True)


def test_stalls_are_logged_at_intervals_and_all_are_counted() -> None:
    now_s, told = 100.0, []
    log = StallLog(lambda: told.append(1), clock=lambda: now_s)
    with capture_logs() as lines:
        log(STALL)
        log(STALL)
        log(STALL)
        now_s += 60
        log(STALL)
    assert len(told) == 4
    assert [(line["lasted_ms"], line["unlogged_before"]) for line in lines] == [(250, 0), (250, 2)]
    assert lines[0]["where"] == ("a/b.py:1 f",)
    assert {line["event"] for line in lines} == {"the event loop was blocked"}


def test_a_stall_that_does_not_end_is_logged_and_counted_once_it_does() -> None:
    now_s, told = 100.0, []
    log = StallLog(lambda: told.append(1), clock=lambda: now_s)
    with capture_logs() as lines:
        log(Stall(5.0, (), starved=False, is_over=False))
        assert not told
    assert [line["event"] for line in lines] == ["the event loop is blocked"]


class FrozenLag(LoopLag):
    """A loop that was to answer at 0 and does not."""

    def __init__(self) -> None:
        super().__init__(lambda lag_s: None, stall_s=0.1)
        self.due_s = 0.0


@pytest.fixture
def told() -> list[Stall]:
    return []


def test_a_stall_without_end_is_told_early_and_once(told: list[Stall]) -> None:
    watch = StallWatch(FrozenLag(), told.append)
    for now_s in (0.05, 1.0, 4.9, 5.0, 6.0, 7.0):
        watch._see(now_s, overslept_s=0.0)
    assert [(stall.lasted_s, stall.is_over) for stall in told] == [(5.0, False)]


def test_where_the_watch_itself_came_late_the_process_was_starved(told: list[Stall]) -> None:
    watch = StallWatch(FrozenLag(), told.append)
    watch._see(6.0, overslept_s=5.0)
    assert [stall.starved for stall in told] == [True]


def test_it_looks_again_when_the_loop_would_be_stalled(told: list[Stall]) -> None:
    lag = FrozenLag()
    watch = StallWatch(lag, told.append)
    assert watch._see(0.04, overslept_s=0.0) == pytest.approx(0.06)
    lag.end()
    assert watch._see(50.0, overslept_s=0.0) == pytest.approx(0.1), "a loop that is not measured is never late"
    assert not watch.looked


def test_a_stack_holds_places_and_no_values() -> None:
    secret = "my password"
    stack = stack_of(threading.get_ident())
    assert "test_a_stack_holds_places_and_no_values" in "".join(stack)
    assert secret not in "".join(stack)
    assert len(stack) <= FRAMES


def test_a_thread_that_is_gone_has_no_stack() -> None:
    assert stack_of(0) == ()


def test_paths_are_short() -> None:
    assert short_path("/opt/venv/lib/python3.11/site-packages/aiohttp/web.py") == "site-packages/aiohttp/web.py"
