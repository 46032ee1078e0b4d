"""cli/workers.py: `speakback serve --workers` as processes of their own, with real models."""

import asyncio
import os
import re
import signal
import socket
from pathlib import Path

import aiohttp
import pytest

from benchmarks.process import children
from speakback.cli.workers import _shared_store
from speakback.config import load_settings
from speakback.supervisor.folder import PREFIX
from tests.cli.test_serve import address_of, served

pytestmark = pytest.mark.timeout(180)


async def test_workers_serve_one_address_and_leave_together() -> None:
    async with served("--port", "0", "--workers", "2") as process:
        address = await address_of(process)
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{address}/readyz") as answer:
                assert answer.status == 200
            line = await http.ws_connect(f"{address}/v1/realtime")
            assert (await line.receive_json())["type"] == "session.created"
            process.send_signal(signal.SIGTERM)
            assert (await line.receive()).data == 1012
            await line.close()
        output, errors = await process.communicate()
        assert process.returncode == 0
        assert output == b"", "the whole is announced once"
        assert len(re.findall(rb"listening on", errors)) == 1
        assert len(re.findall(rb"a worker left.*", errors)) == 2


@pytest.mark.slow
async def test_a_hangup_is_none_of_a_workers_business_and_its_folder_ends_with_the_last(tmp_path: Path) -> None:
    async with served("--port", "0", "--workers", "2", TMPDIR=str(tmp_path)) as process:
        address = await address_of(process)
        assert len(await asyncio.to_thread(folders_in, tmp_path)) == 1
        workers = await asyncio.to_thread(children, process.pid)
        assert len(workers) == 2
        for worker in workers:
            os.kill(worker, signal.SIGHUP)
        async with aiohttp.ClientSession() as http:
            line = await http.ws_connect(f"{address}/v1/realtime")
            assert (await line.receive_json())["type"] == "session.created"
            process.kill()
            assert (await line.receive()).data == 1012
            await line.close()
        assert process.stderr is not None
        assert b"a worker died" not in await process.stderr.read(), "read to its end, which is that of all workers"
    assert await asyncio.to_thread(folders_in, tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("store", ["default", "memory"])
async def test_a_page_token_of_one_worker_counts_once_with_all_of_them(store: str) -> None:
    variables = {} if store == "default" else {"SPEAKBACK_RESUME__STORE": store}
    async with served("--port", "0", "--workers", "2", **variables) as process:
        address = await address_of(process)
        for _ in range(TOKENS):
            token = await page_token(address)
            assert [await socket_status(address, token) for _ in range(2)] == [101, 401]


TOKENS = 12
"""Each is asked for and presented over connections of their own, for which the kernel chooses a worker: of so many
one all but surely goes to another than the one that gave it."""


async def page_token(address: str) -> str:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{address}/web/token", headers={"Origin": address}) as answer,
    ):
        return str((await answer.json())["token"])


async def socket_status(address: str, token: str) -> int:
    """101, or that of the refusal."""
    protocols = ("realtime", f"speakback-page.{token}")
    async with aiohttp.ClientSession() as http:
        try:
            socket = await http.ws_connect(f"{address}/v1/realtime", protocols=protocols, origin=address)
        except aiohttp.WSServerHandshakeError as refused:
            return refused.status
        await socket.close()
        return 101


def folders_in(root: Path) -> list[Path]:
    return list(root.glob(f"{PREFIX}*"))


@pytest.mark.parametrize(
    ("given", "store", "folder"),
    [
        ({"SPEAKBACK_RESUME__DIRECTORY": "kept"}, "file", "kept"),
        ({"SPEAKBACK_RESUME__DIRECTORY": "kept", "SPEAKBACK_RESUME__STORE": "memory"}, "memory", "kept"),
        (
            {"SPEAKBACK_RESUME__STORE": "redis", "SPEAKBACK_RESUME__REDIS_URL": "redis://localhost"},
            "redis",
            None,
        ),
    ],
)
def test_where_conversations_are_kept_is_as_configured(
    given: dict[str, str], store: str, folder: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with _shared_store(load_settings(None, os.environ)) as environ:
        resume = load_settings(None, environ).settings.resume
        assert (resume.store, resume.directory) == (store, None if folder is None else Path(folder))


@pytest.mark.parametrize("store", ["file", "memory"])
def test_else_there_is_a_folder_that_is_gone_in_the_end(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page tokens go through it also where conversations are kept in memory; by default both do."""
    if store == "memory":
        monkeypatch.setenv("SPEAKBACK_RESUME__STORE", "memory")
    with _shared_store(load_settings(None, os.environ)) as environ:
        resume = load_settings(None, environ).settings.resume
        assert resume.store == store
        assert resume.directory is not None
        assert resume.directory.is_dir()
    assert not resume.directory.exists()


async def test_what_keeps_workers_from_starting_is_said_once() -> None:
    async with served("--port", "0", "--workers", "2", SPEAKBACK_WEIGHTS__DIRECTORY="/dev/null") as process:
        output, errors = await process.communicate()
        assert process.returncode == 2
        assert output == b""
        assert errors.count(b"speakback: a worker ended with exit code 2") == 1
        assert errors.count(b"/dev/null") == 1


async def test_a_port_that_is_taken_ends_it_before_there_are_workers() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        async with served("--port", port, "--workers", "2") as process:
            _, errors = await process.communicate()
            assert process.returncode == 2
            assert f"cannot listen on 127.0.0.1:{port}".encode() in errors
