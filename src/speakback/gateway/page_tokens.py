"""Page tokens: 128 random bits with which a web page opens one socket, once, soon after it asked for them.

A browser's socket can carry no `Authorization`, and an API key in its subprotocols would stand wherever those are
kept. A token stands for the key's owner, for one connection, and from one origin: the store's key is a hash of both,
so what another origin presents was never given. Which tokens there are only the store knows: any worker or server that
shares it takes what another one gave.
"""

import hashlib
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from speakback.config import ResumeSettings
from speakback.gateway.auth import offered_behind
from speakback.gateway.resume.file import file_store
from speakback.gateway.resume.memory import MemoryStore
from speakback.gateway.resume.redis import redis_store
from speakback.gateway.resume.store import ResumeStore, StoreUnavailable

SUBPROTOCOL_PREFIX = "speakback-page."
"""Offered beside `realtime`, never answered with."""
LIVES_S = 60.0
MOST_ALIVE = 4096
"""Tokens that one process has given within `LIVES_S`; used ones count, too."""
TOKEN_BYTES = 16
_RECORD = "page token of "
"""Before the owner, so that no record is empty."""


def presented_page_token(subprotocols: str | None) -> str | None:
    """The token that a page presents, as it is; None where it presents none."""
    return next(iter(offered_behind(SUBPROTOCOL_PREFIX, subprotocols)), None)


class PageTokens:
    """The tokens of one server. `now_s` is any clock that goes on; `owner` is what `resume.tokens.owner_of` says."""

    def __init__(self, store: ResumeStore, now_s: Callable[[], float]) -> None:
        self._store = store
        self._now_s = now_s
        self._given_until_s: deque[float] = deque()

    async def give(self, origin: str, owner: str) -> str:
        """A new token for a page of that origin. Raises `StoreUnavailable`, also where too many were given."""
        now_s = self._now_s()
        while self._given_until_s and self._given_until_s[0] <= now_s:
            self._given_until_s.popleft()
        if len(self._given_until_s) >= MOST_ALIVE:
            raise StoreUnavailable("too many page tokens were asked for within a minute")
        self._given_until_s.append(now_s + LIVES_S)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        await self._store.create(_store_key(token, origin), f"{_RECORD}{owner}".encode(), LIVES_S)
        return token

    async def take(self, token: str, origin: str) -> str | None:
        """Whose token it is, which it is no more; None: it was used, or expired, or never given to that origin.

        Raises `StoreUnavailable`.
        """
        record = await self._store.take(_store_key(token, origin))
        return None if record is None else record.decode().removeprefix(_RECORD)

    async def aclose(self) -> None:
        """Let go of the store."""
        await self._store.aclose()


def _store_key(token: str, origin: str) -> str:
    return hashlib.sha256(f"page\n{origin}\n{token}".encode("utf-8", "surrogateescape")).hexdigest()


def in_this_process() -> PageTokens:
    """Tokens that no other process knows."""
    return PageTokens(_memory(), time.monotonic)


@asynccontextmanager
async def page_tokens_by(settings: ResumeSettings) -> AsyncIterator[PageTokens]:
    """Tokens kept where other processes of this server look for conversations, whether or not any are kept.

    That is the Redis server, or else the folder, which workers always have (`cli/workers.py`). Raises `ConfigError`
    where it cannot be used.
    """
    tokens = PageTokens(await _store(settings), time.monotonic)
    try:
        yield tokens
    finally:
        await tokens.aclose()


async def _store(settings: ResumeSettings) -> ResumeStore:
    """No token is given twice: that it was taken need be known only to who takes it in the same moment."""
    if settings.store == "redis" and settings.redis_url is not None:
        return await redis_store(settings.redis_url.get_secret_value(), taken_remembered_s=LIVES_S)
    if settings.directory is not None:
        return await file_store(settings.directory, taken_remembered_s=LIVES_S)
    return _memory()


def _memory() -> MemoryStore:
    return MemoryStore(time.monotonic, taken_remembered_s=0.0)
