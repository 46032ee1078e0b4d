"""cli/stopping.py and the end of cli/serve.py: a process that is asked to end does."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from speakback.cli.serve import LAST_S, Process, serve_until_stopped
from speakback.cli.stopping import Stopping, by_signals, on_hangup, unless
from speakback.config import Settings
from speakback.providers.engines import Engines
from speakback.providers.waits import WaitsReport
from tests.session.scripted import ScriptedLlm, says, scripted

SETTINGS = Settings.model_validate({"server": {"port": 0, "drain_s": 7.0}})


def test_asked_twice_it_hurries() -> None:
    stopping = Stopping()
    stopping.ask()
    assert stopping.asked.is_set()
    assert not stopping.hurried.is_set()
    stopping.ask()
    assert stopping.hurried.is_set()


def test_who_hurries_also_stops() -> None:
    stopping = Stopping()
    stopping.hurry()
    assert stopping.asked.is_set()


async def test_either_signal_is_understood() -> None:
    stopping = by_signals()
    os.kill(os.getpid(), signal.SIGINT)
    await stopping.asked.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    await stopping.hurried.wait()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().remove_signal_handler(name)


async def test_a_hangup_is_understood_and_told_by_nobody_who_had_it_ignored() -> None:
    heard = asyncio.Event()
    on_hangup(heard.set)
    os.kill(os.getpid(), signal.SIGHUP)
    await heard.wait()
    asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        on_hangup(heard.set)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_who_makes_room_stops_and_needs_no_notice() -> None:
    stopping = Stopping()
    stopping.make_room()
    assert stopping.asked.is_set()
    assert stopping.others_stay.is_set()
    leaving = Stopping()
    leaving.ask()
    leaving.make_room()
    assert not leaving.others_stay.is_set(), "it leaves with all others"


async def test_work_that_is_not_wanted_any_more_is_cancelled_and_has_ended() -> None:
    stopped, ended = asyncio.Event(), asyncio.Event()

    async def work() -> str:
        try:
            stopped.set()
            await asyncio.Event().wait()
        finally:
            ended.set()
        return "done"

    assert await unless(stopped, work()) is None
    assert ended.is_set()


async def test_work_that_ends_first_counts() -> None:
    async def work() -> str:
        return "done"

    assert await unless(asyncio.Event(), work()) == "done"


# ---- the end of the process -------------------------------------------------------------------


@dataclass
class SlowToEnd(ScriptedLlm):
    """Engines that take their time to close."""

    may_end: asyncio.Event = field(default_factory=asyncio.Event)

    async def aclose(self) -> None:
        await self.may_end.wait()


@asynccontextmanager
async def serving(
    stopping: Stopping, within: list[float], llm: SlowToEnd, settings: Settings = SETTINGS
) -> AsyncIterator[None]:
    ready = asyncio.Event()

    async def build(settings: Settings, waits: WaitsReport) -> Engines:
        return scripted(llm=llm)

    process = Process(stopping, lambda _: None, lambda _: ready.set(), within.append)
    running = asyncio.create_task(serve_until_stopped(settings, process, build))
    await ready.wait()
    yield
    llm.may_end.set()
    await running


async def ended_within(hurried: bool) -> float:
    """By when a server without clients wants its process ended."""
    within: list[float] = []
    stopping, llm = Stopping(), SlowToEnd([says("Yes.")])
    async with serving(stopping, within, llm):
        stopping.ask()
        if hurried:
            stopping.ask()
    (seconds,) = within
    return seconds


async def test_engines_that_hang_have_what_is_left_of_the_deadline() -> None:
    assert LAST_S < await ended_within(hurried=False) <= SETTINGS.server.drain_s


async def test_and_after_a_hurry_only_a_moment() -> None:
    assert await ended_within(hurried=True) == LAST_S


async def test_notice_is_given_where_all_leave_and_none_where_others_stay() -> None:
    settings = SETTINGS.model_copy(update={"server": SETTINGS.server.model_copy(update={"drain_notice_s": 1.0})})
    for leave, is_noticed in ((Stopping.ask, True), (Stopping.make_room, False)):
        within: list[float] = []
        stopping, llm = Stopping(), SlowToEnd([says("Yes.")])
        async with serving(stopping, within, llm, settings):
            leave(stopping)
        assert (within[0] <= settings.server.drain_s - 1.0) is is_noticed


async def test_a_process_that_hangs_ends_all_the_same() -> None:
    hangs = "import threading; from speakback.cli.serve import end_within; end_within(0.1); threading.Event().wait()"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", hangs, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0
    assert b"ends without them" in said
