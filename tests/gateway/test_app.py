"""gateway/app.py, connection.py, serving.py: real sockets, a scripted conversation."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import aiohttp
import pytest
from aiohttp import WSMsgType
from structlog.testing import capture_logs

from speakback.config import ConfigError
from speakback.config.api_keys import key_hash
from speakback.gateway.auth import KeyRing
from speakback.gateway.connection import UNREADABLE_IN_A_ROW, Limits
from speakback.gateway.conversation import Conversation
from speakback.gateway.service import Service, Terms
from speakback.gateway.serving import listening
from speakback.session import notices as n
from speakback.session.settings import SessionSettings
from speakback.session.snapshot import Snapshot
from tests.gateway.scripted import OFFER, ScriptedConversation

Socket: TypeAlias = aiohttp.ClientWebSocketResponse[Literal[True]]

TERMS = Terms(OFFER, KeyRing(), Limits(send_timeout_s=0.5), max_sessions=2)
KEYED = replace(TERMS, keys=KeyRing((key_hash("sk-sb-good"),)))


@dataclass
class Running:
    """A server under test, and the conversations that it opened."""

    address: str
    service: Service
    http: aiohttp.ClientSession
    conversations: list[ScriptedConversation] = field(default_factory=list)
    ids: list[tuple[str, str]] = field(default_factory=list)
    opened: asyncio.Condition = field(default_factory=asyncio.Condition)
    failure: Exception | None = None

    def open(
        self, settings: SessionSettings, session_id: str, correlation_id: str, resumed: Snapshot | None = None
    ) -> Conversation:
        self.conversations.append(ScriptedConversation(failure=self.failure))
        self.ids.append((session_id, correlation_id))
        return self.conversations[-1]

    async def connect(
        self,
        *,
        headers: Mapping[str, str] | None = None,
        protocols: Sequence[str] = (),
        origin: str | None = None,
        compress: int = 0,
    ) -> Socket:
        return await self.http.ws_connect(
            f"{self.address}/v1/realtime", headers=headers, protocols=protocols, origin=origin, compress=compress
        )

    async def a_seat_is_free(self) -> None:
        """Wait until the server has taken leave of one of two clients."""
        taken = 2
        while taken == 2:
            async with self.http.get(f"{self.address}/readyz") as answer:
                taken = (await answer.json())["sessions"]


@asynccontextmanager
async def server(terms: Terms = TERMS, *, ready: bool = True) -> AsyncIterator[Running]:
    service = Service(terms)
    async with listening(service, "127.0.0.1", 0) as address, aiohttp.ClientSession() as http:
        running = Running(address, service, http)
        if ready:
            service.become_ready(running.open)
        yield running


async def event_from(socket: Socket) -> dict[str, object]:
    message = await socket.receive()
    assert message.type is WSMsgType.TEXT, message
    event = json.loads(message.data)
    assert isinstance(event, dict)
    return event


async def is_healthy(socket: Socket) -> bool:
    """Whether a session still answers."""
    await socket.send_json({"type": "session.update", "session": {}})
    return (await event_from(socket))["type"] == "session.updated"


async def test_a_session_begins_with_its_settings() -> None:
    async with server() as running:
        socket = await running.connect(headers={"X-Correlation-ID": "call-7"})
        event = await event_from(socket)
        assert event["type"] == "session.created"
        assert event["session"]["id"] == running.ids[0][0]  # type: ignore[index]
        assert running.ids[0][1] == "call-7"
        assert socket._response.headers["X-Correlation-ID"] == "call-7"
        assert "speakback" not in json.dumps(event)


async def test_the_correlation_id_may_come_as_a_traceparent() -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    async with server() as running:
        await running.connect(headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})
        assert running.ids[0][1] == trace_id


async def test_compression_is_never_negotiated() -> None:
    async with server() as running:
        socket = await running.connect(compress=15)
        assert "Sec-WebSocket-Extensions" not in socket._response.headers


async def test_messages_go_in_and_notices_come_out() -> None:
    async with server() as running:
        socket = await running.connect()
        await event_from(socket)
        running.conversations[0].say(n.UserSpeechStarted("item_1", 300))
        assert (await event_from(socket))["type"] == "input_audio_buffer.speech_started"
        await socket.send_json({"type": "input_audio_buffer.clear"})
        assert await is_healthy(socket)
        assert running.conversations[0].calls == [("clear_input", ())]


# ---- for operators -----------------------------------------------------------------------------


async def test_health_and_readiness() -> None:
    async with server(ready=False) as running:
        async with running.http.get(f"{running.address}/healthz") as answer:
            assert answer.status == 200
        async with running.http.get(f"{running.address}/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["engines"] == "loading"
        async with running.http.get(f"{running.address}/v1/realtime") as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"]
        running.service.become_ready(running.open)
        async with running.http.get(f"{running.address}/readyz") as answer:
            assert answer.status == 200


async def test_metrics_count_sessions_and_faults() -> None:
    async with server() as running:
        socket = await running.connect()
        await event_from(socket)
        running.conversations[0].say(n.Fault("transcription_failed", "no", by_client=False))
        await event_from(socket)
        async with running.http.get(f"{running.address}/metrics") as answer:
            assert answer.content_type == "text/plain"
            lines = (await answer.text()).splitlines()
        assert "speakback_sessions 1.0" in lines
        assert 'speakback_faults_total{code="transcription_failed"} 1.0' in lines


async def test_metrics_need_a_key_where_sessions_do() -> None:
    async with server(KEYED) as running:
        async with running.http.get(f"{running.address}/metrics") as answer:
            assert answer.status == 401
        async with running.http.get(f"{running.address}/metrics", headers={"Authorization": "Bearer sk-sb-good"}) as ok:
            assert ok.status == 200


# ---- who is let in ----------------------------------------------------------------------------


async def test_without_a_key_there_is_no_upgrade() -> None:
    async with server(KEYED) as running:
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            async with running.http.get(f"{running.address}/v1/realtime", headers=headers) as answer:
                assert answer.status == 401
                assert (await answer.json())["error"]["code"] == "invalid_api_key"
                assert answer.headers["X-Correlation-ID"]
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await running.connect()
        assert not running.conversations


async def test_a_key_may_come_in_a_header_or_in_a_subprotocol(caplog: pytest.LogCaptureFixture) -> None:
    async with server(KEYED) as running:
        await running.connect(headers={"Authorization": "Bearer sk-sb-good"})
        socket = await running.connect(protocols=["realtime", "openai-insecure-api-key.sk-sb-good"])
        assert socket.protocol == "realtime"
    assert "sk-sb-good" not in caplog.text


async def test_foreign_pages_are_turned_away() -> None:
    async with server() as running:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await running.connect(origin="https://evil.example")
        await running.connect(origin="http://localhost:5173")


async def test_one_session_too_many_is_turned_away_and_later_let_in() -> None:
    async with server() as running:
        first, _ = await running.connect(), await running.connect()
        async with running.http.get(f"{running.address}/v1/realtime") as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert (await answer.json())["error"]["code"] == "too_many_sessions"
        await first.close()
        await running.conversations[0].closed.wait()
        await running.a_seat_is_free()
        assert (await event_from(await running.connect()))["type"] == "session.created"


# ---- how sessions end -------------------------------------------------------------------------


async def test_a_client_that_vanishes_ends_its_session_only() -> None:
    async with server() as running:
        gone, stays = await running.connect(), await running.connect()
        await event_from(stays)
        gone._response.close()  # no close frame: the wire is cut
        await running.conversations[0].closed.wait()
        assert not running.conversations[1].closed.is_set()
        assert await is_healthy(stays)


async def test_malformed_json_is_an_error_and_twenty_in_a_row_close_1008() -> None:
    async with server() as running:
        socket, other = await running.connect(), await running.connect()
        await event_from(other)
        await event_from(socket)
        for _ in range(UNREADABLE_IN_A_ROW):
            await socket.send_str("{nonsense")
        codes = [(await event_from(socket))["error"]["code"] for _ in range(UNREADABLE_IN_A_ROW)]  # type: ignore[index]
        assert codes == ["invalid_json"] * UNREADABLE_IN_A_ROW
        assert (await socket.receive()).type is WSMsgType.CLOSE
        assert socket.close_code == 1008
        assert await is_healthy(other)


async def test_text_that_is_not_utf8_is_an_error() -> None:
    async with server() as running:
        socket = await running.connect()
        await event_from(socket)
        await socket.send_frame(b"\xff\xfe", WSMsgType.TEXT)
        assert (await event_from(socket))["error"]["code"] == "invalid_json"  # type: ignore[index]
        assert await is_healthy(socket)


async def test_a_message_of_exactly_the_limit_passes_and_one_byte_more_closes_1009() -> None:
    limit = Limits().max_message_bytes
    frame = '{"type":"input_audio_buffer.append","audio":""}'
    async with server() as running:
        socket, other = await running.connect(), await running.connect()
        await event_from(other)
        await event_from(socket)
        await socket.send_str(frame + " " * (limit - len(frame)))
        assert (await event_from(socket))["error"]["param"] == "audio"  # type: ignore[index]
        await socket.send_str(frame + " " * (limit - len(frame) + 1))
        message = await socket.receive()
        assert message.type is WSMsgType.CLOSE
        assert message.data == 1009
        await running.conversations[0].closed.wait()
        assert await is_healthy(other)


async def test_a_fragmented_message_over_the_limit_is_refused_too() -> None:
    async with server(replace(TERMS, limits=Limits(max_message_bytes=4096))) as running:
        socket = await running.connect()
        await event_from(socket)
        transport = socket._writer.transport
        for opcode in (0x01, 0x00, 0x00):
            # An unfinished, masked frame of 2000 bytes; the mask is zero.
            transport.write(bytes([opcode, 0x80 | 126]) + (2000).to_bytes(2, "big") + bytes(4) + b"x" * 2000)
        message = await socket.receive()
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1009)


async def test_a_client_that_never_reads_is_dropped_and_the_other_is_served() -> None:
    async with server() as running:
        deaf, other = await running.connect(), await running.connect()
        await event_from(other)
        assert deaf._response.connection is not None
        assert deaf._response.connection.transport is not None
        deaf._response.connection.transport.pause_reading()
        conversation = running.conversations[0]
        fault = n.Fault("long", "x" * 50_000, by_client=False)
        while not conversation.closed.is_set():
            conversation.say(fault)
            await asyncio.sleep(0)
        assert await is_healthy(other)
        await running.a_seat_is_free()


async def test_a_client_that_reads_too_slowly_is_told_to_come_again() -> None:
    async with server() as running:
        socket = await running.connect()
        await event_from(socket)
        running.conversations[0].overrun = True
        running.conversations[0].close()
        message = await socket.receive()
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1013)


async def test_a_session_that_fails_says_so_and_closes_1011() -> None:
    async with server() as running:
        with capture_logs() as logs:
            running.failure = RuntimeError("on purpose")
            socket = await running.connect()
            events = [await event_from(socket), await event_from(socket)]
            message = await socket.receive()
    assert events[1]["error"]["type"] == "server_error"  # type: ignore[index]
    assert "on purpose" not in json.dumps(events)
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1011)
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["session failed"]


async def test_a_session_that_ends_itself_after_a_failure_closes_1011() -> None:
    async with server() as running:
        socket = await running.connect()
        await event_from(socket)
        conversation = running.conversations[0]
        conversation.failed = True
        conversation.say(n.Fault("internal_error", "the server failed; the session ends", by_client=False))
        conversation.close()
        error = await event_from(socket)
        message = await socket.receive()
    assert error["error"]["code"] == "internal_error"  # type: ignore[index]
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1011), "and the error is told once"


async def test_a_session_in_which_nothing_is_said_ends() -> None:
    async with server(replace(TERMS, limits=Limits(idle_timeout_s=0.05))) as running:
        socket = await running.connect()
        await event_from(socket)
        message = await socket.receive()
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1000)


async def test_a_server_that_goes_tells_its_clients_to_come_again() -> None:
    async with server() as running:
        sockets = [await running.connect(), await running.connect()]
        for socket in sockets:
            await event_from(socket)
        running.service.leave(1012, "the server restarts")
        messages = [await socket.receive() for socket in sockets]
        assert [(message.type, message.data) for message in messages] == [(WSMsgType.CLOSE, 1012)] * 2
        async with running.http.get(f"{running.address}/v1/realtime") as answer:
            assert answer.status == 503


async def test_leaving_the_server_ends_its_sessions() -> None:
    async with server() as running:
        socket = await running.connect()
        await event_from(socket)
    assert running.conversations[0].closed.is_set()
    assert running.service.seats.taken == 0


async def test_an_address_that_is_taken_is_said_plainly() -> None:
    async with server() as running:
        port = int(running.address.rsplit(":", 1)[1])
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with listening(Service(TERMS), "127.0.0.1", port):
                pass
