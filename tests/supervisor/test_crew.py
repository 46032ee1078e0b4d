"""supervisor/: real processes without models, on one port."""

import asyncio
import errno
import gc
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import pytest
from structlog.testing import capture_logs

from speakback.config import ConfigError
from speakback.supervisor import place as place_module
from speakback.supervisor import worker as worker_module
from speakback.supervisor.crew import Crew
from speakback.supervisor.place import LONGEST_WAIT_S, wait_before_s
from speakback.supervisor.port import shared_port
from speakback.supervisor.worker import Recipe, WorkerFailed, hired
from tests.supervisor import stub_supervisor

pytestmark = pytest.mark.timeout(60)


@dataclass
class Caller:
    """A connection to a worker, which lasts as long as the worker."""

    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def is_cut_off(self) -> None:
        """Wait until the worker is gone."""
        with suppress(ConnectionError):
            await self.reader.read()
        self.writer.close()


async def call(port: int) -> Caller:
    """Ask whoever answers who it is."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            line = await reader.readline()
        except ConnectionError:  # it waited at the door of a worker that closed it
            line = b""
        if line:
            return Caller(int(line), reader, writer)
        writer.close()


async def all_who_answer(port: int, count: int) -> dict[int, Caller]:
    """Call until `count` different workers have answered."""
    found: dict[int, Caller] = {}
    while len(found) < count:
        caller = await call(port)
        if caller.pid in found:
            caller.writer.close()
        else:
            found[caller.pid] = caller
    return found


def recipe(port: int, *options: str) -> Recipe:
    return Recipe([sys.executable, str(stub_supervisor.WORKER), str(port), *options], os.environ)


@dataclass
class Working:
    crew: Crew
    port: int
    hurry: asyncio.Event


@asynccontextmanager
async def at_work(*options: str, size: int = 2, drain_s: float = 30.0) -> AsyncIterator[Working]:
    """A crew that has mustered; it is dismissed in the end, in a hurry."""
    hurry = asyncio.Event()
    with shared_port("127.0.0.1", 0) as port:
        crew = Crew(recipe(port, *options), size, drain_s)
        try:
            await crew.muster()
            yield Working(crew, port, hurry)
        finally:
            hurry.set()
            await crew.dismiss(hurry)


def close(*callers: Caller) -> None:
    for caller in callers:
        caller.writer.close()


# ---- one port ---------------------------------------------------------------------------------


async def test_both_answer_on_one_port() -> None:
    async with at_work() as working:
        found = await all_who_answer(working.port, 2)
        assert os.getpid() not in found
        close(*found.values())


def test_a_port_of_the_kernels_choice_is_kept() -> None:
    with shared_port("127.0.0.1", 0) as port, socket.socket() as other:
        assert port > 0
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))


def test_a_port_where_another_server_listens_is_refused_even_if_it_would_share() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}"), shared_port("127.0.0.1", port):
            pytest.fail("it was shared")


def test_a_host_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot listen on 192.0.2.1"), shared_port("192.0.2.1", 0):
        pytest.fail("it was bound")


def test_what_fails_while_the_port_is_kept_is_not_blamed_on_it() -> None:
    with pytest.raises(FileNotFoundError), shared_port("127.0.0.1", 0):
        raise FileNotFoundError


# ---- deaths -----------------------------------------------------------------------------------


async def test_a_worker_that_is_killed_is_replaced_and_the_other_stays() -> None:
    with capture_logs() as logs:
        async with at_work() as working:
            before = await all_who_answer(working.port, 2)
            victim, witness = before.values()
            os.kill(victim.pid, signal.SIGKILL)
            await victim.is_cut_off()
            await witness_and_another(working.port, witness)
    died = [line for line in logs if line["event"] == "a worker died"]
    assert [(line["pid"], line["exit_code"]) for line in died] == [(victim.pid, -signal.SIGKILL)]


async def witness_and_another(port: int, witness: Caller) -> None:
    """Wait until a worker answers that was not there before; the witness must still be there."""
    found = await all_who_answer(port, 2)
    close(*found.values())
    assert witness.pid in found
    assert not witness.reader.at_eof()
    close(witness)


def test_the_first_death_is_made_good_at_once_and_more_of_them_are_waited_for() -> None:
    waits = [wait_before_s(deaths) for deaths in range(1, 12)]
    assert waits[0] == 0.0
    assert waits[1:] == sorted(waits[1:])
    assert waits[1] > 0
    assert waits[-1] == LONGEST_WAIT_S


async def test_a_replacement_that_does_not_start_is_tried_again(tmp_path: Path) -> None:
    refusal = tmp_path / "refusal"
    with capture_logs() as logs:
        async with at_work("--refuses", str(refusal)) as working:
            victim, witness = (await all_who_answer(working.port, 2)).values()
            refusal.touch()
            os.kill(victim.pid, signal.SIGKILL)
            await victim.is_cut_off()
            await witness_and_another(working.port, witness)
    assert [line["exit_code"] for line in logs if line["event"] == "a worker did not start"] == [2]


async def test_the_workers_end_with_their_supervisor() -> None:
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, stub_supervisor.__file__, stdout=PIPE, env=os.environ
    )
    assert supervisor.stdout is not None
    port = int(await supervisor.stdout.readline())
    workers = await all_who_answer(port, 2)
    supervisor.kill()
    await supervisor.wait()
    for worker in workers.values():
        await worker.is_cut_off()


# ---- who does not start -----------------------------------------------------------------------


async def test_a_crew_that_does_not_start_says_so_after_the_first(tmp_path: Path) -> None:
    refusal = tmp_path / "refusal"
    refusal.touch()
    with pytest.raises(WorkerFailed, match="exit code 2") as failed:
        async with at_work("--refuses", str(refusal)):
            pytest.fail("it started")
    assert failed.value.exit_code == 2


async def test_a_worker_that_is_not_ready_in_time_is_not_left_behind() -> None:
    with shared_port("127.0.0.1", 0) as port:
        slow = replace(recipe(port), ready_within_s=0.0)
        with pytest.raises(WorkerFailed, match="not ready in time"):
            await hired(slow)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


def nothing_left(*asked: object) -> NoReturn:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.mark.parametrize("what", ["socket.socketpair", "asyncio.create_subprocess_exec"])
async def test_a_worker_for_which_nothing_is_left_failed_and_left_nothing(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await open_files()
    monkeypatch.setattr(what, lambda *asked, **options: nothing_left())
    with pytest.raises(WorkerFailed, match="Too many open files") as failed:
        await hired(recipe(1))
    assert failed.value.exit_code is None
    assert await open_files() == before


@pytest.mark.parametrize(
    ("fault", "raised"),
    [(OSError(errno.EMFILE, "x"), WorkerFailed), (asyncio.CancelledError(), asyncio.CancelledError)],
)
async def test_a_worker_to_which_there_is_no_link_is_not_left_behind(
    fault: BaseException, raised: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[asyncio.subprocess.Process] = []
    begin = asyncio.create_subprocess_exec

    async def noted(*command: str, **options: object) -> asyncio.subprocess.Process:
        begun.append(await begin(*command, **options))  # type: ignore[arg-type]
        return begun[0]

    async def fails(end: socket.socket) -> NoReturn:
        raise fault

    monkeypatch.setattr("asyncio.create_subprocess_exec", noted)
    monkeypatch.setattr(worker_module, "link_over", fails)
    with pytest.raises(raised):
        await hired(recipe(1))
    assert begun[0].returncode == -signal.SIGKILL


async def open_files() -> int:
    gc.collect()
    return len(await asyncio.to_thread(os.listdir, "/dev/fd"))


async def test_a_place_for_whose_replacement_nothing_is_left_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    make, failures = socket.socketpair, [1, 1]

    def meagre() -> tuple[socket.socket, socket.socket]:
        if failures:
            failures.pop()
            nothing_left()
        return make()

    with capture_logs() as logs:
        async with at_work() as working:
            victim, witness = (await all_who_answer(working.port, 2)).values()
            monkeypatch.setattr("socket.socketpair", meagre)
            os.kill(victim.pid, signal.SIGKILL)
            await victim.is_cut_off()
            await witness_and_another(working.port, witness)
    reasons = [line["reason"] for line in logs if line["event"] == "a worker did not start"]
    assert reasons == ["a worker could not be begun (Too many open files)."] * 2


# ---- renewal ----------------------------------------------------------------------------------


async def test_renewal_puts_new_workers_before_it_lets_the_old_ones_go() -> None:
    async with at_work() as working:
        before = await all_who_answer(working.port, 2)
        renewing = asyncio.create_task(working.crew.renew())
        while not renewing.done():
            close(await call(working.port))  # refused by nobody: that would raise
        await renewing
        for old in before.values():
            await old.is_cut_off()
        after = await all_who_answer(working.port, 2)
        assert not after.keys() & before.keys()
        close(*after.values())


async def test_a_renewal_for_which_nothing_is_left_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work() as working:
        before = await all_who_answer(working.port, 2)
        with monkeypatch.context() as meagre, capture_logs() as logs:
            meagre.setattr("socket.socketpair", nothing_left)
            await working.crew.renew()
        after = await all_who_answer(working.port, 2)
        assert after.keys() == before.keys()
        close(*before.values(), *after.values())
    assert [line["log_level"] for line in logs if "present ones stay" in line["event"]] == ["error"]


async def test_who_is_renewed_makes_room_and_who_is_dismissed_leaves(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with shared_port("127.0.0.1", 0) as port:
        crew = Crew(recipe(port, "--told", str(told)), 1, drain_s=30.0)
        await crew.muster()
        await crew.renew()
        await crew.dismiss(asyncio.Event())
    assert await asyncio.to_thread(told.read_text) == "MAKE_ROOM\nLEAVE\n"


async def test_where_a_new_worker_does_not_start_the_present_ones_stay(tmp_path: Path) -> None:
    refusal = tmp_path / "refusal"
    async with at_work("--refuses", str(refusal)) as working:
        before = await all_who_answer(working.port, 2)
        refusal.touch()
        with capture_logs() as logs:
            await working.crew.renew()
        after = await all_who_answer(working.port, 2)
        assert after.keys() == before.keys()
        close(*before.values(), *after.values())
    assert [line["log_level"] for line in logs if "present ones stay" in line["event"]] == ["error"]


# ---- the end ----------------------------------------------------------------------------------


async def test_who_does_not_leave_in_time_is_killed() -> None:
    with capture_logs() as logs:
        hurry = asyncio.Event()
        with shared_port("127.0.0.1", 0) as port:
            crew = Crew(recipe(port, "--stubborn"), 1, drain_s=-2.9)
            await crew.muster()
            (worker,) = (await all_who_answer(port, 1)).values()
            await crew.dismiss(hurry)
            await worker.is_cut_off()
    assert any("is killed" in line["event"] for line in logs)


async def test_a_hurry_reaches_those_who_drain() -> None:
    async with at_work("--stubborn", drain_s=60.0) as working:
        (worker, other) = (await all_who_answer(working.port, 2)).values()
        dismissing = asyncio.create_task(working.crew.dismiss(working.hurry))
        await asyncio.sleep(0)
        working.hurry.set()
        await dismissing
        await worker.is_cut_off()
        await other.is_cut_off()


async def test_a_renewal_that_is_given_up_loses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = asyncio.Event()

    async def never_stopped(task: "asyncio.Task[None] | None") -> None:
        assert task is not None
        task.cancel()
        reached.set()
        await asyncio.Event().wait()

    async with at_work(drain_s=60.0, size=1) as working:
        (old,) = (await all_who_answer(working.port, 1)).values()
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(place_module, "_stopped", never_stopped)
            renewing = asyncio.create_task(working.crew.renew())
            await reached.wait()
            renewing.cancel()
            await asyncio.wait([renewing])
        await working.crew.dismiss(working.hurry)
        await old.is_cut_off()


async def test_a_hurry_reaches_those_who_are_being_replaced() -> None:
    async with at_work("--stubborn", drain_s=60.0, size=1) as working:
        (old,) = (await all_who_answer(working.port, 1)).values()
        renewing = asyncio.create_task(working.crew.renew())
        while (caller := await call(working.port)).pid == old.pid:
            close(caller)
        close(caller)
        renewing.cancel()
        await asyncio.wait([renewing])
        working.hurry.set()
        await working.crew.dismiss(working.hurry)
        await old.is_cut_off()
