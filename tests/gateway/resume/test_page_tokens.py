"""gateway/page_tokens.py, over each store that there is."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from speakback.config import ResumeSettings
from speakback.gateway import page_tokens
from speakback.gateway.page_tokens import LIVES_S, PageTokens, page_tokens_by, presented_page_token
from speakback.gateway.resume.memory import MemoryStore
from speakback.gateway.resume.store import ResumeStore, StoreUnavailable
from tests.gateway.resume.redis_process import NO_REDIS, RedisProcess

PAGE = "http://127.0.0.1:8765"
OTHER = "http://127.0.0.1:8766"


def by(store: ResumeStore) -> PageTokens:
    return PageTokens(store, lambda: 0.0)


@pytest.mark.parametrize("owner", ["", "a" * 64])
async def test_a_token_counts_once_and_says_whose_it_is(store: ResumeStore, owner: str) -> None:
    tokens = by(store)
    token = await tokens.give(PAGE, owner)
    assert await tokens.take(token, PAGE) == owner
    assert await tokens.take(token, PAGE) is None


async def test_of_many_who_present_it_at_once_one_is_let_in(store: ResumeStore) -> None:
    tokens = by(store)
    token = await tokens.give(PAGE, "")
    assert sorted(map(str, await asyncio.gather(*(tokens.take(token, PAGE) for _ in range(8))))) == ["", *["None"] * 7]


async def test_another_origin_was_never_given_it(store: ResumeStore) -> None:
    tokens = by(store)
    token = await tokens.give(PAGE, "")
    assert await tokens.take(token, OTHER) is None
    assert await tokens.take(token, PAGE) == "", "and it is not used up by that"


@pytest.mark.parametrize("token", ["", "x", "a" * 5000, "\udcff", "../../etc/passwd"])
async def test_what_was_never_given_is_refused(store: ResumeStore, token: str) -> None:
    assert await by(store).take(token, PAGE) is None


async def test_who_shares_the_store_takes_what_another_gave(store: ResumeStore) -> None:
    here, there = by(store), by(store)
    token = await here.give(PAGE, "")
    assert await there.take(token, PAGE) == ""
    assert await here.take(token, PAGE) is None


async def test_it_lives_for_a_minute() -> None:
    now_s = 0.0
    tokens = PageTokens(MemoryStore(lambda: now_s), lambda: now_s)
    early, late = await tokens.give(PAGE, ""), await tokens.give(PAGE, "")
    now_s = LIVES_S - 0.001
    assert await tokens.take(early, PAGE) == ""
    now_s = LIVES_S
    assert await tokens.take(late, PAGE) is None


async def test_only_so_many_are_given_within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_tokens, "MOST_ALIVE", 2)
    now_s = 0.0
    tokens = PageTokens(MemoryStore(lambda: now_s), lambda: now_s)
    first, _ = await tokens.give(PAGE, ""), await tokens.give(PAGE, "")
    with pytest.raises(StoreUnavailable):
        await tokens.give(PAGE, "")
    assert await tokens.take(first, PAGE) == ""
    now_s = LIVES_S
    assert await tokens.give(PAGE, "")


async def test_neither_token_nor_origin_nor_key_is_to_be_read_in_a_folder(tmp_path: Path) -> None:
    async with page_tokens_by(ResumeSettings(directory=tmp_path / "kept")) as tokens:
        token = await tokens.give(PAGE, "")
        (record,) = await asyncio.to_thread(lambda: list((tmp_path / "kept").iterdir()))
        assert token not in record.name
        assert "127.0.0.1" not in record.name


@pytest.mark.parametrize(
    "settings",
    [
        {"store": "file", "directory": "kept"},
        {"store": "memory", "directory": "kept"},
        {"enabled": False, "store": "file", "directory": "kept"},
        {"store": "redis"},
    ],
)
async def test_processes_that_share_a_place_share_tokens(
    settings: dict[str, object], tmp_path: Path, redis_server: RedisProcess | None
) -> None:
    if "directory" in settings:
        settings = {**settings, "directory": tmp_path / "kept"}
    elif redis_server is None:
        pytest.skip(NO_REDIS)
    else:
        settings = {**settings, "redis_url": SecretStr(redis_server.url)}
    shared = ResumeSettings.model_validate(settings)
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(page_tokens_by(shared)) for _ in range(2)]
        token = await here.give(PAGE, "owner")
        assert await there.take(token, PAGE) == "owner"
        assert await here.take(token, PAGE) is None


async def test_one_process_keeps_them_in_memory() -> None:
    async with page_tokens_by(ResumeSettings()) as here, page_tokens_by(ResumeSettings()) as there:
        token = await here.give(PAGE, "")
        assert await there.take(token, PAGE) is None
        assert await here.take(token, PAGE) == ""


@pytest.mark.parametrize(
    ("subprotocols", "token"),
    [
        (None, None),
        ("realtime", None),
        ("realtime, speakback-page.abc", "abc"),
        ("realtime, speakback-page.abc, speakback-resume.def", "abc"),
        ("speakback-page.", ""),
        ("realtime, speakback-page.a, speakback-page.b", "a"),
    ],
)
def test_how_a_page_presents_it(subprotocols: str | None, token: str | None) -> None:
    assert presented_page_token(subprotocols) == token
