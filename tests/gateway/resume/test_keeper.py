"""gateway/resume/keeper.py: when a record is kept, and what is told of a store that fails. The clock is virtual."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from speakback.gateway.resume.keeper import (
    CHECKPOINT_EVERY_S,
    FINAL_WITHIN_S,
    OPEN_TURN_EVERY_S,
    Keeper,
    ResumeNews,
    ResumeUnavailable,
    TokenGiven,
)
from speakback.gateway.resume.store import StoreUnavailable
from speakback.gateway.resume.tokens import record_key
from speakback.session import notices as n
from speakback.session.snapshot import Snapshot, beginning, from_json

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])

KEEP_S = 120.0


@dataclass
class ScriptedStore:
    """A `ResumeStore` that does what a test says, and notes when what was kept."""

    outlives_process: bool = True
    failure: str = ""
    is_taken: bool = False
    hangs: bool = False
    kept: list[tuple[float, int]] = field(default_factory=list)
    """When, and the snapshot's last id."""
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    taken: list[str] = field(default_factory=list)

    async def create(self, key: str, record: bytes, ttl_s: float) -> None:
        await self._keep(record)

    async def replace(self, key: str, record: bytes, ttl_s: float) -> bool:
        if not self.is_taken:
            await self._keep(record)
        return not self.is_taken

    async def take(self, key: str) -> bytes | None:
        return None

    async def discard(self, key: str) -> None:
        self.taken.append(key)

    async def aclose(self) -> None:
        pass

    async def until_kept(self, times: int) -> None:
        async with self.news:
            await self.news.wait_for(lambda: len(self.kept) >= times)

    async def _keep(self, record: bytes) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure:
            raise StoreUnavailable(self.failure)
        self.kept.append((asyncio.get_running_loop().time(), from_json(record).last_id))
        async with self.news:
            self.news.notify_all()


@dataclass
class Kept:
    """A keeper at work, and what it was told and tells."""

    store: ScriptedStore
    last_id: int = 0
    told: list[ResumeNews] = field(default_factory=list)
    failures: int = 0
    defect: Exception | None = None
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    keeper: Keeper = field(init=False)
    running: "asyncio.Task[None]" = field(init=False)

    def take(self) -> Snapshot:
        if self.defect is not None:
            raise self.defect
        return replace(beginning("sess_1"), last_id=self.last_id)

    async def tell(self, news: ResumeNews) -> None:
        self.told.append(news)
        async with self.news:
            self.news.notify_all()

    async def until_told(self, times: int) -> None:
        async with self.news:
            await self.news.wait_for(lambda: len(self.told) >= times)

    def store_failed(self) -> None:
        self.failures += 1

    def change(self) -> None:
        self.last_id += 1
        self.keeper.saw(n.ItemDeleted("item_1"))


@asynccontextmanager
async def keeping(store: ScriptedStore, *, wanted: bool = True) -> AsyncIterator[Kept]:
    kept = Kept(store)
    encoding = ThreadPoolExecutor(1)
    kept.keeper = Keeper(
        store, "", KEEP_S, encoding, take=kept.take, tell=kept.tell, store_failed=kept.store_failed, rng=Random(1)
    )
    kept.keeper.want(wanted)
    kept.running = asyncio.create_task(kept.keeper.run())
    try:
        yield kept
    finally:
        kept.running.cancel()
        await asyncio.wait([kept.running])
        await asyncio.to_thread(encoding.shutdown)


async def test_the_token_is_given_once_the_record_is_there() -> None:
    async with keeping(ScriptedStore()) as kept:
        await kept.until_told(1)
    (news,) = kept.told
    assert isinstance(news, TokenGiven)
    assert news.expires_in_s == KEEP_S
    assert record_key(news.token, "") == kept.keeper.key
    assert len(kept.store.kept) == 1


async def test_many_changes_are_kept_together_and_the_last_one_counts() -> None:
    store = ScriptedStore()
    async with keeping(store) as kept:
        await store.until_kept(1)
        for _ in range(100):
            kept.change()
            await asyncio.sleep(0.001)
        await store.until_kept(2)
    (first_s, _), (second_s, last_id) = store.kept
    assert last_id == 100
    assert CHECKPOINT_EVERY_S <= second_s - first_s < CHECKPOINT_EVERY_S + 0.1


async def test_a_change_behind_a_quiet_time_is_kept_at_once() -> None:
    store = ScriptedStore()
    async with keeping(store) as kept:
        await store.until_kept(1)
        await asyncio.sleep(20)
        kept.change()
        changed_s = asyncio.get_running_loop().time()
        await store.until_kept(2)
    assert store.kept[1][0] - changed_s < 0.1


async def test_a_turn_that_is_open_is_kept_every_few_seconds() -> None:
    store = ScriptedStore()
    async with keeping(store) as kept:
        await store.until_kept(1)
        kept.keeper.saw(n.UserSpeechStarted("item_1", 0))
        await asyncio.sleep(10 * OPEN_TURN_EVERY_S)
        count = len(store.kept)
        assert 9 <= count <= 12
        kept.keeper.saw(n.UserSpeechStopped("item_1", 30_000))
        await asyncio.sleep(10 * OPEN_TURN_EVERY_S)
        assert len(store.kept) <= count + 2, "nothing changes any more"


async def test_a_token_that_is_given_is_not_written_out() -> None:
    assert "secret" not in repr(TokenGiven("secret", KEEP_S))


async def test_a_record_is_refreshed_before_it_expires() -> None:
    store = ScriptedStore()
    async with keeping(store):
        await store.until_kept(4)
    times = [at_s for at_s, _ in store.kept]
    assert all(0 < after - before < KEEP_S / 2 for before, after in zip(times, times[1:], strict=False))


async def test_a_store_that_ends_with_the_process_is_not_written_to_for_nothing() -> None:
    store = ScriptedStore(outlives_process=False)
    async with keeping(store) as kept:
        await store.until_kept(1)
        for _ in range(10):
            kept.change()
            await asyncio.sleep(2)
        assert len(store.kept) == 1
        await kept.keeper.finish(forget=False)
    assert store.kept[-1][1] == 10


async def test_a_failure_is_told_once_and_the_recovery_too() -> None:
    store = ScriptedStore()
    async with keeping(store) as kept:
        await kept.until_told(1)
        store.failure = "the disk fails (No space left on device)"
        for _ in range(30):
            kept.change()
            await asyncio.sleep(1)
        assert kept.told[1:] == [ResumeUnavailable("the disk fails (No space left on device)")]
        assert 2 < kept.failures < 15, "it is tried again, and less often each time"
        store.failure = ""
        await kept.until_told(3)
        assert kept.told[2] == kept.told[0], "the same token counts again"
        assert store.kept[-1][1] == 30


async def test_a_store_that_fails_from_the_beginning_gives_no_token() -> None:
    store = ScriptedStore(failure="the Redis server does not serve")
    async with keeping(store) as kept:
        await asyncio.sleep(60)
        assert kept.told == [ResumeUnavailable("the Redis server does not serve")]
        await kept.keeper.finish(forget=False)
        assert store.kept == []


async def test_a_defect_costs_the_resumption_and_not_the_conversation() -> None:
    async with keeping(ScriptedStore()) as kept:
        kept.defect = KeyError("on purpose")
        await kept.until_told(1)
        assert kept.told == [ResumeUnavailable("the server failed to write the conversation down")]
        kept.defect = None
        await kept.until_told(2)
        assert isinstance(kept.told[1], TokenGiven)


async def test_a_record_that_was_taken_ends_the_keeping() -> None:
    store = ScriptedStore()
    async with keeping(store) as kept:
        await store.until_kept(1)
        store.is_taken = True
        kept.change()
        await kept.running
        kept_before = len(store.kept)
        await kept.keeper.finish(forget=False)
        await kept.keeper.finish(forget=True)
    assert (len(store.kept), store.taken) == (kept_before, [])


async def test_who_hands_over_keeps_nothing_more() -> None:
    store = ScriptedStore()
    async with keeping(store) as kept:
        await store.until_kept(1)
        kept.last_id = 7
        assert kept.keeper.hand_over().last_id == 7
        await kept.keeper.finish(forget=False)
    assert len(store.kept) == 1


async def test_the_end_is_kept_as_it_stands() -> None:
    store = ScriptedStore()
    async with keeping(store) as kept:
        await store.until_kept(1)
        kept.change()
        await kept.keeper.finish(forget=False)
    assert store.kept[-1][1] == 1


async def test_a_conversation_that_is_over_is_forgotten() -> None:
    store = ScriptedStore()
    async with keeping(store) as kept:
        await store.until_kept(1)
        await kept.keeper.finish(forget=True)
    assert store.taken == [kept.keeper.key]


@pytest.mark.parametrize("trouble", [{"failure": "the disk fails"}, {"hangs": True}])
async def test_a_connection_does_not_wait_long_for_a_store_that_fails(trouble: dict[str, object]) -> None:
    store = ScriptedStore()
    async with keeping(store) as kept:
        await kept.until_told(1)
        for name, value in trouble.items():
            setattr(store, name, value)
        began_s = asyncio.get_running_loop().time()
        await kept.keeper.finish(forget=False)
        assert asyncio.get_running_loop().time() - began_s <= FINAL_WITHIN_S + 0.01
    assert kept.failures == 1


async def test_who_does_not_ask_is_not_kept_and_who_withdraws_is_forgotten() -> None:
    store = ScriptedStore()
    async with keeping(store, wanted=False) as kept:
        await asyncio.sleep(10)
        assert (store.kept, kept.told) == ([], [])
        kept.keeper.want(True)
        await kept.until_told(1)
        kept.keeper.want(False)
        await asyncio.sleep(2)
        assert store.taken == [kept.keeper.key]
        await asyncio.sleep(500)
        assert len(store.kept) == 1
