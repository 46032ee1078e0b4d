"""Whole runs against real servers on real sockets."""

import asyncio
import os
import signal
import time
from dataclasses import replace

import pytest

from benchmarks.loaded import scripted_server as server_process
from speakback.caller.errors import CallError
from speakback.load.plan import Habits
from speakback.load.run import LoadOptions, Phase, run_load
from speakback.load.server_use import FromMetrics
from speakback.load.wire import address_of
from tests.load.serving import KEY, scripted_server
from tests.load.sounds import TONES

pytestmark = pytest.mark.timeout(60)
HASTY = Habits(barge_in_share=1.0, first_ms=(1300, 1700), cut_in_ms=(1600, 2000))
"""The first question falls into the measured time, and is interrupted soon."""
SHORT = LoadOptions(sessions=3, seconds=4.0, habits=HASTY, joins_a_second=100.0)


async def test_a_run_and_what_it_tells() -> None:
    async with scripted_server(api_keys=(KEY,), clause_ms=600) as address:
        found = await run_load(address, SHORT, TONES, FromMetrics(address))
    assert (found.sessions.asked, found.sessions.joined, found.sessions.held) == (3, 3, 3)
    assert found.sessions.ended_early == {}
    assert found.errors == {}
    assert found.answers.asked >= 3
    assert (found.answers.unanswered, found.answers.answered_too_early) == (0, 0)
    assert found.answers.ttfb is not None
    assert found.answers.wait is not None
    assert found.answers.overhead is not None
    assert found.answers.ttfb.p50 > found.answers.wait.p50 > 100
    assert found.barge_ins.last_byte is not None
    assert found.client.frames_late is not None
    assert found.client.frames_late.n > 3 * 4 * 50
    assert found.server is not None
    assert found.server.cpu_cores > 0


@pytest.mark.slow
async def test_callers_that_are_late_make_the_run_void() -> None:
    async def hold_up() -> None:
        while True:
            began_s = time.monotonic()
            while time.monotonic() - began_s < 0.05:
                pass
            await asyncio.sleep(0.05)

    async with scripted_server() as address:
        busy = asyncio.create_task(hold_up())
        try:
            found = await run_load(address, replace(SHORT, seconds=2.0), TONES, FromMetrics(address))
        finally:
            busy.cancel()
    assert found.void is not None
    assert found.void.startswith("the callers themselves were late")


@pytest.mark.slow
async def test_callers_beyond_the_places_are_refused() -> None:
    async with scripted_server(max_sessions=1) as address:
        found = await run_load(address, replace(SHORT, seconds=1.0), TONES, FromMetrics(address))
    refused = found.sessions.refused
    assert (found.sessions.joined, refused.callers, refused.knocks) == (1, 2, 2)
    assert refused.took_ms is not None
    assert refused.retry_after_s
    assert refused.without_retry_after == 0


@pytest.mark.slow
async def test_refused_callers_may_go_on_knocking() -> None:
    async with scripted_server(max_sessions=1) as address:
        options = replace(SHORT, seconds=1.5, knock_again_s=0.2)
        found = await run_load(address, options, TONES, FromMetrics(address))
    assert (found.sessions.joined, found.sessions.refused.callers) == (1, 2)
    assert found.sessions.refused.knocks > 4


async def test_a_server_that_dies_ends_the_run() -> None:
    async with server_process(max_sessions=5) as server:

        def kill(phase: Phase) -> None:
            if phase is Phase.TALKING:
                os.kill(server.pid, signal.SIGKILL)

        address = address_of(server.url, server.api_key)
        found = await run_load(address, replace(SHORT, seconds=60.0), TONES, FromMetrics(address), kill)
    assert found.sessions.ended_early == {"1006": 3}
    assert found.void == "every session ended before its caller hung up."
    assert found.seconds < 30


async def test_a_wrong_key() -> None:
    async with scripted_server(api_keys=(KEY,)) as address:
        with pytest.raises(CallError, match=r"wants an API key.*HTTP 401"):
            await run_load(address_of(address.url, "wrong"), SHORT, TONES, FromMetrics(address))


async def test_a_wrong_path() -> None:
    async with scripted_server() as address:
        wrong = address_of(address.url + "/nothing", None)
        with pytest.raises(CallError, match=r"no conversation at this path.*HTTP 404"):
            await run_load(wrong, SHORT, TONES, FromMetrics(wrong))


async def test_a_server_that_is_not_there() -> None:
    nowhere = address_of("ws://127.0.0.1:9/v1/realtime", None)
    with pytest.raises(CallError, match="is the server running"):
        await run_load(nowhere, SHORT, TONES, FromMetrics(nowhere))


async def test_what_answers_is_no_web_server() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        address = address_of(f"ws://127.0.0.1:{port}/v1/realtime", None)
        with pytest.raises(CallError, match="the server ended the call before it began"):
            await run_load(address, SHORT, TONES, FromMetrics(address))


@pytest.mark.parametrize("url", ["http://127.0.0.1:8765/v1/realtime", "127.0.0.1:8765", "ws://"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(CallError, match="is not an address such as ws://"):
        address_of(url, None)
