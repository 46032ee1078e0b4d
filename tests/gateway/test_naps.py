"""gateway/naps.py and how connection.py uses it: real sockets; in some tests a nap lasts until it is ended."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from aiohttp import WSMsgType
from structlog.testing import capture_logs

from speakback.audio.pcm import Samples, pcm16_from_samples
from speakback.gateway import connection, naps
from speakback.gateway.naps import Naps
from speakback.session import notices as n
from speakback.session.driver import Session
from speakback.session.settings import SessionSettings
from speakback.session.snapshot import Snapshot
from tests.gateway.scripted import ScriptedConversation
from tests.gateway.test_app import Running, Socket, event_from, is_healthy, server
from tests.session.scripted import QUESTION, scripted, silence, sound

PCM_16K = {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}}
FRAME_MS = 20


class Watched:
    """The naps of the one connection of a test."""

    transport: asyncio.Transport
    """The server's end."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[None] = asyncio.Queue()
        """One entry for each message that came in at rest."""


@pytest.fixture
async def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    seen = Watched()

    class SeenNaps(Naps):
        def __init__(self, transport: asyncio.Transport) -> None:
            super().__init__(transport)
            seen.transport = transport

        def begin(self, rest_s: float) -> None:
            super().begin(rest_s)
            seen.asked.put_nowait(None)

    monkeypatch.setattr(connection, "Naps", SeenNaps)
    return seen


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Naps last until something ends them."""
    monkeypatch.setattr(naps, "NAP_PER_REST", 3600.0)
    monkeypatch.setattr(naps, "LONGEST_NAP_S", 3600.0)


async def append(socket: Socket, audio_16k: Samples) -> None:
    audio = b64encode(pcm16_from_samples(audio_16k)).decode()
    await socket.send_json({"type": "input_audio_buffer.append", "audio": audio})


async def set_up(socket: Socket) -> None:
    """Its audio is taken at 16 kHz, as it is."""
    assert (await event_from(socket))["type"] == "session.created"
    await socket.send_json({"type": "session.update", "session": PCM_16K})
    assert (await event_from(socket))["type"] == "session.updated"


@asynccontextmanager
async def napping(watched: Watched) -> AsyncIterator[tuple[Running, Socket, ScriptedConversation]]:
    """A client that sends silence into a conversation at rest, and has just been left unread."""
    async with server() as running:
        socket = await running.connect()
        await set_up(socket)
        running.conversations[0].rest_s = 60.0
        await append(socket, silence(FRAME_MS))
        await watched.asked.get()
        assert not watched.transport.is_reading()
        yield running, socket, running.conversations[0]


async def until(socket: Socket, event_type: str) -> None:
    while (await event_from(socket))["type"] != event_type:
        pass


# ---- what comes in ----------------------------------------------------------------------------


async def test_messages_that_come_during_naps_are_all_taken_in_order(watched: Watched) -> None:
    levels = [0.25, 0.5, -0.25, -0.5, 0.125] * 5
    async with napping(watched) as (_, socket, conversation):
        before = len(conversation.heard)
        for level in levels:
            await append(socket, sound(level, FRAME_MS))
        assert await is_healthy(socket)
        heard = conversation.heard[before:]
    expected = np.concatenate([sound(level, FRAME_MS) for level in levels])
    assert heard == pytest.approx(expected, abs=1e-3)


async def test_what_was_decoded_before_a_nap_is_taken_during_it(watched: Watched, endless: None) -> None:
    async with napping(watched) as (_, socket, conversation):
        for _ in range(5):
            await append(socket, silence(FRAME_MS))
        conversation.say(n.InputBufferCleared())  # ends the nap: the five come at once, and the first begins another
        for _ in range(5):
            await watched.asked.get()
        assert len(conversation.heard) == 6 * len(silence(FRAME_MS))
        assert not watched.transport.is_reading()


async def test_speech_after_a_rest_is_answered(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_session(
        settings: SessionSettings, session_id: str, correlation_id: str, resumed: Snapshot | None = None
    ) -> Session:
        return Session(scripted(), settings, session_id=session_id, correlation_id=correlation_id)

    monkeypatch.setattr(connection, "REST_AFTER_S", 0.001)
    async with server(ready=False) as running:
        running.service.become_ready(open_session)
        socket = await running.connect()
        await set_up(socket)
        while watched.asked.empty():
            await append(socket, silence(FRAME_MS))
        for _ in range(20):
            await append(socket, sound(QUESTION, FRAME_MS))
        for _ in range(100):
            await append(socket, silence(FRAME_MS))
        await until(socket, "input_audio_buffer.speech_started")
        await until(socket, "response.done")


# ---- when there is none -----------------------------------------------------------------------


async def test_while_something_goes_on_every_message_is_read_at_once(watched: Watched, endless: None) -> None:
    async with server() as running:
        socket = await running.connect()
        await set_up(socket)
        for rest_s in (0.0, naps.REST_AFTER_S - 0.1):
            running.conversations[0].rest_s = rest_s
            await append(socket, silence(FRAME_MS))
            assert await is_healthy(socket)
            assert watched.transport.is_reading()


async def test_a_client_that_measures_its_line_is_read_at_once(watched: Watched, endless: None) -> None:
    async with server() as running:
        socket = await running.connect()
        await set_up(socket)
        await socket.send_json({"type": "session.update", "session": {"speakback": {}}})
        await until(socket, "session.updated")
        running.conversations[0].rest_s = 60.0
        await socket.send_json({"type": "speakback.ping", "sent_ms": 1})
        pong = await event_from(socket)
        assert pong["type"] == "speakback.pong"
        assert isinstance(pong["loop_lag_ms"], float), "the server measures its loop"
        await append(socket, silence(FRAME_MS))
        assert await is_healthy(socket)
        assert watched.asked.empty()


async def test_whatever_the_client_is_told_ends_a_nap(watched: Watched, endless: None) -> None:
    async with napping(watched) as (_, socket, conversation):
        conversation.rest_s = 0.0
        conversation.say(n.UserSpeechStarted("item_1", 300))
        assert (await event_from(socket))["type"] == "input_audio_buffer.speech_started"
        assert await is_healthy(socket)


async def test_reading_that_something_else_holds_is_left_alone() -> None:
    class Held(asyncio.Transport):
        def is_reading(self) -> bool:
            return False

        def pause_reading(self) -> None:
            raise AssertionError("it is held already")

        def resume_reading(self) -> None:
            raise AssertionError("it is held by somebody else")

    held = Naps(Held())
    held.begin(60.0)
    held.end()


# ---- how a nap ends with its connection -------------------------------------------------------


async def test_the_server_may_leave_during_a_nap(watched: Watched, endless: None) -> None:
    with capture_logs() as logs:
        async with napping(watched) as (running, socket, conversation):
            running.service.leave(1012, "the server restarts")
            message = await socket.receive()
            assert (message.type, message.data) == (WSMsgType.CLOSE, 1012)
            await conversation.closed.wait()
    (ended,) = [line for line in logs if line["event"] == "session ended"]
    assert ended["close_code"] == 1000, "the client's answer was read"


async def test_a_client_may_close_during_a_nap(watched: Watched) -> None:
    async with napping(watched) as (_, socket, conversation):
        await socket.close(code=1000)
        assert socket.close_code == 1000
        await conversation.closed.wait()


async def test_a_client_that_vanishes_during_a_nap_is_noticed(watched: Watched) -> None:
    async with napping(watched) as (_, socket, conversation):
        socket._response.close()  # no close frame: the wire is cut
        await conversation.closed.wait()
