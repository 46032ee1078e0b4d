"""Clients that read too slowly, or not at all: real sockets with small buffers. `session/waiting.py` has the stages."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp
import pytest
from aiohttp import WSMsgType

from speakback.gateway import connection, slow_reader
from speakback.gateway.connection import Limits
from speakback.gateway.fair_share import FairShare
from speakback.gateway.slow_reader import (
    HIGH_WATER_BYTES,
    KERNEL_BYTES,
    LOW_WATER_BYTES,
    SlowReader,
    bound_buffers,
    takes_at_once,
)
from speakback.session import notices as n
from speakback.session import waiting
from speakback.session.driver import Session
from speakback.session.settings import SessionSettings
from speakback.session.snapshot import Snapshot
from speakback.session.waiting import CRAMMED_BYTES, MOST_BYTES
from speakback.timebase import VOICE_HZ, samples_to_ms
from speakback.turn.drafts import DraftBook
from tests.gateway.scripted import ScriptedConversation
from tests.gateway.test_app import TERMS, Running, Socket, event_from, is_healthy, server
from tests.session.scripted import LONG, PATIENCE_S, ScriptedTts, says, scripted

SMALL = 4096
"""Bytes that the client's kernel takes for it; the system makes some more of it."""
PATIENT = replace(TERMS, limits=Limits(send_timeout_s=PATIENCE_S))
EXTENDED = {"speakback": {"events": ["drafts"]}}
DRAFTS = n.DraftsCounted(DraftBook())


@pytest.fixture
def transports(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.Transport]:
    """The server's ends of the connections that are made; small buffers, and soon behind."""
    made: list[asyncio.Transport] = []

    def bound(transport: asyncio.Transport) -> None:
        bound_buffers(transport)
        made.append(transport)

    monkeypatch.setattr(connection, "bound_buffers", bound)
    monkeypatch.setattr(slow_reader, "UNSENT_BYTES", SMALL)
    monkeypatch.setattr(slow_reader, "KERNEL_BYTES", SMALL)
    monkeypatch.setattr(slow_reader, "HIGH_WATER_BYTES", SMALL)
    monkeypatch.setattr(slow_reader, "LOW_WATER_BYTES", SMALL // 2)
    monkeypatch.setattr(waiting, "BEHIND_MS", 50)
    return made


def small_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    return made


@dataclass
class Slow:
    """A client that reads only while it wants to."""

    socket: Socket

    @property
    def transport(self) -> asyncio.Transport:
        assert self.socket._response.connection is not None
        found = self.socket._response.connection.transport
        assert isinstance(found, asyncio.Transport)
        return found

    def stop_reading(self) -> None:
        self.transport.pause_reading()

    def read_again(self) -> None:
        self.transport.resume_reading()

    async def events_until(self, event_type: str) -> list[dict[str, object]]:
        events = [await event_from(self.socket)]
        while events[-1]["type"] != event_type:
            events.append(await event_from(self.socket))
        return events

    async def end(self) -> tuple[list[dict[str, object]], int]:
        """What is still to come, and the code with which the server closes."""
        events = []
        while (message := await self.socket.receive()).type is WSMsgType.TEXT:
            events.append(json.loads(message.data))
        assert self.socket.close_code is not None
        return events, self.socket.close_code


@asynccontextmanager
async def slow_client(running: Running, **session: object) -> AsyncIterator[Slow]:
    connector = aiohttp.TCPConnector(socket_factory=small_socket)
    async with aiohttp.ClientSession(connector=connector) as http:
        client = Slow(await http.ws_connect(f"{running.address}/v1/realtime"))
        await event_from(client.socket)
        if session:
            await client.socket.send_json({"type": "session.update", "session": session})
            await event_from(client.socket)
        async with asyncio.timeout(PATIENCE_S):
            yield client


def fault(number: int, size: int = 2000) -> n.Fault:
    return n.Fault(f"fault_{number}", "x" * size, by_client=False)


async def until(holds: Callable[[], bool]) -> None:
    """Let time pass: nobody tells when something has waited too long."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0)


async def until_behind(conversation: ScriptedConversation) -> int:
    """Say so much that the client falls behind; returns how many faults that took."""
    number = 0
    while not conversation.is_behind:
        if len(conversation.notices) < 3:
            conversation.say(fault(number))
            number += 1
        await asyncio.sleep(0)
    return number


def codes(events: list[dict[str, object]]) -> list[str]:
    return [event["error"]["code"] for event in events if event["type"] == "error"]  # type: ignore[index]


def test_a_message_that_may_have_to_wait_is_guarded_by_the_timeout() -> None:
    class Filled(asyncio.Transport):
        waiting_bytes = 0

        def get_write_buffer_size(self) -> int:
            return self.waiting_bytes

    transport = Filled()
    assert takes_at_once(transport, 1000)
    assert not takes_at_once(transport, LOW_WATER_BYTES // 4), "each character may take four bytes"
    transport.waiting_bytes = LOW_WATER_BYTES - 100
    assert not takes_at_once(transport, 100)


# ---- behind ---------------------------------------------------------------------------------------


async def test_what_is_optional_is_left_out_while_a_client_is_behind_and_told_once_it_reads(
    transports: list[asyncio.Transport],
) -> None:
    async with server(PATIENT) as running, slow_client(running, **EXTENDED) as client:
        conversation = running.conversations[0]
        client.stop_reading()
        said = await until_behind(conversation)
        conversation.say(DRAFTS, DRAFTS, fault(said))
        client.read_again()
        events = await client.events_until("speakback.behind")
        assert codes(events) == [f"fault_{number}" for number in range(said + 1)], "of the rest nothing is lost"
        assert {event["type"] for event in events} == {"error", "speakback.behind"}
        assert events[-1]["left_out"] == {"speakback.drafts": 2}
        conversation.say(DRAFTS)
        assert (await event_from(client.socket))["type"] == "speakback.drafts"


async def test_a_client_that_did_not_ask_for_events_of_ours_gets_none(transports: list[asyncio.Transport]) -> None:
    async with server(PATIENT) as running, slow_client(running) as client:
        conversation = running.conversations[0]
        client.stop_reading()
        said = await until_behind(conversation)
        client.read_again()
        for _ in range(said):
            assert (await event_from(client.socket))["type"] == "error"
        assert await is_healthy(client.socket)


async def test_a_client_that_is_behind_all_the_time_is_given_up(
    monkeypatch: pytest.MonkeyPatch, transports: list[asyncio.Transport]
) -> None:
    """It takes a little now and then, and so each message in time."""
    monkeypatch.setattr(ScriptedConversation, "is_behind", True)
    async with server(replace(TERMS, limits=Limits(send_timeout_s=0.05))) as running, slow_client(running) as client:
        conversation, reading = running.conversations[0], asyncio.create_task(client.end())
        while not conversation.closed.is_set():
            if len(conversation.notices) < 3:
                conversation.say(fault(0, 1))
            await asyncio.sleep(0)
        _, code = await reading
        assert code == 1013


def test_a_client_is_given_up_after_its_time_and_not_if_it_caught_up() -> None:
    reader = SlowReader(10.0)
    assert not reader.fell_behind
    reader.saw_it_behind(100.0)
    reader.saw_it_behind(109.0)
    reader.leave_out(["a", "b"])
    reader.leave_out(["a"])
    assert (reader.fell_behind, reader.is_given_up(110.0), reader.is_given_up(110.1)) == (True, False, True)
    assert reader.caught_up() == {"a": 2, "b": 1}
    assert (reader.fell_behind, reader.is_given_up(999.0), reader.caught_up()) == (False, False, {})


# ---- too far behind -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [10, 100_000], ids=["many", "large"])
async def test_a_client_that_never_reads_is_dropped_its_memory_bounded_and_the_other_served(
    transports: list[asyncio.Transport], size: int
) -> None:
    async with server() as running, slow_client(running) as client:
        other = await running.connect()
        await event_from(other)
        conversation = running.conversations[0]
        client.stop_reading()
        most_waiting = most_on_the_way = number = 0
        while not conversation.closed.is_set():
            conversation.say(fault(number, size))
            number += 1
            await asyncio.sleep(0)
            most_waiting = max(most_waiting, conversation.notices.weight_bytes)
            most_on_the_way = max(most_on_the_way, transports[0].get_write_buffer_size())
            if number % 50 == 0:
                assert await is_healthy(other)
        assert most_waiting <= MOST_BYTES + size + 1000
        assert most_on_the_way <= slow_reader.HIGH_WATER_BYTES + size + 1000
        await running.a_seat_is_free()
        assert transports[0].is_closing()
        assert await is_healthy(other)


async def test_a_client_that_comes_back_too_late_is_told_to_come_again(transports: list[asyncio.Transport]) -> None:
    async with server() as running, slow_client(running) as client:
        conversation = running.conversations[0]
        client.stop_reading()
        number = 0
        while not conversation.closed.is_set():  # for want of reading, after `send_timeout_s`
            if len(conversation.notices) < 3:
                conversation.say(fault(number))
                number += 1
            await asyncio.sleep(0)
        client.read_again()
        events, code = await client.end()
        assert code == 1013
        assert codes(events) == [f"fault_{index}" for index in range(len(events))], "all in order until the end"


async def test_of_a_client_that_does_not_read_no_more_is_taken_than_fits(transports: list[asyncio.Transport]) -> None:
    """It sends large items, each of which is to be told back to it."""
    size, items = 20_000, 100

    async def send_items(client: Slow) -> None:
        for number in range(items):
            content = [{"type": "input_text", "text": "x" * size}]
            item = {"id": f"item_{number}", "type": "message", "role": "user", "content": content}
            await client.socket.send_json({"type": "conversation.item.create", "item": item})

    async with live() as (running, sessions), slow_client(running) as client:
        client.stop_reading()
        sending = asyncio.create_task(send_items(client))
        notices = sessions[0]._notices
        await until(lambda: notices.is_crammed)
        assert not sessions[0].overrun
        assert CRAMMED_BYTES < notices.weight_bytes <= CRAMMED_BYTES + size + 1000
        client.read_again()
        added = 0
        while added < items:
            added += (await event_from(client.socket))["type"] == "conversation.item.done"
            assert notices.weight_bytes <= CRAMMED_BYTES + size + 1000
        await sending
        assert not sessions[0].overrun


# ---- in mid-reply ---------------------------------------------------------------------------------


@asynccontextmanager
async def live() -> AsyncIterator[tuple[Running, list[Session]]]:
    """A server with real sessions on scripted engines, whose replies last 2 s."""
    sessions: list[Session] = []

    def open_session(
        settings: SessionSettings, session_id: str, correlation_id: str, resumed: Snapshot | None = None
    ) -> Session:
        engines = scripted(says(LONG), tts=ScriptedTts(word_ms=125))
        sessions.append(Session(engines, settings, session_id=session_id, correlation_id=correlation_id))
        return sessions[-1]

    async with server(PATIENT, ready=False) as running:
        running.service.become_ready(open_session)
        yield running, sessions


REPLY_MS = 16 * 125


def audio_ms(events: list[dict[str, object]]) -> float:
    """In base64 of PCM16 at 24 kHz."""
    deltas = (event for event in events if event["type"] == "response.output_audio.delta")
    return sum(len(str(event["delta"])) * 3 // 4 / 2 for event in deltas) / (VOICE_HZ / 1000)


async def test_one_that_stops_reading_mid_reply_and_comes_back_hears_all_of_it(
    transports: list[asyncio.Transport],
) -> None:
    async with live() as (running, sessions), slow_client(running, **EXTENDED) as client:
        await client.socket.send_json({"type": "response.create"})
        heard = await client.events_until("response.output_audio.delta")
        client.stop_reading()
        reply = sessions[0]._replies.current
        assert reply is not None
        await until(lambda: sessions[0].is_behind)
        sent_samples = reply.ledger.sent_samples
        other = await running.connect()  # who is answered in full meanwhile
        await other.send_json({"type": "response.create"})
        while (event := await event_from(other))["type"] != "response.done":
            pass
        assert event["response"]["status"] == "completed"  # type: ignore[index]
        assert reply.ledger.sent_samples == sent_samples, "no more of it was made ready"
        assert samples_to_ms(sent_samples, VOICE_HZ) < REPLY_MS / 2
        assert sessions[0]._replies.current is reply
        client.read_again()
        heard += await client.events_until("response.done")
        assert heard[-1]["response"]["status"] == "completed"  # type: ignore[index]
        assert round(audio_ms(heard)) == REPLY_MS
        assert "speakback.behind" in [event["type"] for event in heard]


async def test_a_client_that_vanishes_while_it_is_behind_ends_its_session(
    transports: list[asyncio.Transport],
) -> None:
    async with live() as (running, sessions), slow_client(running) as client:
        await client.socket.send_json({"type": "response.create"})
        await client.events_until("response.output_audio.delta")
        client.stop_reading()
        await until(lambda: sessions[0].is_behind)
        client.transport.abort()
        while await sessions[0].next_notice() is not None:
            pass


# ---- the buffers ----------------------------------------------------------------------------------


async def test_a_connections_buffers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[asyncio.Transport] = []

    def bound(transport: asyncio.Transport) -> None:
        bound_buffers(transport)
        made.append(transport)

    monkeypatch.setattr(connection, "bound_buffers", bound)
    async with server() as running:
        await event_from(await running.connect())
        (transport,) = made
        assert transport.get_write_buffer_limits() == (slow_reader.LOW_WATER_BYTES, HIGH_WATER_BYTES)
        wire = transport.get_extra_info("socket")
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * KERNEL_BYTES
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            lowat = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
            assert lowat == slow_reader.UNSENT_BYTES


async def test_what_is_no_socket_has_its_transport_bounded() -> None:
    class Pipe(asyncio.Transport):
        limits: tuple[int | None, int | None] = (None, None)

        def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
            self.limits = (high, low)

    pipe = Pipe()
    bound_buffers(pipe)
    assert pipe.limits == (HIGH_WATER_BYTES, slow_reader.LOW_WATER_BYTES)


# ---- pings ----------------------------------------------------------------------------------------


async def test_a_flood_of_pings_is_answered_in_its_fair_share_and_the_other_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[float] = []

    class Counted(FairShare):
        def pause_s(self, began_s: float, ended_s: float) -> float:
            taken.append(began_s)
            return super().pause_s(began_s, ended_s)

    monkeypatch.setattr(connection, "FairShare", Counted)
    async with server() as running, aiohttp.ClientSession() as http:
        flooding = await http.ws_connect(f"{running.address}/v1/realtime", autoping=False)
        other = await running.connect()
        await event_from(other)
        await flooding.receive()
        for _ in range(1000):
            await flooding.ping(b"?")
        assert await is_healthy(other)
        for _ in range(1000):
            message = await flooding.receive()
            assert (message.type, bytes(message.data)) == (WSMsgType.PONG, b"?")
        assert len(taken) > 1000
