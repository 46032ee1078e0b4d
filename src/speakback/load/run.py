"""A run: callers come one after the other, talk for the measured time, hear their last answers, and hang up."""

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from random import Random

from speakback.caller.errors import CallError
from speakback.load.pacing import PacingClock
from speakback.load.plan import Habits, utterances
from speakback.load.record import CallerRecord, Turned
from speakback.load.repertoire import Repertoire
from speakback.load.report import Client, Report, Window, report
from speakback.load.server_use import Reading, ServerUse
from speakback.load.talker import Talker, TurnedAwayError
from speakback.load.wire import Address, dial

ANSWER_WITHIN_S = 10.0
"""A session that is not set up by then is not coming."""
LAST_REPLIES_WITHIN_S = 15.0
"""So long the last replies, and the server's ledgers of them, are waited for."""
AFTER_JOINING_S = 1.0
"""Between the last caller's coming and the measured time."""
HANG_UP_WITHIN_S = 3.0
_LOOK_EVERY_S = 0.1
_SPARE_FILES = 64


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a run goes."""

    sessions: int
    seconds: float
    """Of measured time; the callers' coming and leaving is added."""
    habits: Habits = Habits()
    seed: int = 1
    joins_a_second: float = 20.0
    knock_again_s: float | None = None
    """A caller that is turned away tries again about so often; None: it gives up."""


class Phase(Enum):
    """What just began."""

    JOINING = "joining"
    TALKING = "talking"
    LEAVING = "leaving"


def _ignore(phase: Phase) -> None:
    """The default for who need not know."""


async def run_load(
    address: Address,
    options: LoadOptions,
    repertoire: Repertoire,
    use: ServerUse,
    on_phase: Callable[[Phase], None] = _ignore,
) -> Report:
    """Hold the run. Raises `CallError` if the first caller does not get in for another reason than want of room."""
    _allow_files(options.sessions + _SPARE_FILES)
    gc.collect()
    gc.freeze()  # what was made beforehand is never looked through again while callers are timed
    try:
        return await _Run(address, options, repertoire, use, on_phase).held()
    finally:
        gc.unfreeze()


class _Run:
    def __init__(
        self,
        address: Address,
        options: LoadOptions,
        repertoire: Repertoire,
        use: ServerUse,
        on_phase: Callable[[Phase], None],
    ) -> None:
        self._address = address
        self._options = options
        self._repertoire = repertoire
        self._use = use
        self._on_phase = on_phase
        self._origin_s = time.monotonic()
        self._clock = PacingClock(self._now_ms)
        self._hush_ms = float("inf")
        self._records = [CallerRecord() for _ in range(options.sessions)]
        self._on_line: set[Talker] = set()
        self._first_told = asyncio.Event()
        """Set once somebody has been answered at the door."""
        self._nobody_left = asyncio.Event()

    async def held(self) -> Report:
        """The whole run."""
        before = await self._use.read()
        tasks = [asyncio.create_task(self._clock.run(), name="pacing")]
        try:
            self._on_phase(Phase.JOINING)
            began_ms = self._now_ms()
            tasks.append(asyncio.create_task(self._attended(0, began_ms)))
            await self._first_knock()
            tasks += [asyncio.create_task(self._attended(number, began_ms)) for number in range(1, len(self._records))]
            await asyncio.sleep(len(self._records) / self._options.joins_a_second + AFTER_JOINING_S)
            return await self._talked(before, tasks)
        finally:
            await _cancelled(tasks)
            await self._hang_up()

    async def _first_knock(self) -> None:
        """A mistake in the address or the key is told at once, and not once for each caller. Raises `CallError`."""
        await self._first_told.wait()
        failure = self._records[0].failure
        if failure is not None:
            raise CallError(failure)

    async def _talked(self, before: Reading | None, tasks: list[asyncio.Task[None]]) -> Report:
        start = await self._use.read()
        start_ms, cpu_s = self._now_ms(), time.process_time()
        self._hush_ms = start_ms + self._options.seconds * 1000
        self._on_phase(Phase.TALKING)
        await self._until(lambda: self._now_ms() >= self._hush_ms, tasks)
        window = Window(start_ms, self._now_ms())
        cores = (time.process_time() - cpu_s) * 1000 / (window.end_ms - window.start_ms)
        end = await self._use.read()
        self._on_phase(Phase.LEAVING)
        patience_ms = window.end_ms + LAST_REPLIES_WITHIN_S * 1000
        await self._until(lambda: self._now_ms() >= patience_ms or self._all_is_settled(), tasks)
        await asyncio.sleep(AFTER_JOINING_S)  # the ledgers come a little after the replies
        client = Client(self._clock.frames_late.percentiles(), self._clock.loop_late.percentiles(), cores)
        await _cancelled(tasks)  # nobody is to come in as others leave
        await self._hang_up()
        return report(self._records, window, client, (before, start, end))

    def _all_is_settled(self) -> bool:
        return not any(talker.has_open_business() for talker in self._on_line)

    async def _until(self, is_over: Callable[[], bool], tasks: list[asyncio.Task[None]]) -> None:
        """Wait for it, or until nobody is left who could still talk or come."""
        while not is_over():
            for task in tasks:
                if task.done():
                    task.result()  # raises what it died of
            if not self._on_line and self._options.knock_again_s is None:
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    # ---- one caller ---------------------------------------------------------------------------

    async def _attended(self, number: int, began_ms: float) -> None:
        due_ms = began_ms + number * 1000 / self._options.joins_a_second
        await asyncio.sleep(max(due_ms - self._now_ms(), 0) / 1000)
        try:
            await self._attend(number, self._records[number])
        except CallError as problem:
            self._records[number].failure = str(problem)
        finally:
            self._first_told.set()

    async def _attend(self, number: int, record: CallerRecord) -> None:
        """Knock until let in, or once. Raises `CallError`."""
        chance = Random(f"{self._options.seed}:{number}:knocks")
        while True:
            knocked_ms = self._now_ms()
            try:
                await self._knock(number, record)
            except TurnedAwayError as turned:
                record.turned_away.append(Turned(self._now_ms() - knocked_ms, turned.retry_after_s))
                self._first_told.set()
                if self._options.knock_again_s is None:
                    return
                await asyncio.sleep(self._options.knock_again_s * chance.uniform(0.5, 1.5))
            else:
                return

    async def _knock(self, number: int, record: CallerRecord) -> None:
        lines = utterances(self._repertoire, self._options.habits, f"{self._options.seed}:{number}")
        talker = Talker(record, lines, self._repertoire.room, self._now_ms, lambda: self._hush_ms, self._left)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await dial(self._address, talker)
                await talker.settled
        except TimeoutError:
            talker.give_up()
            raise CallError(
                f"{self._address.url}: the session was not set up within {ANSWER_WITHIN_S:.0f} s."
            ) from None
        except CallError as problem:
            talker.give_up()
            raise CallError(f"{self._address.url}: {problem}") from None
        except asyncio.CancelledError:
            talker.give_up()
            raise
        if not talker.is_on_line:
            raise CallError(f"{self._address.url}: the server ended the call as it began.")
        record.joined_ms = self._now_ms()
        self._on_line.add(talker)
        self._clock.join(talker)

    def _left(self, talker: Talker) -> None:
        self._clock.leave(talker)
        self._on_line.discard(talker)
        if not self._on_line:
            self._nobody_left.set()

    async def _hang_up(self) -> None:
        if not self._on_line:
            return
        self._nobody_left.clear()
        for talker in self._on_line:
            talker.hang_up()
        try:
            async with asyncio.timeout(HANG_UP_WITHIN_S):
                await self._nobody_left.wait()
        except TimeoutError:
            for talker in self._on_line:
                talker.give_up()

    def _now_ms(self) -> float:
        return (time.monotonic() - self._origin_s) * 1000


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _allow_files(count: int) -> None:
    """A socket is an open file, and of those a process may have few unless it asks."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
