"""Bad input against a whole server with real models: each gets a clear answer, and no other session is harmed."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from speakback.providers.registry import build_engines
from tests.gateway.live import ECHO, Caller, LiveServer, serving, silence, speech

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(90)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[LiveServer]:
    engines = await build_engines(ECHO)
    try:
        async with serving(engines) as running:
            yield running
    finally:
        await engines.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def other(server: LiveServer) -> AsyncIterator[Caller]:
    """A second, well-behaved session; it must be able to converse before and after whatever a test does."""
    async with server.caller() as caller:
        assert await caller.answers("Are you there before?")
        yield caller
        assert await caller.answers("Are you there after?")
        assert not caller.errors()


async def test_malformed_json(server: LiveServer, other: Caller) -> None:
    async with server.caller() as caller:
        await caller.socket.send_str('{"type": "response.create"')
        assert (await caller.error())["code"] == "invalid_json"
        assert await caller.answers()


async def test_unknown_event(server: LiveServer, other: Caller) -> None:
    async with server.caller() as caller:
        await caller.send("response.creat", event_id="mine")
        error = await caller.error()
        assert (error["code"], error["event_id"]) == ("unknown_event", "mine")
        assert "response.create" in str(error["message"])
        assert await caller.answers()


@pytest.mark.parametrize(
    ("format", "param"),
    [
        ({"type": "audio/opus"}, "session.audio.input.format.type"),
        ({"type": "audio/pcm", "rate": 44100}, "session.audio.input.format.rate"),
        ("pcm16", "session.audio.input.format"),
    ],
)
async def test_wrong_audio_format_or_rate(server: LiveServer, other: Caller, format: object, param: str) -> None:
    async with server.caller() as caller:
        await caller.send("session.update", session={"audio": {"input": {"format": format}}})
        assert (await caller.error())["param"] == param
        assert await caller.answers()


async def test_odd_length_pcm(server: LiveServer, other: Caller) -> None:
    async with server.caller() as caller:
        await caller.send("input_audio_buffer.append", audio=b64encode(b"123").decode())
        assert "odd number of bytes" in str((await caller.error())["message"])
        assert await caller.answers()


async def test_message_over_the_limit(server: LiveServer, other: Caller) -> None:
    async with server.caller() as caller:
        await caller.socket.send_str("x" * (1_048_576 + 1))
        # Whoever is still sending may be reset instead.
        assert await caller.closed() in (1009, 1006)
    await server.sessions_left(1)


async def test_silence_for_minutes(server: LiveServer, other: Caller) -> None:
    words = await speech(server.engines, "Is there anybody here?")
    async with server.caller() as caller:
        await caller.append(silence(180_000))
        await caller.append(np.concatenate([words, silence(1500)]))
        started = await caller.until("input_audio_buffer.speech_started")
        assert isinstance(started["audio_start_ms"], int)
        assert started["audio_start_ms"] > 179_900, "speech was found in silence, or silence was lost"
        await caller.until("response.output_audio.done")
        assert not caller.errors()


async def test_noise(server: LiveServer, other: Caller) -> None:
    noise = (0.05 * np.random.default_rng(1).standard_normal(24_000 * 20)).astype(np.float32)
    words = await speech(server.engines, "The train to London leaves at nine.")
    async with server.caller() as caller:
        await caller.append(np.concatenate([noise, silence(2000), words, silence(1500)]))
        await caller.until("response.created")
        transcripts = [
            str(event["transcript"])
            for event in caller.events
            if event["type"] == "conversation.item.input_audio_transcription.completed"
        ]
        assert [text for text in transcripts if text] == transcripts[-1:], "noise became words"
        assert "train" in transcripts[-1].lower()


async def test_speech_without_end(server: LiveServer, other: Caller) -> None:
    words = await speech(server.engines, "and then we went on and on and on and on and on and on and on and on")
    strategy = {"name": "rapid-duplex", "overrides": {"max_turn_ms": 3000}}

    async def talk(caller: Caller) -> None:
        while True:
            for start in range(0, len(words), 960):
                await caller.append(words[start : start + 960])
                await asyncio.sleep(0.04)

    async with server.caller(speakback={"strategy": strategy}) as caller:
        talking = asyncio.create_task(talk(caller))
        transcript = ""
        for _ in range(2):
            await caller.until("input_audio_buffer.committed")
            completed = await caller.until("conversation.item.input_audio_transcription.completed")
            transcript += str(completed["transcript"])
        assert "went on" in transcript.lower()
        assert await other.answers("Are you there meanwhile?")
        talking.cancel()
        await asyncio.wait([talking])
        await caller.append(silence(2000))
        await caller.until("response.created")


async def test_client_that_vanishes_mid_reply(server: LiveServer, other: Caller) -> None:
    async with server.caller() as caller:
        await caller.write("This is a rather long sentence, so that there is something to be said for a while.")
        await caller.send("response.create")
        await caller.until("response.output_audio.delta")
        assert caller.socket._response.connection is not None
        transport = caller.socket._response.connection.transport
        assert transport is not None
        transport.abort()
        await server.sessions_left(1)


async def test_client_that_never_reads(server: LiveServer, other: Caller) -> None:
    async with server.caller() as caller:
        assert caller.socket._response.connection is not None
        transport = caller.socket._response.connection.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()

        async def ask() -> None:
            """Ask for far more than the buffers of two sockets hold."""
            while not caller.socket.closed:
                await caller.write("x" * 500_000)

        asking = asyncio.create_task(ask())
        await server.sessions_left(1)
        asking.cancel()
        await asyncio.wait([asking])
        transport.abort()


async def test_client_faster_than_real_time(server: LiveServer, other: Caller) -> None:
    words = await speech(server.engines, "The train to London leaves at nine.")
    async with server.caller() as caller:
        await caller.append(np.concatenate([silence(300), words, silence(1500)]))
        transcript = (await caller.until("conversation.item.input_audio_transcription.completed"))["transcript"]
        assert "train" in str(transcript).lower()
        await caller.until("response.output_audio.done")
        assert len(caller.audio()) > 24_000


async def test_client_far_faster_than_it_is_heard(server: LiveServer, other: Caller) -> None:
    noise = (0.1 * np.random.default_rng(2).standard_normal(24_000 * 120)).astype(np.float32)
    async with server.caller() as caller:
        await caller.append(noise, block_ms=15_000)
        error = await caller.error()
        assert error["code"] == "input_audio_buffer_full"
        assert "real time" in str(error["message"])
        assert await other.answers("Are you there meanwhile?")
