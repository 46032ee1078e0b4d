"""The page as the server sends it, in Chromium: it loads under its own policy, and its tokens open its sockets."""

import pytest
from playwright.async_api import Request

from tests.web.browser import Tab
from tests.web.conftest import OpenTab, StartScripted
from tests.web.servers import ScriptedServer

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

CALL = """
async ({ key, resuming, spoil }) => {
  const headers = { ...(key && { Authorization: `Bearer ${key}` }), ...(resuming && { 'Speakback-Resuming': 'true' }) };
  const answer = await fetch('/web/token', { method: 'POST', headers });
  const given = await answer.json();
  if (!answer.ok) return [answer.status, given.error.code, given.retry_after_s ?? null];
  const url = new URL(given.socket, location.href.replace(/^http/, 'ws'));
  const socket = new WebSocket(url, ['realtime', `speakback-page.${spoil ? 'x' : ''}${given.token}`]);
  window.sockets = [...(window.sockets ?? []), socket];
  return new Promise((resolve) => {
    socket.onmessage = ({ data }) => resolve([JSON.parse(data).type, socket.protocol]);
    socket.onerror = () => resolve(['failed']);
  });
}"""


async def test_it_loads_under_its_own_policy_and_is_fetched_once(tab: Tab, scripted_server: ScriptedServer) -> None:
    fetched: list[Request] = []
    tab.page.on("requestfinished", lambda request: fetched.append(request))
    await tab.page.goto(scripted_server.address, wait_until="networkidle")
    first = {request.url for request in fetched}
    assert any(url.endswith("/app.js") for url in first)
    fetched.clear()
    await tab.page.goto(f"{scripted_server.address}/?again", wait_until="networkidle")
    sizes = [(await request.sizes())["responseBodySize"] for request in fetched if "/static/" in request.url]
    assert sizes
    assert max(sizes) <= 0, "static files are kept: none was sent"
    assert await tab.breaches() == []


async def test_a_token_opens_the_pages_socket(tab: Tab, scripted_server: ScriptedServer) -> None:
    await tab.page.goto(f"{scripted_server.address}/connect")
    assert await tab.page.evaluate(CALL, {}) == ["session.created", "realtime"]


async def test_a_wrong_token_does_not(tab: Tab, scripted_server: ScriptedServer) -> None:
    tab.may_say("WebSocket connection to .* failed: HTTP Authentication failed")
    await tab.page.goto(f"{scripted_server.address}/connect")
    assert await tab.page.evaluate(CALL, {"spoil": True}) == ["failed"]


async def test_a_key_is_asked_for_where_there_are_any(open_tab: OpenTab, start_scripted: StartScripted) -> None:
    server = await start_scripted(server={"api_keys": ["sk-sb-good"]})
    tab = await open_tab()
    tab.may_say("status of 401")
    await tab.page.goto(f"{server.address}/connect")
    assert await tab.page.evaluate(CALL, {}) == [401, "invalid_api_key", None]
    assert await tab.page.evaluate(CALL, {"key": "sk-sb-good"}) == ["session.created", "realtime"]


async def test_a_full_server_says_so_before_the_socket(open_tab: OpenTab, start_scripted: StartScripted) -> None:
    server = await start_scripted(server={"max_sessions": 1})
    tab = await open_tab()
    tab.may_say("status of 503|response code: 503")
    await tab.page.goto(f"{server.address}/connect")
    assert (await tab.page.evaluate(CALL, {}))[0] == "session.created"
    status, code, retry_after_s = await tab.page.evaluate(CALL, {})
    assert (status, code) == (503, "too_many_sessions")
    assert retry_after_s > 0
    assert (await tab.page.evaluate(CALL, {"resuming": True})) == ["failed"], "a reserve is no place for strangers"
