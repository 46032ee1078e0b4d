"""What one server has for conversations that outlive their connections: the store, and who lives here by which key."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol, TypeAlias, TypeVar

import structlog

from speakback.config import ResumeSettings
from speakback.gateway.resume.file import file_store
from speakback.gateway.resume.keeper import Keeper, ResumeNews
from speakback.gateway.resume.memory import MemoryStore
from speakback.gateway.resume.redis import redis_store
from speakback.gateway.resume.store import ResumeStore, StoreUnavailable
from speakback.observe.metrics import Metrics
from speakback.session.snapshot import Snapshot, SnapshotRefused, from_json, to_json

RESUMED_ELSEWHERE = "resumed on another connection"

Kept: TypeAlias = bytes | Snapshot
"""A conversation between two connections: its record, or, where it lived here to the last, itself."""

_From = TypeVar("_From")
_To = TypeVar("_To")

log = structlog.get_logger(__name__)


class LivingHere(Protocol):
    """A connection of this server, whose client may come back while it still stands."""

    def snapshot(self) -> Snapshot:
        """Its conversation as it stands."""
        ...

    def hand_over(self) -> Snapshot:
        """Its conversation as it stands; the connection ends (1012), and keeps nothing more."""
        ...


class Resumption:
    """One server's. Everything is called on the event loop."""

    def __init__(self, store: ResumeStore, keep_s: float, metrics: Metrics) -> None:
        self._store = store
        self._keep_s = keep_s
        self._metrics = metrics
        self._encoding = ThreadPoolExecutor(1, "snapshots")
        self._living: dict[str, LivingHere] = {}

    def keeper(
        self, owner: str, *, take: Callable[[], Snapshot], tell: Callable[[ResumeNews], Awaitable[None]]
    ) -> Keeper:
        """Who keeps the record of a new connection, with a token of its own."""
        return Keeper(
            self._store,
            owner,
            self._keep_s,
            self._encoding,
            take=take,
            tell=tell,
            store_failed=self._metrics.resume_store_failed,
        )

    @contextmanager
    def living(self, key: str, connection: LivingHere) -> Iterator[None]:
        """The conversation of that key lives here, as long as the context lasts."""
        self._living[key] = connection
        try:
            yield
        finally:
            self._living.pop(key, None)

    async def take(self, key: str) -> Kept | None:
        """The conversation of that key, which nobody else gets; None: there is none.

        One that still lives on another connection of this server ends there. Raises `StoreUnavailable`.
        """
        try:
            record = await self._store.take(key)
            if record is None and (living := self._living.get(key)) is not None:
                record = await self._take_anew(key, living)
        except StoreUnavailable as problem:
            log.warning("a conversation could not be taken up", reason=str(problem))
            self._metrics.resumption_asked("unavailable")
            raise
        if record is None:
            self._metrics.resumption_asked("refused")
            return None
        living = self._living.pop(key, None)
        return record if living is None else living.hand_over()

    async def read(self, kept: Kept) -> Snapshot:
        """What was taken. Raises `SnapshotRefused` where this version cannot read it."""
        try:
            snapshot = await self._encoded(from_json, kept) if isinstance(kept, bytes) else kept
        except SnapshotRefused as problem:
            log.warning("a conversation that was kept cannot be taken up", reason=str(problem))
            self._metrics.resumption_asked("unavailable")
            raise
        self._metrics.resumption_asked("resumed")
        return snapshot

    async def give_back(self, key: str, kept: Kept) -> None:
        """Keep a conversation under the key that it was taken from."""
        try:
            record = kept if isinstance(kept, bytes) else await self._encoded(to_json, kept)
            await self._store.create(key, record, self._keep_s)
        except StoreUnavailable as problem:
            log.warning("a conversation could not be given back", reason=str(problem))

    async def aclose(self) -> None:
        """No connection may be open."""
        await self._store.aclose()
        await asyncio.to_thread(self._encoding.shutdown)

    async def _take_anew(self, key: str, living: LivingHere) -> bytes | None:
        """The record of who lives here, where the store has none: if that lost it, and nobody else took it."""
        record = await self._encoded(to_json, living.snapshot())
        return await self._store.take(key) if await self._store.replace(key, record, self._keep_s) else None

    async def _encoded(self, work: Callable[[_From], _To], value: _From) -> _To:
        """Off the event loop: it may be megabytes."""
        return await asyncio.get_running_loop().run_in_executor(self._encoding, work, value)


@asynccontextmanager
async def resumption_by(settings: ResumeSettings, metrics: Metrics) -> AsyncIterator[Resumption | None]:
    """What the configuration says; None where resumption is off. Raises `ConfigError` when its store cannot be used."""
    if not settings.enabled:
        yield None
        return
    resumption = Resumption(await _store(settings), settings.keep_s, metrics)
    try:
        yield resumption
    finally:
        await resumption.aclose()


async def _store(settings: ResumeSettings) -> ResumeStore:
    match settings.store:
        case "memory":
            return MemoryStore(time.monotonic)
        case "file":
            assert settings.directory is not None, "config/contradictions.py sees to it"
            return await file_store(settings.directory)
        case "redis":
            assert settings.redis_url is not None, "config/contradictions.py sees to it"
            return await redis_store(settings.redis_url.get_secret_value())
