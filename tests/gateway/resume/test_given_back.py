"""gateway/resume/coming.py, arriving.py: whatever keeps a client from its conversation, it may come for it again."""

import asyncio
import threading
import time

import aiohttp
import pytest
from aiohttp import ClientConnectionResetError, web
from yarl import URL

from speakback.gateway.resume import resumption
from speakback.gateway.resume.memory import MemoryStore
from speakback.gateway.resume.resumption import Resumption
from speakback.gateway.resume.store import ResumeStore, StoreUnavailable
from speakback.gateway.resume.tokens import record_key
from speakback.observe.metrics import Metrics
from speakback.session.snapshot import Snapshot, beginning, from_json, to_json
from tests.gateway.resume.house import OURS, House, house, resumed, token_of

UPGRADE = (
    "GET /v1/realtime HTTP/1.1\r\nHost: {host}\r\nSpeakback-Resume: {token}\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class TakesNothingNew(MemoryStore):
    """Once it is full, only what was there before may come back."""

    is_full = False

    def __init__(self) -> None:
        super().__init__(time.monotonic)
        self._known: set[str] = set()

    async def create(self, key: str, record: bytes, ttl_s: float) -> None:
        if self.is_full and key not in self._known:
            raise StoreUnavailable("full")
        self._known.add(key)
        await super().create(key, record, ttl_s)


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore(time.monotonic)


async def left_behind(at: House) -> str:
    """The token of a client that is gone."""
    async with at.call() as first:
        return await token_of(first)


async def fails(at: House, token: str) -> None:
    """To come with this token comes to nothing, and not by a refusal of the token."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with at.call(token):
            pytest.fail("it came in")
    assert refused.value.status == 500


async def comes(at: House, token: str) -> None:
    async with at.call(token) as caller:
        await resumed(caller)


# ---- behind the upgrade -----------------------------------------------------------------------


async def test_a_token_counts_until_the_client_is_told_another() -> None:
    store = TakesNothingNew()
    async with house(store) as (at, service):
        token = await left_behind(at)
        await service.emptied()
        store.is_full = True
        for _ in range(2):
            async with at.call(token) as again:
                await resumed(again)
                await again.until("speakback.resume_unavailable")
                await again.send("session.update", session=OURS)
                await again.until("session.updated")
            await service.emptied()
        store.is_full = False
        await comes(at, token)


async def test_a_client_that_finishes_before_it_was_told_another_is_forgotten() -> None:
    store = TakesNothingNew()
    async with house(store) as (at, service):
        token = await left_behind(at)
        await service.emptied()
        store.is_full = True
        async with at.call(token) as again:
            await again.until("speakback.resume_unavailable")
            await again.socket.close(code=1000)
            await service.emptied()
        assert await at.refusal(token) == (410, "resume_token_invalid")
        assert store._records == {}


# ---- before it --------------------------------------------------------------------------------


async def test_a_client_that_vanishes_while_the_store_is_asked_may_come_again(
    memory: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_asked, answers, take = asyncio.Event(), asyncio.Event(), memory.take

    async def take_slowly(key: str) -> bytes | None:
        is_asked.set()
        await answers.wait()
        return await take(key)

    async with house(memory) as (at, service):
        token = await left_behind(at)
        await service.emptied()
        with monkeypatch.context() as patched:
            patched.setattr(memory, "take", take_slowly)
            address = URL(at.address)
            _, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(UPGRADE.format(host=address.authority, token=token).encode())
            await is_asked.wait()
            writer.transport.abort()
            for _ in range(3):  # by then the server knows, too
                async with at.http.get(f"{at.address}/healthz") as answer:
                    await answer.read()
            answers.set()
            await service.emptied()
        await comes(at, token)


async def test_a_client_that_is_gone_at_the_upgrade_may_come_again(
    store: ResumeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise ClientConnectionResetError("Cannot write to closing transport")

    async with house(store) as (at, service):
        token = await left_behind(at)
        await service.emptied()
        with monkeypatch.context() as patched:
            patched.setattr(web.WebSocketResponse, "prepare", gone)
            await fails(at, token)
        await service.emptied()
        await comes(at, token)


async def test_a_defect_uses_up_no_token(memory: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: object) -> Snapshot:
        raise KeyError("on purpose")

    async with house(memory) as (at, service):
        token = await left_behind(at)
        await service.emptied()
        with monkeypatch.context() as patched:
            patched.setattr(service, "open_conversation", defect)
            await fails(at, token)
        with monkeypatch.context() as patched:
            patched.setattr(resumption, "from_json", defect)
            await fails(at, token)
        await comes(at, token)


# ---- while it lives here ----------------------------------------------------------------------


async def test_a_conversation_that_lives_here_is_taken_over_though_the_store_lost_it(memory: MemoryStore) -> None:
    async with house(memory) as (at, _), at.call() as first:
        token = await token_of(first)
        await memory.aclose()
        async with at.call(token) as second:
            await resumed(second)
            assert await first.closed() == 1012
            assert await at.refusal(token) == (410, "resume_token_invalid")


async def test_a_conversation_that_another_server_took_is_refused_here_and_can_come_back(memory: MemoryStore) -> None:
    async with house(memory) as (at, _), at.call() as first:
        token = await token_of(first)
        record = await memory.take(record_key(token, ""))
        assert record is not None
        assert await at.refusal(token) == (410, "resume_token_invalid")
        await memory.create(record_key(token, ""), record, 60.0)
        async with at.call(token) as second:
            await resumed(second)
            assert await first.closed() == 1012


# ---- how --------------------------------------------------------------------------------------


async def test_what_is_given_back_is_not_written_down_on_the_event_loop(
    memory: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def noted(snapshot: Snapshot) -> bytes:
        threads.append(threading.current_thread())
        return to_json(snapshot)

    monkeypatch.setattr(resumption, "to_json", noted)
    resumes = Resumption(memory, 60.0, Metrics())
    await resumes.give_back("key", beginning("sess_1"))
    record = await memory.take("key")
    assert record is not None
    assert from_json(record) == beginning("sess_1")
    assert threads
    assert threading.main_thread() not in threads
    await resumes.aclose()
