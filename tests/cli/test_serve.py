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

LONG = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen."

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


async def test_nothing_is_held_of_a_conversation_once_nobody_is_on_the_line() -> None:
    async with served("--port", "0") as process:
        address = await address_of(process)
        async with aiohttp.ClientSession() as http:
            for _ in range(3):
                async with http.ws_connect(f"{address}/v1/realtime") as socket:
                    assert (await socket.receive_json())["type"] == "session.created"
            async with asyncio.timeout(20):
                while await held_conversations(http, address):
                    pass


async def held_conversations(http: aiohttp.ClientSession, address: str) -> float:
    async with http.get(f"{address}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    [held] = [line for line in lines if line.startswith("speakback_session_objects ")]
    return float(held.rpartition(" ")[2])


@asynccontextmanager
async def mid_reply(process: Process) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A client to which the agent is just speaking."""
    address = await address_of(process)
    async with aiohttp.ClientSession() as http:
        socket = await http.ws_connect(f"{address}/v1/realtime", autoclose=False)
        content = [{"type": "input_text", "text": LONG}]
        item = {"type": "message", "role": "user", "content": content}
        await socket.send_json({"type": "session.update", "session": {"speakback": {"resume": False}}})
        await socket.send_json({"type": "conversation.item.create", "item": item})
        await socket.send_json({"type": "response.create"})
        await until(socket, "response.output_audio.delta")
        yield socket
        await socket.close()


async def until(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, object]:
    """The next event of that kind."""
    while True:
        event = await socket.receive_json()
        assert isinstance(event, dict)
        if event["type"] == kind:
            return event


async def test_asked_to_stop_it_lets_the_agent_finish_and_then_ends() -> None:
    async with served("--port", "0") as process, mid_reply(process) as socket:
        process.send_signal(signal.SIGTERM)
        goaway = await until(socket, "speakback.goaway")
        assert 0 < int(str(goaway["deadline_ms"])) <= 20_000
        done = await until(socket, "response.done")
        assert done["response"]["status"] == "completed"  # type: ignore[index]
        message = await socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1012)
        await socket.close()
        assert await process.wait() == 0


async def test_asked_twice_it_ends_at_once() -> None:
    async with served("--port", "0") as process, mid_reply(process) as socket:
        process.send_signal(signal.SIGTERM)
        await until(socket, "speakback.goaway")
        process.send_signal(signal.SIGINT)
        kinds = []
        while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            kinds.append(message.json()["type"])
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1012)
        assert "response.done" not in kinds
        assert await process.wait() == 0


@pytest.mark.slow
async def test_a_hangup_lets_the_agent_finish_as_well() -> None:
    async with served("--port", "0") as process, mid_reply(process) as socket:
        process.send_signal(signal.SIGHUP)
        done = await until(socket, "response.done")
        assert done["response"]["status"] == "completed"  # type: ignore[index]
        await socket.receive()
        await socket.close()
        assert await process.wait() == 0


@pytest.mark.slow
async def test_a_client_that_neither_reads_nor_closes_does_not_hold_it_up() -> None:
    drain_s = 4.0
    async with served("--port", "0", SPEAKBACK_SERVER__DRAIN_S=str(drain_s)) as process, mid_reply(process) as socket:
        assert socket._response.connection is not None
        assert socket._response.connection.transport is not None
        socket._response.connection.transport.pause_reading()
        now = asyncio.get_running_loop().time
        asked_s = now()
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        assert now() - asked_s < drain_s
        assert process.stderr is not None
        assert b"Traceback" not in await process.stderr.read()


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
