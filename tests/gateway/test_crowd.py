"""Real sockets: many clients at once, clients that vanish, sessions that cannot be opened."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import aiohttp
import pytest

from speakback.gateway.admission import RETRY_AFTER_S, LoadLimits
from speakback.observe.load import Load
from speakback.observe.loop_lag import LagFigures
from speakback.session.settings import SessionSettings
from speakback.session.snapshot import Snapshot
from tests.gateway.test_app import TERMS, Running, Socket, event_from, server

ROOM = 7
KNOCKS = 200
HANDSHAKE = (
    b"GET /v1/realtime HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
CROWDED = replace(TERMS, max_sessions=ROOM)
BUSY = Load(1, LagFigures(0, 80, 80))
CALM = Load(2)
LIMITED = replace(TERMS, max_sessions=9, load_limits=LoadLimits(loop_lag_ms=50))


async def knock(running: Running) -> Socket | int:
    """The socket, or the status of the refusal."""
    try:
        return await running.connect()
    except aiohttp.WSServerHandshakeError as refusal:
        return refusal.status


def measure_by_hand(running: Running) -> Callable[[Load], None]:
    """The server learns of its load by what this returns, and not by its meter."""
    measured = running.service.seats.measured
    running.service.seats.measured = lambda load: None  # type: ignore[method-assign]
    return measured


async def all_seats_are_free(running: Running) -> None:
    while running.service.seats.taken:
        async with running.http.get(f"{running.address}/healthz"):
            pass


async def metric(running: Running, name: str) -> float:
    async with running.http.get(f"{running.address}/metrics") as answer:
        (line,) = [line for line in (await answer.text()).splitlines() if line.startswith(f"{name} ")]
    return float(line.rpartition(" ")[2])


async def test_of_a_crowd_exactly_as_many_are_let_in_as_there_is_room() -> None:
    async with server(CROWDED) as running:
        connector = aiohttp.TCPConnector(limit=0)
        await running.http.close()
        async with aiohttp.ClientSession(connector=connector) as running.http:
            answers = await asyncio.gather(*(knock(running) for _ in range(KNOCKS)))
            sockets = [answer for answer in answers if not isinstance(answer, int)]
            assert len(sockets) == ROOM
            assert answers.count(503) == KNOCKS - ROOM
            assert len(running.conversations) == ROOM
            assert await metric(running, 'speakback_refused_total{reason="sessions"}') == KNOCKS - ROOM
            assert await metric(running, 'speakback_admitted_total{kind="new"}') == ROOM
            for socket in sockets:
                await event_from(socket)
                await socket.close()
            await all_seats_are_free(running)


async def test_between_two_measurements_no_more_join_than_may() -> None:
    terms = replace(TERMS, max_sessions=50, load_limits=LoadLimits(joins=3))
    async with server(terms) as running:
        measure_by_hand(running)
        answers = await asyncio.gather(*(knock(running) for _ in range(20)))
        assert sum(not isinstance(answer, int) for answer in answers) == 3


async def test_clients_that_vanish_during_the_upgrade_leave_no_seat_taken() -> None:
    async with server(CROWDED) as running:
        host, port = running.address.removeprefix("http://").split(":")
        for _ in range(3 * ROOM):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(HANDSHAKE)
            writer.transport.abort()
        await all_seats_are_free(running)
        assert not isinstance(await knock(running), int)


async def test_a_session_that_cannot_be_opened_gives_its_seat_back() -> None:
    def broken(
        settings: SessionSettings, session_id: str, correlation_id: str, resumed: Snapshot | None = None
    ) -> NoReturn:
        raise RuntimeError("on purpose")

    async with server(CROWDED) as running:
        running.service.become_ready(broken)
        assert [await knock(running) for _ in range(2 * ROOM)] == [500] * 2 * ROOM
        assert running.service.seats.taken == 0


async def test_a_busy_server_says_so_at_the_door_and_stays_alive() -> None:
    async with server(LIMITED) as running:
        socket = await running.connect()
        await event_from(socket)
        measured = measure_by_hand(running)
        measured(BUSY)
        async with running.http.get(f"{running.address}/readyz") as answer:
            assert answer.status == 503
            body = await answer.json()
        assert body == {
            "ready": False,
            "engines": "warm",
            "leaving": False,
            "full": "loop_lag",
            "sessions": 1,
            "max_sessions": 9,
        }
        async with running.http.get(f"{running.address}/healthz") as answer:
            assert answer.status == 200


async def test_and_refuses_whoever_knocks_until_it_is_calm() -> None:
    async with server(LIMITED) as running:
        socket = await running.connect()
        await event_from(socket)
        measured = measure_by_hand(running)
        measured(BUSY)
        async with running.http.get(f"{running.address}/v1/realtime") as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert (await answer.json())["error"]["code"] == "server_busy"
        measured(CALM)
        assert (await event_from(await running.connect()))["type"] == "session.created"


async def test_those_who_are_refused_together_are_not_told_to_come_back_together() -> None:
    async with server(replace(TERMS, max_sessions=1)) as running:
        socket = await running.connect()
        await event_from(socket)
        waits_s = set()
        for _ in range(30):
            async with running.http.get(f"{running.address}/v1/realtime") as answer:
                waits_s.add(int(answer.headers["Retry-After"]))
        first_s, last_s = RETRY_AFTER_S["sessions"]
        assert len(waits_s) > 1
        assert first_s <= min(waits_s) <= max(waits_s) <= last_s


async def test_a_ready_server_is_not_full() -> None:
    async with server() as running, running.http.get(f"{running.address}/readyz") as answer:
        assert answer.status == 200
        assert (await answer.json())["full"] is None


async def test_a_full_house_is_not_ready() -> None:
    async with server() as running:
        sockets = [await running.connect() for _ in range(2)]
        for socket in sockets:
            await event_from(socket)
        async with running.http.get(f"{running.address}/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["full"] == "sessions"


# ---- what is left of a session --------------------------------------------------------------------


async def test_what_sessions_hold_falls_back_when_they_end() -> None:
    async with server() as running:
        socket = await running.connect()
        await event_from(socket)
        running.conversations[0].append_audio(running.conversations[0].heard.repeat(1))
        running.conversations[0].heard.resize(1000, refcheck=False)
        assert await metric(running, 'speakback_session_held_bytes{what="heard"}') == 4000
        assert await metric(running, "speakback_client_sockets") == 1
        assert await metric(running, 'speakback_tasks{kind="read"}') == 1
        await socket.close()
        await all_seats_are_free(running)
        assert await metric(running, 'speakback_session_held_bytes{what="heard"}') == 0
        assert await metric(running, "speakback_client_sockets") == 0


async def test_a_session_leaves_nothing_behind_and_a_leak_is_found(caplog: pytest.LogCaptureFixture) -> None:
    async with server() as running:
        found: asyncio.Queue[str] = asyncio.Queue()
        population = running.service.watch.population
        population._grace_s = 0
        population._left_behind = found.put_nowait
        clean = await running.connect()
        await event_from(clean)
        await clean.close()
        await all_seats_are_free(running)

        leaky = await running.connect()
        await event_from(leaky)
        session_id, _ = running.ids[1]
        leak = asyncio.create_task(asyncio.Event().wait(), name=f"leak@{session_id}")
        await leaky.close()
        assert await found.get() == "task"
        assert found.empty()
        leak.cancel()
