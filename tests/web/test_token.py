"""POST /web/token, and the socket that it opens."""

import asyncio
import logging
import time
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from speakback.config import ResumeSettings
from speakback.config.api_keys import key_hash
from speakback.gateway.auth import KeyRing
from speakback.gateway.page_tokens import LIVES_S, PageTokens, page_tokens_by
from speakback.gateway.resume.memory import MemoryStore
from speakback.gateway.resume.resumption import Resumption
from speakback.gateway.resume.store import StoreUnavailable
from speakback.gateway.resume.tokens import record_key
from speakback.session.snapshot import beginning, to_json
from speakback.web.page import Page
from tests.web.serving import KEY, KEYED, OTHER_KEY, TERMS, pages

USED_UP = (401, "page_token_invalid")
FULL = replace(TERMS, max_sessions=1)


async def greeted(socket: aiohttp.ClientWebSocketResponse) -> bool:
    return bool((await socket.receive_json())["type"] == "session.created")


async def test_a_token_opens_one_socket(site: Page) -> None:
    async with pages(site) as server:
        answer = await server.ask_token()
        given = await answer.json()
        assert (given["expires_in_s"], given["socket"]) == (60, "/v1/realtime")
        assert answer.headers["Cache-Control"] == "no-store"
        socket = await server.connect(given["token"])
        assert socket.protocol == "realtime"
        assert await greeted(socket)
        assert await server.refusal(given["token"]) == USED_UP


async def test_of_two_sockets_at_once_one_opens(site: Page) -> None:
    async with pages(site) as server:
        token = await server.token()
        both = await asyncio.gather(*(server.connect(token) for _ in range(2)), return_exceptions=True)
        refused = [one for one in both if isinstance(one, aiohttp.WSServerHandshakeError)]
        assert [one.status for one in refused] == [401]
        assert server.service.seats.taken == 1


async def test_a_token_that_expired_or_was_never_given_opens_none(site: Page) -> None:
    now_s = 0.0
    async with pages(site) as server:
        server.service.page_tokens = PageTokens(MemoryStore(lambda: now_s), lambda: now_s)
        token = await server.token()
        now_s = 60.0
        assert await server.refusal(token) == USED_UP
        assert await server.refusal("") == USED_UP
        assert await server.refusal("never-given") == USED_UP


async def test_nothing_is_left_of_a_token_that_was_used_for_longer_than_it_would_have_lived(tmp_path: Path) -> None:
    async with page_tokens_by(ResumeSettings(directory=tmp_path / "kept")) as tokens:
        token = await tokens.give("http://localhost", "owner")
        assert await tokens.take(token, "http://localhost") == "owner"
        files = await asyncio.to_thread(lambda: list((tmp_path / "kept").iterdir()))
        until_s = await asyncio.to_thread(lambda: max(file.stat().st_mtime for file in files))
        assert until_s <= time.time() + LIVES_S


async def test_a_page_of_another_origin_cannot_use_it(site: Page) -> None:
    async with pages(site) as server:
        token = await server.token()
        assert await server.refusal(token, origin="http://localhost:5173") == USED_UP
        assert await server.refusal(token, origin="https://evil.example") == (403, "origin_not_allowed")
        assert await server.refusal(token, origin=None) == (403, "origin_not_allowed")
        assert await greeted(await server.connect(token))


# ---- keys -------------------------------------------------------------------------------------


async def test_where_keys_are_needed_a_token_stands_for_one(site: Page) -> None:
    async with pages(site, KEYED) as server:
        for key in (None, "wrong"):
            answer = await server.ask_token(key=key)
            assert answer.status == 401
            assert (await answer.json())["error"]["code"] == "invalid_api_key"
        assert await greeted(await server.connect(await server.token(key=KEY)))
        assert await server.refusal("never-given") == USED_UP


async def test_a_token_beside_which_a_key_is_presented_decides_alone(site: Page) -> None:
    async with pages(site, KEYED) as server:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
            await server.connect("never-given", f"openai-insecure-api-key.{KEY}")


async def test_a_token_opens_nothing_but_a_socket(site: Page) -> None:
    async with pages(site, KEYED) as server:
        token = await server.token(key=KEY)
        offered = {"Sec-WebSocket-Protocol": f"realtime, speakback-page.{token}", "Origin": server.address}
        assert (await server.get("/metrics", **offered)).status == 401
        answer = await server.http.post(f"{server.address}/web/token", headers=offered)
        assert answer.status == 401


async def test_a_token_ends_with_the_key_that_it_was_given_for(site: Page) -> None:
    async with pages(site, KEYED) as before, pages(site, replace(KEYED, keys=KeyRing((key_hash(KEY),)))) as after:
        after.service.page_tokens = before.service.page_tokens
        kept, gone = [await before.token(origin=after.address, key=key) for key in (KEY, OTHER_KEY)]
        assert await after.refusal(gone) == USED_UP
        assert await greeted(await after.connect(kept))


async def test_a_socket_with_a_token_takes_up_the_conversation_of_its_keys_owner(site: Page) -> None:
    async with pages(site, KEYED) as server:
        store = MemoryStore(lambda: 0.0)
        server.service.resumption = Resumption(store, 60.0, server.service.metrics)
        await store.create(record_key("left", key_hash(KEY)), to_json(beginning("sess_left")), 60.0)
        with pytest.raises(aiohttp.WSServerHandshakeError, match="410"):
            await server.connect(await server.token(key=OTHER_KEY), "speakback-resume.left")
        socket = await server.connect(await server.token(key=KEY), "speakback-resume.left")
        assert (await socket.receive_json())["session"]["id"] == "sess_left"
        await socket.close()


# ---- who is turned away -----------------------------------------------------------------------


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://["])
@pytest.mark.parametrize("path", ["/web/token", "/web/choices"])
async def test_only_pages_that_may_talk_to_this_server_may_ask(site: Page, path: str, origin: str | None) -> None:
    async with pages(site) as server:
        headers = {} if origin is None else {"Origin": origin}
        answer = await server.http.post(f"{server.address}{path}", headers=headers)
        assert answer.status == 403
        assert (await answer.json())["error"]["code"] == "origin_not_allowed"


async def test_a_server_that_is_not_ready_says_when_to_come_again(site: Page) -> None:
    async with pages(site, ready=False) as server:
        answer = await server.ask_token()
        body = await answer.json()
        assert (answer.status, body["error"]["code"]) == (503, "not_ready")
        assert int(answer.headers["Retry-After"]) == body["retry_after_s"] > 0


async def test_a_server_that_is_full_says_so_and_keeps_its_reserve_for_those_who_come_back(site: Page) -> None:
    async with pages(site, FULL) as server:
        spare = await server.token()
        taking = await server.connect(await server.token())
        assert await greeted(taking)
        answer = await server.ask_token()
        assert (answer.status, (await answer.json())["error"]["code"]) == (503, "too_many_sessions")
        assert (await server.ask_token(resuming=True)).status == 200
        assert server.service.seats.taken == 1, "to ask takes no seat"
        assert (await server.refusal(spare))[1] == "too_many_sessions"
        assert (await server.refusal(spare)) == USED_UP


class Broken(MemoryStore):
    """A store that nobody reaches."""

    async def create(self, key: str, record: bytes, ttl_s: float) -> None:
        raise StoreUnavailable("the disk does not answer")

    async def take(self, key: str) -> bytes | None:
        raise StoreUnavailable("the disk does not answer")


async def test_without_the_store_one_is_asked_to_come_again(site: Page) -> None:
    async with pages(site) as server:
        server.service.page_tokens = PageTokens(Broken(lambda: 0.0), lambda: 0.0)
        answer = await server.ask_token()
        assert (answer.status, (await answer.json())["error"]["code"]) == (503, "page_tokens_unavailable")
        assert answer.headers["Retry-After"]
        assert await server.refusal("any") == (503, "page_tokens_unavailable")


async def test_tokens_are_never_logged(site: Page, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs:
        async with pages(site) as server:
            token = await server.token()
            await greeted(await server.connect(token))
            await server.refusal(token)
            await server.refusal(token, origin="https://evil.example")
            unknown = {"Sec-WebSocket-Protocol": f"speakback-page.{token}", "Origin": server.address}
            assert (await server.get("/v1/realtime", **unknown)).status == 400
    assert token not in caplog.text
    assert token not in str(logs)
