"""Conversations kept in a Redis server: for servers on several machines.

Three keys a record: `speakback:resume:{KEY}`; once it was taken, `…:taken`, which says by whom; and for a few seconds
more `…:held`, the record itself, in case its taker did not get the answer. The braces keep all on one node of a
cluster. What must be one step is one script there. A Redis server that forgets everything costs only conversations
that are between two connections: those that live are kept anew.
"""

import asyncio
import secrets
from collections.abc import Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from speakback.config import ConfigError
from speakback.gateway.resume.store import TAKEN_REMEMBERED_S, StoreUnavailable

if TYPE_CHECKING:
    from redis.asyncio import Redis

WITHIN_S = 1.0
"""A server that takes longer is as good as none."""
HELD_S = 6.0
"""So long a record that was taken can be put back."""
PUT_BACK_AFTER_S = (0.0, 0.5, 1.0, 2.0)
"""Waits before each try to put a record back: it may yet be taken, by what was sent and not answered."""
_CREATE = "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]); redis.call('DEL', KEYS[2], KEYS[3]); return 1"
_REPLACE = (
    "if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end "
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]); return 1"
)
_TAKE = (
    "local record, mark = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]) "
    "if mark and string.match(mark, '^%S+') == ARGV[2] then return redis.call('GET', KEYS[3]) end "  # asked once more
    "if not record then return false end "
    "redis.call('SET', KEYS[2], ARGV[2] .. ' ' .. redis.call('PTTL', KEYS[1]), 'PX', ARGV[1]) "
    "redis.call('SET', KEYS[3], record, 'PX', ARGV[3]); redis.call('DEL', KEYS[1]); return record"
)
_PUT_BACK = (
    "local record, mark = redis.call('GET', KEYS[3]), redis.call('GET', KEYS[2]) "
    "if not record or not mark or string.match(mark, '^%S+') ~= ARGV[1] then return 0 end "
    "redis.call('SET', KEYS[1], record, 'PX', string.match(mark, '%d+$')) "
    "redis.call('DEL', KEYS[2], KEYS[3]); return 1"
)
_DISCARD = (
    "if redis.call('DEL', KEYS[1]) == 1 then redis.call('SET', KEYS[2], '-', 'PX', ARGV[1]) end "
    "redis.call('DEL', KEYS[3]); return 1"
)


class RedisStore:
    """A `ResumeStore`; see `redis_store`."""

    outlives_process = True

    def __init__(self, client: "Redis", taken_remembered_s: float) -> None:
        self._client = client
        self._taken_remembered_ms = round(taken_remembered_s * 1000)
        self._putting_back: set[asyncio.Task[None]] = set()

    async def create(self, key: str, record: bytes, ttl_s: float) -> None:
        await self._run(_CREATE, key, record, round(ttl_s * 1000))

    async def replace(self, key: str, record: bytes, ttl_s: float) -> bool:
        return await self._run(_REPLACE, key, record, round(ttl_s * 1000)) == 1

    async def take(self, key: str) -> bytes | None:
        taker = secrets.token_hex(8)
        try:
            taken = await self._run(_TAKE, key, self._taken_remembered_ms, taker, round(HELD_S * 1000))
        except BaseException:
            putting_back = asyncio.create_task(self._put_back(key, taker), name="resume-put-back")
            self._putting_back.add(putting_back)
            putting_back.add_done_callback(self._putting_back.discard)
            raise
        return cast("bytes | None", taken)

    async def discard(self, key: str) -> None:
        await self._run(_DISCARD, key, self._taken_remembered_ms)

    async def aclose(self) -> None:
        if self._putting_back:
            await asyncio.wait(self._putting_back, timeout=WITHIN_S)
        for task in self._putting_back:
            task.cancel()
        await self._client.aclose()

    async def _put_back(self, key: str, taker: str) -> None:
        """What that taker took, if it did: it got no answer."""
        for wait_s in PUT_BACK_AFTER_S:
            await asyncio.sleep(wait_s)
            with suppress(StoreUnavailable):  # its taker has been told
                if await self._run(_PUT_BACK, key, taker) == 1:
                    return

    async def _run(self, script: str, key: str, *arguments: bytes | int | str) -> object:
        from redis.exceptions import AuthenticationError, RedisError

        name = f"speakback:resume:{{{key}}}"
        try:
            async with asyncio.timeout(WITHIN_S):
                # Its signature says text; bytes are sent as they are.
                keys = (name, f"{name}:taken", f"{name}:held")
                asked = self._client.eval(script, len(keys), *keys, *cast("tuple[str, ...]", arguments))
                return await cast("Awaitable[object]", asked)
        except AuthenticationError:
            raise StoreUnavailable("the Redis server refuses the password") from None
        except (RedisError, OSError, TimeoutError) as problem:  # their messages may hold the address
            raise StoreUnavailable(f"the Redis server does not serve ({type(problem).__name__})") from None


async def redis_store(url: str, *, taken_remembered_s: float = TAKEN_REMEMBERED_S) -> RedisStore:
    """A store at that address. Raises `ConfigError` where the package is missing or the address is none."""
    return RedisStore(await asyncio.to_thread(_client, url), taken_remembered_s)  # to import the package reads files


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
            # A connection that the server closed meanwhile is made anew: whatever is asked may be asked twice.
            retry=Retry(NoBackoff(), 1),
            driver_info=None,  # to look up its own version it would read files at each connection
        )
    except ValueError:  # its message may hold the address
        raise ConfigError(["resume.redis_url: must be an address such as redis://localhost:6379/0."]) from None
