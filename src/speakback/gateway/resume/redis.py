"""Conversations kept in a Redis server: for servers on several machines.

Two keys a record: `speakback:resume:{KEY}` and, once it was taken, `speakback:resume:{KEY}:taken`; the braces keep both
on one node of a cluster. What must be one step is one script there. A Redis server that forgets everything costs
only conversations that are between two connections: those that live are kept anew.
"""

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, cast

from speakback.config import ConfigError
from speakback.gateway.resume.store import TAKEN_REMEMBERED_S, StoreUnavailable

if TYPE_CHECKING:
    from redis.asyncio import Redis

WITHIN_S = 1.0
"""A server that takes longer is as good as none."""
_CREATE = "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]); redis.call('DEL', KEYS[2]); return 1"
_REPLACE = (
    "if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end "
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]); return 1"
)
_TAKE = (
    "local record = redis.call('GET', KEYS[1]); if not record then return false end "
    "redis.call('DEL', KEYS[1]); redis.call('SET', KEYS[2], '', 'PX', ARGV[1]); return record"
)


class RedisStore:
    """A `ResumeStore`; see `redis_store`."""

    outlives_process = True

    def __init__(self, client: "Redis") -> None:
        self._client = client

    async def create(self, key: str, record: bytes, ttl_s: float) -> None:
        await self._run(_CREATE, key, record, round(ttl_s * 1000))

    async def replace(self, key: str, record: bytes, ttl_s: float) -> bool:
        return await self._run(_REPLACE, key, record, round(ttl_s * 1000)) == 1

    async def take(self, key: str) -> bytes | None:
        return cast("bytes | None", await self._run(_TAKE, key, round(TAKEN_REMEMBERED_S * 1000)))

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _run(self, script: str, key: str, *arguments: bytes | int) -> object:
        from redis.exceptions import AuthenticationError, RedisError

        name = f"speakback:resume:{{{key}}}"
        try:
            async with asyncio.timeout(WITHIN_S):
                # Its signature says text; bytes are sent as they are.
                asked = self._client.eval(script, 2, name, f"{name}:taken", *cast("tuple[str, ...]", arguments))
                return await cast("Awaitable[object]", asked)
        except AuthenticationError:
            raise StoreUnavailable("the Redis server refuses the password") from None
        except (RedisError, OSError, TimeoutError) as problem:  # their messages may hold the address
            raise StoreUnavailable(f"the Redis server does not serve ({type(problem).__name__})") from None


async def redis_store(url: str) -> RedisStore:
    """A store at that address. Raises `ConfigError` where the package is missing or the address is none."""
    return RedisStore(await asyncio.to_thread(_client, url))  # to import the package reads files


def _client(url: str) -> "Redis":
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError:
        raise ConfigError(
            ['resume.store is "redis", which needs a package more: pip install "speakback[redis]".']
        ) from None
    try:
        return Redis.from_url(
            url,
            socket_timeout=WITHIN_S,
            socket_connect_timeout=WITHIN_S,
            retry=Retry(NoBackoff(), 1),  # a connection that the server closed meanwhile is made anew
            driver_info=None,  # to look up its own version it would read files at each connection
        )
    except ValueError:  # its message may hold the address
        raise ConfigError(["resume.redis_url: must be an address such as redis://localhost:6379/0."]) from None
