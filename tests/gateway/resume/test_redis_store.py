"""gateway/resume/redis.py: what is its own; the contract of all stores is in test_stores.py."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from speakback.config import ConfigError
from speakback.gateway.resume.redis import _PUT_BACK, _TAKE, HELD_S, RedisStore, redis_store
from speakback.gateway.resume.store import StoreUnavailable
from tests.gateway.resume.redis_process import NO_REDIS, RedisProcess, found
from tests.gateway.resume.test_stores import TTL_S, fresh_key


@asynccontextmanager
async def kept_in_one_of_its_own(folder: Path) -> AsyncIterator[tuple[RedisProcess, RedisStore, str]]:
    """A server that the test may stop or hold up, a store on it, and the key of a record there."""
    if (server := await asyncio.to_thread(found, folder)) is None:
        pytest.skip(NO_REDIS)
    key = fresh_key()
    await asyncio.to_thread(server.start)
    store = await redis_store(server.url)
    try:
        await store.create(key, b"a", TTL_S)
        yield server, store, key
    finally:
        await store.aclose()
        await asyncio.to_thread(server.stop)


async def test_redis_is_left_with_nothing_that_stays(redis_server: RedisProcess | None) -> None:
    if redis_server is None:
        pytest.skip(NO_REDIS)
    store, key = await redis_store(redis_server.url), fresh_key()
    from redis.asyncio import Redis

    await store.create(key, b"a", TTL_S)
    async with Redis.from_url(redis_server.url, driver_info=None) as client:
        assert await client.pttl(f"speakback:resume:{{{key}}}") > 0
        await store.take(key)
        assert await client.exists(f"speakback:resume:{{{key}}}") == 0
        assert await client.pttl(f"speakback:resume:{{{key}}}:taken") > 0
        assert 0 < await client.pttl(f"speakback:resume:{{{key}}}:held") <= HELD_S * 1000
    await store.aclose()


async def test_a_redis_server_that_is_away_is_said_to_be_without_its_address(tmp_path: Path) -> None:
    if (server := await asyncio.to_thread(found, tmp_path)) is None:
        pytest.skip(NO_REDIS)
    store = await redis_store(server.url.replace("redis://", "redis://:hidden-password@"))
    for work in (store.take("a"), store.create("a", b"", TTL_S), store.replace("a", b"", TTL_S)):
        with pytest.raises(StoreUnavailable, match="does not serve") as failed:
            await work
        assert "hidden" not in str(failed.value)
        assert str(server.port) not in str(failed.value)
        assert failed.value.__cause__ is None
    await store.aclose()


async def test_a_redis_server_that_restarts_is_found_again(tmp_path: Path) -> None:
    async with kept_in_one_of_its_own(tmp_path) as (server, store, key):
        await asyncio.to_thread(server.stop)
        with pytest.raises(StoreUnavailable):
            await store.replace(key, b"b", TTL_S)
        await asyncio.to_thread(server.start)
        assert await store.replace(key, b"c", TTL_S), "it forgot everything, and nobody took it"
        assert await store.take(key) == b"c"


async def test_a_record_is_not_lost_in_a_redis_server_that_answers_too_late(tmp_path: Path) -> None:
    async with kept_in_one_of_its_own(tmp_path) as (server, store, key):
        server.hold()
        with pytest.raises(StoreUnavailable):
            await store.take(key)
        server.go_on()
        await asyncio.wait(store._putting_back)
        assert await store.replace(key, b"b", TTL_S), "it counts as not taken"
        assert await store.take(key) == b"b"


async def test_a_taking_that_is_asked_twice_gets_it_and_another_taker_does_not(
    redis_server: RedisProcess | None,
) -> None:
    if redis_server is None:
        pytest.skip(NO_REDIS)
    store, key = await redis_store(redis_server.url), fresh_key()
    await store.create(key, b"a", TTL_S)
    for taker, gets in (("one", b"a"), ("one", b"a"), ("other", None)):
        assert await store._run(_TAKE, key, 60_000, taker, 5_000) == gets
    assert await store._run(_PUT_BACK, key, "other") == 0
    assert await store._run(_PUT_BACK, key, "one") == 1
    assert await store.take(key) == b"a"
    await store.aclose()


async def test_an_address_that_is_none_is_refused_without_it() -> None:
    with pytest.raises(ConfigError, match="resume.redis_url: must be") as refused:
        await redis_store("nonsense://:hidden-password@here")
    assert "hidden" not in str(refused.value)


async def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ConfigError, match=r'pip install "speakback\[redis\]"'):
        await redis_store("redis://localhost")
