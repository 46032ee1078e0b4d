"""One socket, against a real server."""

import asyncio
import logging
from collections.abc import Iterable

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from speakback.providers.link import socket as socket_module
from speakback.providers.link.failures import LinkLost, LinkRefused, LinkUnreachable
from speakback.providers.link.opening import Destination
from speakback.providers.link.socket import LinkSocket, SocketEvents
from tests.providers.link.servers import own_tasks, serving

SECRET = "sk_very_secret"


class Listener:
    """What a socket told."""

    def __init__(self, keep_alive: Iterable[str] = ()) -> None:
        self.messages: asyncio.Queue[str] = asyncio.Queue()
        self.lost: asyncio.Future[LinkLost] = asyncio.get_running_loop().create_future()
        self.events = SocketEvents(self.messages.put_nowait, self.lost.set_result, lambda _: keep_alive)


def at(address: str) -> Destination:
    return Destination(url=address.replace("http", "ws"), headers={"xi-api-key": SECRET}, connect_within_s=3)


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def test_messages_go_and_come_in_order() -> None:
    async with serving(echo) as address:
        listener = Listener()
        link = await LinkSocket.open(at(address), listener.events, tick_s=60)
        for number in range(100):
            link.send(str(number))
        assert [await listener.messages.get() for _ in range(100)] == [str(number) for number in range(100)]
        await link.aclose()
        assert own_tasks() == set()
        assert not listener.lost.done()


async def test_gotcha_02_a_message_of_more_than_a_mebibyte_is_taken() -> None:
    async with serving(echo) as address:
        listener = Listener()
        link = await LinkSocket.open(at(address), listener.events, tick_s=60)
        link.send("x" * 5_000_000)
        assert len(await listener.messages.get()) == 5_000_000
        await link.aclose()


async def test_gotcha_22_goodbye_is_said_and_the_server_closes_first() -> None:
    codes: asyncio.Queue[tuple[str, int | None]] = asyncio.Queue()

    async def script(connection: ServerConnection) -> None:
        message = await connection.recv()
        await connection.close(1000)
        codes.put_nowait((str(message), connection.close_code))

    async with serving(script) as address:
        link = await LinkSocket.open(at(address), Listener().events, tick_s=60)
        await link.aclose("goodbye")
        assert await codes.get() == ("goodbye", 1000)


async def test_a_refused_upgrade_tells_status_body_and_headers_and_never_the_key() -> None:
    def refuse(connection: ServerConnection, _: Request) -> Response:
        answer = connection.respond(403, '{"detail": {}}')
        answer.headers["request-id"] = "r-1"
        return answer

    async with serving(echo, refuse) as address:
        with pytest.raises(LinkRefused) as caught:
            await LinkSocket.open(at(address), Listener().events, tick_s=60)
    assert (caught.value.status, caught.value.body, caught.value.headers["request-id"]) == (
        403,
        b'{"detail": {}}',
        "r-1",
    )
    assert SECRET not in repr(at("http://x")) + str(caught.value)


async def test_a_redirect_is_not_followed_as_it_would_carry_the_key_away() -> None:
    def refuse(connection: ServerConnection, _: Request) -> Response:
        answer = connection.respond(302, "")
        answer.headers["Location"] = "ws://127.0.0.1:1/elsewhere"
        return answer

    async with serving(echo, refuse) as address:
        with pytest.raises(LinkRefused) as caught:
            await LinkSocket.open(at(address), Listener().events, tick_s=60)
    assert caught.value.status == 302


async def test_nobody_there_is_unreachable() -> None:
    async with serving(echo) as address:
        pass
    with pytest.raises(LinkUnreachable, match=r"127\.0\.0\.1"):
        await LinkSocket.open(at(address), Listener().events, tick_s=60)


async def test_a_server_that_does_not_answer_is_unreachable_in_time() -> None:
    writers: list[asyncio.StreamWriter] = []

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        destination = Destination(url=f"ws://127.0.0.1:{port}", headers={}, connect_within_s=0.05)
        with pytest.raises(LinkUnreachable, match=r"within 0\.05 s"):
            await LinkSocket.open(destination, Listener().events, tick_s=60)
        for writer in writers:
            writer.close()


@pytest.mark.parametrize("code", [1008, 1011])
async def test_a_close_by_the_server_is_told_once_with_its_code_and_leaves_no_task(code: int) -> None:
    async def script(connection: ServerConnection) -> None:
        await connection.close(code, "why")

    async with serving(script) as address:
        listener = Listener()
        link = await LinkSocket.open(at(address), listener.events, tick_s=60)
        assert (await listener.lost).code == code
        assert not link.is_open
        link.send("dropped")
        await link.aclose("goodbye")
        assert own_tasks() == set()


async def test_a_connection_that_just_ends_is_lost_with_1006() -> None:
    async def script(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with serving(script) as address:
        listener = Listener()
        link = await LinkSocket.open(at(address), listener.events, tick_s=60)
        assert (await listener.lost).code == 1006
        await link.aclose()


async def test_keep_alives_are_written_while_there_is_nothing_to_say() -> None:
    async with serving(echo) as address:
        listener = Listener(keep_alive=("still here",))
        link = await LinkSocket.open(at(address), listener.events, tick_s=0.01)
        assert [await listener.messages.get() for _ in range(3)] == ["still here"] * 3
        await link.aclose()


async def test_a_service_that_reads_nothing_is_lost_and_not_queued_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket_module, "MESSAGES_AHEAD", 3)
    async with serving(echo) as address:
        listener = Listener()
        link = await LinkSocket.open(at(address), listener.events, tick_s=60)
        for _ in range(4):
            link.send("x")
        assert (await listener.lost).code == 1006
        await link.aclose()
        assert own_tasks() == set()


async def test_keys_and_words_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(echo) as address:
        listener = Listener()
        link = await LinkSocket.open(at(address), listener.events, tick_s=60)
        link.send("private words")
        await listener.messages.get()
        await link.aclose()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("speakback")]
    assert ours == []
