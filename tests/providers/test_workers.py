"""The rules of the pools. A gate holds their threads, so that what waits can be looked at; no test waits for time."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from speakback.providers import urgency, workers
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.urgency import Purpose, Urgency, urgent
from speakback.providers.waits import WaitsReport
from speakback.providers.workers import HEAD_START_S, Overdue, Shed, Workers


class Clock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (workers, urgency):
        monkeypatch.setattr(module, "monotonic", clock)
    return clock


class Told:
    """Keeps what a pool reports."""

    def __init__(self) -> None:
        self.waiting = 0
        self.began: list[tuple[str, Urgency, float]] = []
        self.shed: list[tuple[str, Urgency]] = []
        self.shed_after_s: list[float] = []

    def pool_made(self, role: str, oldest_wait_s: Callable[[], float]) -> None:
        self.oldest_wait_s = oldest_wait_s

    def work_queued(self, role: str, change: int) -> None:
        self.waiting += change

    def work_began(self, role: str, urgency: Urgency, waited_s: float) -> None:
        self.began.append((role, urgency, waited_s))

    def work_shed(self, role: str, urgency: Urgency, waited_s: float) -> None:
        self.shed.append((role, urgency))
        self.shed_after_s.append(waited_s)


class Pool:
    """Workers that a gate keeps busy, and the order in which what was asked meanwhile was done."""

    def __init__(self, *, threads: int, max_waiting: int, waits: WaitsReport) -> None:
        self.workers = Workers("stt", "test", threads=threads, max_waiting=max_waiting, waits=waits)
        self.done: list[str] = []
        self._gate = threading.Event()
        self._holding: list[asyncio.Task[None]] = []

    async def hold(self, urgency: Urgency = Urgency.COMMITTED) -> Purpose:
        """Take one more thread, until `open`."""
        begun = threading.Event()

        def held() -> None:
            begun.set()
            self._gate.wait(10)

        purpose = Purpose(urgency)
        with urgent(purpose):
            self._holding.append(asyncio.create_task(self.workers.run(held)))
        await asyncio.to_thread(begun.wait, 10)
        assert begun.is_set()
        return purpose

    async def ask(self, name: str, purpose: Urgency | Purpose) -> "asyncio.Task[None]":
        """Ask for something that is noted when it is done; returns when it waits, or was refused."""
        with urgent(purpose):
            task = asyncio.create_task(self.workers.run(lambda: self.done.append(name)))
        await asyncio.sleep(0)
        return task

    async def open(self) -> None:
        """Let the held calls end."""
        self._gate.set()
        await asyncio.gather(*self._holding)


@asynccontextmanager
async def pool_of(threads: int = 1, *, max_waiting: int = 64, waits: WaitsReport | None = None) -> AsyncIterator[Pool]:
    """A pool of which all threads are held but none is reserved by that."""
    pool = Pool(threads=threads, max_waiting=max_waiting, waits=Told() if waits is None else waits)
    try:
        yield pool
    finally:
        await pool.open()
        await pool.workers.aclose()


async def test_calls_run_on_threads_of_their_own() -> None:
    async with pool_of() as pool:
        assert await pool.workers.run(threading.get_ident) != threading.get_ident()


async def test_failures_are_told_without_what_they_quote() -> None:
    def fail() -> None:
        raise RuntimeError("my card number is 1234")

    async with pool_of() as pool:
        with pytest.raises(ProviderError, match="failed with RuntimeError") as caught:
            await pool.workers.run(fail)
        assert "1234" not in str(caught.value)
        assert await pool.workers.run(lambda: 1) == 1, "the thread goes on"


# ---- the order ------------------------------------------------------------------------------------


async def test_the_most_urgent_goes_first_and_among_equals_the_oldest(clock: Clock) -> None:
    async with pool_of() as pool:
        await pool.hold()
        tasks = [
            await pool.ask(f"{urgency.label} {number}", urgency) for number in (1, 2) for urgency in reversed(Urgency)
        ]
        await pool.open()
        await asyncio.gather(*tasks)
        assert pool.done == [f"{urgency.label} {number}" for urgency in Urgency for number in (1, 2)]


@pytest.mark.parametrize(("later_s", "first"), [(-0.01, "committed"), (0.01, "warming")])
async def test_a_step_of_urgency_is_worth_a_head_start_and_no_more(clock: Clock, later_s: float, first: str) -> None:
    async with pool_of() as pool:
        await pool.hold()
        old = await pool.ask("warming", Urgency.WARMING)
        clock.now_s += Urgency.WARMING * HEAD_START_S + later_s
        new = await pool.ask("committed", Urgency.COMMITTED)
        await pool.open()
        await asyncio.gather(old, new)
        assert pool.done[0] == first


async def test_a_call_whose_purpose_turns_out_more_urgent_goes_first(clock: Clock) -> None:
    async with pool_of() as pool:
        await pool.hold()
        draft = Purpose(Urgency.DRAFT)
        tasks = [await pool.ask("tail", Urgency.LATER_CLAUSES), await pool.ask("draft", draft)]
        draft.become(Urgency.FIRST_CLAUSE)
        await pool.open()
        await asyncio.gather(*tasks)
        assert pool.done == ["draft", "tail"]


# ---- the thread that is kept ----------------------------------------------------------------------


async def test_what_may_be_in_vain_never_takes_the_last_free_thread() -> None:
    async with pool_of(threads=2) as pool:
        await pool.hold(Urgency.WARMING)
        draft = await pool.ask("draft", Urgency.DRAFT)
        await (await pool.ask("pause", Urgency.PAUSE))
        assert pool.done == ["pause"]
        await pool.open()
        await draft
        assert pool.done == ["pause", "draft"]


async def test_one_thread_alone_does_everything() -> None:
    async with pool_of() as pool:
        await (await pool.ask("warming", Urgency.WARMING))
        assert pool.done == ["warming"]


async def test_a_waiting_draft_that_is_promoted_begins_at_once() -> None:
    async with pool_of(threads=2) as pool:
        await pool.hold(Urgency.PARTIAL)
        draft = Purpose(Urgency.DRAFT)
        task = await pool.ask("draft", draft)
        draft.become(Urgency.FIRST_CLAUSE)
        await task
        assert pool.done == ["draft"]


async def test_a_running_draft_that_is_promoted_makes_room_for_another() -> None:
    async with pool_of(threads=2) as pool:
        draft = await pool.hold(Urgency.DRAFT)
        task = await pool.ask("partial", Urgency.PARTIAL)
        draft.become(Urgency.LATER_CLAUSES)
        await task
        assert pool.done == ["partial"]


# ---- a full queue ---------------------------------------------------------------------------------


async def test_a_full_queue_sheds_its_least_urgent_call_and_of_those_the_newest() -> None:
    told = Told()
    async with pool_of(max_waiting=3, waits=told) as pool:
        await pool.hold()
        tail = await pool.ask("tail", Urgency.LATER_CLAUSES)
        old = await pool.ask("old partial", Urgency.PARTIAL)
        new = await pool.ask("new partial", Urgency.PARTIAL)
        final = await pool.ask("final", Urgency.COMMITTED)
        with pytest.raises(Shed, match="gave way") as caught:
            await new
        assert caught.value.failure is Failure.SHED
        assert told.shed == [("stt", Urgency.PARTIAL)]
        await pool.open()
        await asyncio.gather(tail, old, final)
        assert pool.done == ["final", "tail", "old partial"]


async def test_a_call_is_refused_where_none_is_less_urgent() -> None:
    told = Told()
    async with pool_of(max_waiting=1, waits=told) as pool:
        await pool.hold()
        waiting = await pool.ask("first", Urgency.PAUSE)
        with pytest.raises(Shed, match="overloaded") as caught:
            await (await pool.ask("second", Urgency.PAUSE))
        assert caught.value.failure is Failure.SHED
        assert (told.shed, told.waiting) == ([("stt", Urgency.PAUSE)], 1)
        await pool.open()
        await waiting
        assert pool.done == ["first"]


# ---- cancelling and closing -----------------------------------------------------------------------


async def test_a_cancelled_call_that_has_not_begun_is_dropped_and_gives_its_place_back() -> None:
    told = Told()
    async with pool_of(max_waiting=1, waits=told) as pool:
        await pool.hold()
        first = await pool.ask("first", Urgency.DRAFT)
        first.cancel()
        await asyncio.wait([first])
        assert told.waiting == 0
        second = await pool.ask("second", Urgency.DRAFT)
        await pool.open()
        await second
        assert first.cancelled()
        assert pool.done == ["second"]


async def test_a_cancelled_call_that_has_begun_ends_unheard_and_holds_its_thread_till_then() -> None:
    async with pool_of() as pool:
        await pool.hold()
        pool._holding[0].cancel()
        await asyncio.wait(pool._holding)
        waiting = await pool.ask("next", Urgency.COMMITTED)
        assert not waiting.done()
        pool._holding.clear()
        await pool.open()
        await waiting
        assert pool.done == ["next"]


async def test_closing_drops_what_waits_and_lets_end_what_runs() -> None:
    told = Told()
    async with pool_of(waits=told) as pool:
        await pool.hold()
        waiting = await pool.ask("waiting", Urgency.COMMITTED)
        closing = asyncio.create_task(pool.workers.aclose())
        with pytest.raises(ProviderError, match="is closed"):
            await waiting
        with pytest.raises(ProviderError, match="is closed"):
            await pool.workers.run(lambda: None)
        assert not closing.done()
        await pool.open()
        await closing
        assert (pool.done, told.waiting, told.shed) == ([], 0, [])


async def test_a_purpose_that_changes_after_closing_disturbs_nobody() -> None:
    purpose = Purpose(Urgency.DRAFT)
    async with pool_of() as pool:
        await (await pool.ask("draft", purpose))
    purpose.become(Urgency.COMMITTED)


# ---- in time --------------------------------------------------------------------------------------


def taking(clock: Clock, seconds: float) -> Callable[[], None]:
    def work() -> None:
        clock.now_s += seconds

    return work


async def test_a_call_that_would_end_too_late_is_not_queued_at_all(clock: Clock) -> None:
    told = Told()
    async with pool_of(waits=told) as pool:
        await pool.workers.run(taking(clock, 0.1))
        await pool.hold()
        waiting = await pool.ask("before it", Urgency.PAUSE)
        # Half of what is under way, what waits, and itself: 250 ms.
        with pytest.raises(Overdue) as caught:
            await (await pool.ask("late", Purpose(Urgency.PAUSE, within_ms=249)))
        assert caught.value.failure is Failure.SHED
        assert told.shed == [("stt", Urgency.PAUSE)]
        assert told.shed_after_s == [pytest.approx(0.15)], "so long it would have had to wait"
        in_time = await pool.ask("in time", Purpose(Urgency.PAUSE, within_ms=251))
        await pool.open()
        await asyncio.gather(waiting, in_time)
        assert pool.done == ["before it", "in time"]


async def test_what_is_less_urgent_does_not_make_it_late(clock: Clock) -> None:
    async with pool_of() as pool:
        await pool.workers.run(taking(clock, 0.1))
        await pool.hold()
        drafts = [await pool.ask("draft", Urgency.DRAFT) for _ in range(5)]
        in_time = await pool.ask("in time", Purpose(Urgency.PAUSE, within_ms=151))
        await pool.open()
        await asyncio.gather(in_time, *drafts)
        assert pool.done[0] == "in time"


async def test_where_a_thread_is_free_it_is_tried_however_long_it_usually_takes(clock: Clock) -> None:
    async with pool_of() as pool:
        await pool.workers.run(taking(clock, 5.0))
        await (await pool.ask("tried", Purpose(Urgency.PAUSE, within_ms=1)))
        assert pool.done == ["tried"]


async def test_a_call_that_waited_too_long_is_not_begun(clock: Clock) -> None:
    told = Told()
    async with pool_of(waits=told) as pool:
        await pool.hold()
        late = await pool.ask("late", Purpose(Urgency.PAUSE, within_ms=100))
        clock.now_s += 0.1
        await pool.open()
        with pytest.raises(Overdue):
            await late
        assert pool.done == []
        assert told.shed == [("stt", Urgency.PAUSE)]
        assert told.shed_after_s == [pytest.approx(0.1)]


# ---- what is told ---------------------------------------------------------------------------------


async def test_how_long_each_waited_and_how_many_wait(clock: Clock) -> None:
    told = Told()
    async with pool_of(waits=told) as pool:
        await pool.hold()
        waiting = await pool.ask("tail", Urgency.LATER_CLAUSES)
        assert told.waiting == 1
        clock.now_s += 0.25
        await pool.open()
        await waiting
        assert told.waiting == 0
        assert told.began == [("stt", Urgency.COMMITTED, 0.0), ("stt", Urgency.LATER_CLAUSES, 0.25)]
        assert told.shed == []


async def test_a_pool_that_hangs_can_be_asked_how_long_its_oldest_call_has_waited(clock: Clock) -> None:
    told = Told()
    async with pool_of(waits=told, max_waiting=2) as pool:
        await pool.hold()
        assert told.oldest_wait_s() == 0, "nobody waits, whatever runs"
        draft = Purpose(Urgency.DRAFT)
        waiting = [await pool.ask("draft", draft)]
        clock.now_s += 3
        assert told.oldest_wait_s() == 0, "it may be in vain"
        waiting.append(await pool.ask("pause", Urgency.PAUSE))
        clock.now_s += 2
        assert told.oldest_wait_s() == 2
        draft.become(Urgency.FIRST_CLAUSE)
        assert told.oldest_wait_s() == 5
        with pytest.raises(Shed):
            await (await pool.ask("refused", Urgency.PAUSE))
        assert told.shed_after_s == [5], "it would have waited at least as long as the oldest"
        await pool.open()
        await asyncio.gather(*waiting)
        assert told.oldest_wait_s() == 0
