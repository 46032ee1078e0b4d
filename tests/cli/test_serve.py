"""cli/serve.py: the command as a process of its own, with real models."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

ECHO = {"SPEAKBACK_LLM__PROVIDER": "echo"}

pytestmark = pytest.mark.timeout(90)


@asynccontextmanager
async def served(*arguments: str, **variables: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "speakback", "serve", *arguments,
        stdout=PIPE, stderr=PIPE, env=os.environ | ECHO | variables,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def address_of(process: Process) -> str:
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    match = re.search(r"ready at (http://\S+)", line)
    assert match is not None, line
    return match[1]


async def test_it_says_where_it_is_ready_and_ends_cleanly() -> None:
    async with served("--port", "0") as process:
        address = await address_of(process)
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{address}/readyz") as answer:
                assert answer.status == 200
            socket = await http.ws_connect(f"{address}/v1/realtime")
            assert (await socket.receive_json())["type"] == "session.created"
            process.send_signal(signal.SIGTERM)
            message = await socket.receive()
            assert message.data == 1012
            await socket.close()
        assert await process.wait() == 0


async def test_it_may_be_stopped_while_the_models_load() -> None:
    async with served("--port", "0") as process:
        assert process.stderr is not None
        assert b"listening" in await process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0


async def test_without_a_key_it_stays_on_this_machine() -> None:
    async with served("--host", "0.0.0.0", "--port", "0") as process:
        _, errors = await process.communicate()
        assert process.returncode == 2
        assert b"no API key is configured" in errors
