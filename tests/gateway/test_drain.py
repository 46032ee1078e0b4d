"""gateway/drain.py: the order in which a server leaves, and that no client holds it up. Real sockets, a scripted
conversation; no wait is longer than a client deserves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import aiohttp
import pytest
from aiohttp import WSMsgType

from speakback.gateway.auth import KeyRing
from speakback.gateway.connection import Limits
from speakback.gateway.conversation import Conversation
from speakback.gateway.drain import CLOSING_S, CUTTING_S, REASON, Drained, DrainTerms, drain, end_now, terms_within
from speakback.gateway.service import Service, Terms
from speakback.gateway.serving import Doors, opened
from speakback.session import notices as n
from speakback.session.settings import SessionSettings
from speakback.session.snapshot import Snapshot
from tests.gateway.scripted import OFFER, ScriptedConversation

Socket: TypeAlias = aiohttp.ClientWebSocketResponse[Literal[True]]

# A client that is waited for longer than the drain allows would time the test out.
TERMS = Terms(OFFER, KeyRing(), Limits(send_timeout_s=60.0), max_sessions=8)
SOON = DrainTerms(deadline_s=0.2)
LATE = DrainTerms(deadline_s=60.0)


@dataclass
class Leaving:
    """A server under test, which can be told to leave."""

    service: Service
    doors: Doors
    http: aiohttp.ClientSession
    conversations: list[ScriptedConversation] = field(default_factory=list)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    kind: type[ScriptedConversation] = ScriptedConversation

    def open(
        self, settings: SessionSettings, session_id: str, correlation_id: str, resumed: Snapshot | None = None
    ) -> Conversation:
        self.conversations.append(self.kind())
        return self.conversations[-1]

    async def connect(self, *, opts_in: bool = True, autoclose: bool = True) -> Socket:
        socket = await self.http.ws_connect(f"{self.doors.address}/v1/realtime", autoclose=autoclose)
        assert (await told(socket))["type"] == "session.created"
        if opts_in:
            await socket.send_json({"type": "session.update", "session": {"speakback": {}}})
            assert (await told(socket))["type"] == "session.updated"
        return socket

    def drain(self, terms: DrainTerms) -> "asyncio.Task[Drained]":
        return asyncio.create_task(drain(self.service, self.doors.close, terms, self.hurry))

    async def readiness(self) -> int:
        async with self.http.get(f"{self.doors.address}/readyz") as answer:
            return answer.status


@asynccontextmanager
async def server() -> AsyncIterator[Leaving]:
    service = Service(TERMS)
    async with opened(service, "127.0.0.1", 0) as doors, aiohttp.ClientSession() as http:
        leaving = Leaving(service, doors, http)
        service.become_ready(leaving.open)
        yield leaving


async def told(socket: Socket) -> dict[str, object]:
    message = await socket.receive()
    assert message.type is WSMsgType.TEXT, message
    event = message.json()
    assert isinstance(event, dict)
    return event


async def close_code(socket: Socket) -> int:
    """Of the close that comes next."""
    message = await socket.receive()
    assert message.type is WSMsgType.CLOSE, message
    code: int = message.data
    return code


# ---- the order --------------------------------------------------------------------------------


@dataclass
class NotedHouse:
    """A house that notes what is asked of it; its guests go when their conversations are at rest, or never."""

    done: list[str] = field(default_factory=list)
    present: int = 1
    go_at: str = "take_leave"

    def begin_leaving(self) -> None:
        self._note("begin_leaving")

    def take_leave(self, by_s: float, reason: str) -> None:
        self._note("take_leave")

    def leave(self, code: int, reason: str) -> None:
        assert code == 1012
        self._note("leave")

    def abort(self) -> None:
        self._note("abort")

    async def stop_listening(self) -> None:
        self._note("stop_listening")

    async def emptied(self) -> None:
        if self.present:
            await asyncio.Event().wait()

    def _note(self, what: str) -> None:
        self.done.append(what)
        if what == self.go_at:
            self.present = 0


STEPS = ["begin_leaving", "stop_listening", "take_leave", "leave", "abort"]


@pytest.mark.parametrize("go_at", STEPS[2:])
async def test_no_step_comes_before_its_time_or_after_it_is_needed(go_at: str) -> None:
    house = NotedHouse(go_at=go_at)
    drained = await drain(house, house.stop_listening, DrainTerms(deadline_s=0.05), asyncio.Event())
    assert house.done == STEPS[: max(STEPS.index(go_at), 3) + 1]
    assert drained == Drained(present=1, cut_short=0 if go_at == "take_leave" else 1)


def test_conversations_are_cut_so_early_that_the_process_has_ended_in_time() -> None:
    terms = terms_within(20.0, 3.0, ending_s=0.5)
    assert terms.notice_s == 3.0
    assert terms.deadline_s + CLOSING_S + CUTTING_S + 0.5 == pytest.approx(20.0)


def test_of_a_short_time_conversations_have_half() -> None:
    assert terms_within(1.0, 0.0, ending_s=0.5).deadline_s == 0.5


async def test_a_hurry_skips_the_waits_and_no_step() -> None:
    house, hurry = NotedHouse(go_at="leave"), asyncio.Event()
    hurry.set()
    await drain(house, house.stop_listening, DrainTerms(deadline_s=60.0, notice_s=60.0), hurry)
    assert house.done == STEPS[:4]


async def test_readiness_fails_first_and_then_the_door_is_closed() -> None:
    async with server() as leaving:
        socket = await leaving.connect()
        assert await leaving.readiness() == 200
        draining = leaving.drain(replace(LATE, notice_s=0.3))
        await asyncio.sleep(0)
        assert await leaving.readiness() == 503
        async with leaving.http.get(f"{leaving.doors.address}/v1/realtime") as refused:
            assert refused.status == 503
            assert refused.headers["Retry-After"]
        assert not leaving.conversations[0].leaving.is_set(), "who is here is not bothered yet"
        assert (await told(socket))["type"] == "speakback.goaway"
        async with aiohttp.ClientSession() as fresh:
            with pytest.raises(aiohttp.ClientConnectorError):
                await fresh.get(f"{leaving.doors.address}/readyz")
        assert not draining.done()
        await leaving.conversations[0].leaving.wait()
        leaving.conversations[0].come_to_rest()
        assert await close_code(socket) == 1012
        assert await draining == Drained(present=1, cut_short=0)


async def test_who_is_here_speaks_on_and_leaves_at_rest() -> None:
    async with server() as leaving:
        early, late = await leaving.connect(), await leaving.connect()
        leaving.conversations[0].is_at_rest = True
        draining = leaving.drain(LATE)
        goodbyes = [await told(early), await told(late)]
        assert [event["reason"] for event in goodbyes] == [REASON] * 2
        assert all(0 < int(str(event["deadline_ms"])) <= 60_000 for event in goodbyes)
        assert await close_code(early) == 1012
        await late.send_json({"type": "session.update", "session": {}})
        assert (await told(late))["type"] == "session.updated"
        last = n.UserSpeechStarted("item_1", 300)
        leaving.conversations[1].say(last)
        leaving.conversations[1].come_to_rest()
        assert (await told(late))["type"] == "input_audio_buffer.speech_started", "all that was said is told"
        assert await close_code(late) == 1012
        assert await draining == Drained(present=2, cut_short=0)


async def test_a_client_that_asked_for_nothing_of_ours_is_closed_at_rest_without_a_word() -> None:
    async with server() as leaving:
        socket = await leaving.connect(opts_in=False)
        draining = leaving.drain(LATE)
        await leaving.conversations[0].leaving.wait()
        leaving.conversations[0].come_to_rest()
        assert await close_code(socket) == 1012
        await draining


async def test_with_nobody_there_it_is_over_at_once() -> None:
    async with server() as leaving:
        assert await leaving.drain(LATE) == Drained(present=0, cut_short=0)


# ---- nobody holds it up -----------------------------------------------------------------------


async def test_at_the_deadline_a_conversation_ends_as_it_stands() -> None:
    async with server() as leaving:
        socket = await leaving.connect()
        draining = leaving.drain(SOON)
        assert (await told(socket))["type"] == "speakback.goaway"
        assert await close_code(socket) == 1012
        assert await draining == Drained(present=1, cut_short=1)


class LastWords(ScriptedConversation):
    """Something of it has not been told yet when it is closed."""

    def close(self) -> None:
        self.say(n.UserSpeechStarted("item_1", 300))
        super().close()


async def test_what_was_said_by_then_is_told_before_the_close() -> None:
    async with server() as leaving:
        leaving.kind = LastWords
        socket = await leaving.connect()
        draining = leaving.drain(SOON)
        assert (await told(socket))["type"] == "speakback.goaway"
        assert (await told(socket))["type"] == "input_audio_buffer.speech_started"
        assert await close_code(socket) == 1012
        await draining


async def test_a_second_signal_ends_it_before_the_deadline() -> None:
    async with server() as leaving:
        socket = await leaving.connect()
        draining = leaving.drain(LATE)
        assert (await told(socket))["type"] == "speakback.goaway"
        leaving.hurry.set()
        assert await close_code(socket) == 1012
        assert await draining == Drained(present=1, cut_short=1)


async def test_a_client_that_never_reads_is_not_waited_for() -> None:
    async with server() as leaving:
        socket = await leaving.connect()
        assert socket._response.connection is not None
        assert socket._response.connection.transport is not None
        socket._response.connection.transport.pause_reading()
        conversation = leaving.conversations[0]
        conversation.say(*[n.Fault("long", "x" * 50_000, by_client=False)] * 100)
        assert await leaving.drain(SOON) == Drained(present=1, cut_short=1)
        assert leaving.service.present == 0


@pytest.mark.parametrize("terms", [SOON, replace(LATE, deadline_s=0.5)])
async def test_a_client_that_does_not_answer_the_close_is_not_waited_for(terms: DrainTerms) -> None:
    async with server() as leaving:
        socket = await leaving.connect(autoclose=False)
        leaving.conversations[0].is_at_rest = terms is not SOON
        draining = leaving.drain(terms)
        assert (await told(socket))["type"] == "speakback.goaway"
        await draining
        assert leaving.service.present == 0
        await socket.close()


async def test_leaving_the_context_ends_whoever_is_left() -> None:
    async with server() as leaving:
        socket = await leaving.connect(autoclose=False)
    assert leaving.conversations[0].closed.is_set()
    assert leaving.service.present == 0
    await socket.close()


async def test_one_who_was_let_in_just_before_is_told_as_well() -> None:
    async with server() as leaving:
        with leaving.service.guest():
            draining = leaving.drain(LATE)
            await asyncio.sleep(0)
            assert leaving.service.present == 1
            emptied = asyncio.create_task(leaving.service.emptied())
            await asyncio.sleep(0)
            assert not emptied.done(), "it is waited for"
        await draining
        await emptied


async def test_a_connection_that_comes_in_while_the_server_leaves_is_told_so() -> None:
    told_connections: list[object] = []

    class Late:
        def take_leave(self, by_s: float, reason: str) -> None:
            told_connections.append((by_s, reason))

    service = Service(TERMS)
    service.begin_leaving()
    service.take_leave(7.0, REASON)
    with service.connected(Late()):  # type: ignore[arg-type]
        assert told_connections == [(7.0, REASON)]
    await end_now(service)
