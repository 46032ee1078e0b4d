"""What one server has for conversations that outlive their connections: the store, and who lives here by which key."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog

from speakback.config import ResumeSettings
from speakback.gateway.resume.file import file_store
from speakback.gateway.resume.keeper import Keeper, ResumeNews
from speakback.gateway.resume.memory import MemoryStore
from speakback.gateway.resume.redis import redis_store
from speakback.gateway.resume.store import ResumeStore, StoreUnavailable
from speakback.gateway.resume.tokens import record_key
from speakback.observe.metrics import Metrics
from speakback.session.snapshot import Snapshot, SnapshotRefused, from_json, to_json

RESUMED_ELSEWHERE = "resumed on another connection"

log = structlog.get_logger(__name__)


class LivingHere(Protocol):
    """A connection of this server, whose client may come back while it still stands."""

    def hand_over(self) -> Snapshot:
        """Its conversation as it stands; the connection ends (1012), and keeps nothing more."""
        ...


@dataclass(frozen=True, slots=True)
class TakenUp:
    """A conversation that a client has come back for."""

    key: str
    """Under which it was kept."""
    snapshot: Snapshot


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

    async def take_up(self, token: str, owner: str) -> TakenUp | None:
        """The conversation that the token stands for, which is used up by this; None: there is none.

        One that still lives on another connection of this server ends there. Raises `StoreUnavailable`.
        """
        key = record_key(token, owner)
        try:
            record = await self._store.take(key)
        except StoreUnavailable as problem:
            log.warning("a conversation could not be taken up", reason=str(problem))
            self._metrics.resumption_asked("unavailable")
            raise
        living = self._living.pop(key, None)
        if record is None:
            self._metrics.resumption_asked("refused")
            return None
        try:
            snapshot = living.hand_over() if living is not None else await self._read(record)
        except SnapshotRefused as problem:
            log.warning("a conversation that was kept cannot be taken up", reason=str(problem))
            self._metrics.resumption_asked("refused")
            return None
        self._metrics.resumption_asked("resumed")
        return TakenUp(key, snapshot)

    async def give_back(self, key: str, snapshot: Snapshot) -> None:
        """Keep a conversation under the key that it was taken from."""
        try:
            await self._store.create(key, to_json(snapshot), self._keep_s)
        except StoreUnavailable as problem:
            log.warning("a conversation could not be given back", reason=str(problem))

    async def aclose(self) -> None:
        """No connection may be open."""
        await self._store.aclose()
        await asyncio.to_thread(self._encoding.shutdown)

    async def _read(self, record: bytes) -> Snapshot:
        return await asyncio.get_running_loop().run_in_executor(self._encoding, from_json, record)


@dataclass(frozen=True, slots=True)
class Coming:
    """How a client comes to this server."""

    resumption: Resumption
    owner: str
    taken_up: TakenUp | None = None
    """None: to a new conversation."""

    def keeper(self, *, take: Callable[[], Snapshot], tell: Callable[[ResumeNews], Awaitable[None]]) -> Keeper:
        """See `Resumption.keeper`."""
        return self.resumption.keeper(self.owner, take=take, tell=tell)

    async def give_back(self, take: Callable[[], Snapshot]) -> None:
        """The client was gone before it could know that it had come: its token counts once more."""
        if self.taken_up is not None:
            await self.resumption.give_back(self.taken_up.key, take())

    def living(self, key: str, connection: LivingHere) -> AbstractContextManager[None]:
        """See `Resumption.living`."""
        return self.resumption.living(key, connection)


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
