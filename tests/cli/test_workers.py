"""cli/workers.py: `speakback serve --workers` as processes of their own, with real models."""

import re
import signal
import socket

import aiohttp
import pytest

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
