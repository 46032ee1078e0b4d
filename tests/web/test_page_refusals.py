"""What may keep a conversation from beginning, or go wrong in it: the page says what, and what to do."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import numpy as np
import pytest
import pytest_asyncio
from aiohttp import web

from speakback.timebase import VOICE_HZ
from tests.web.browser import NO_CHROMIUM, Microphone, tab_beside
from tests.web.conftest import OpenTab, StartScripted
from tests.web.servers import REPLY, ScriptedServer
from tests.web.sounds import silence, write_wav

pytest.importorskip("playwright", reason=NO_CHROMIUM)
from playwright.async_api import Route, expect  # noqa: E402

from tests.web.talking import Talk  # noqa: E402

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow, pytest.mark.timeout(120)]

REFUSED = r"WebSocket connection to .* failed"
BUSY = "status of 503"


async def opened(open_tab: OpenTab, server: ScriptedServer, microphone: Microphone = "beeps", *may_say: str) -> Talk:
    talk = Talk(await open_tab(microphone))
    for pattern in may_say:
        talk.tab.may_say(pattern)
    await talk.open(server.address)
    return talk


async def answers(talk: Talk, *, count: int = 1) -> None:
    """The conversation goes on: what is typed is answered aloud."""
    await talk.type("When does it open?")
    await talk.until_done(count=count)
    assert (await talk.words(talk.turns("agent").last))[0] == REPLY.split()
    assert await talk.told("audible")


# The microphone


@pytest.mark.parametrize(
    ("microphone", "words"),
    [("refused", "The microphone may not be used."), ("absent", "No microphone was found.")],
)
async def test_without_a_microphone_one_may_type(
    open_tab: OpenTab, scripted_server: ScriptedServer, microphone: Microphone, words: str
) -> None:
    talk = await opened(open_tab, scripted_server, microphone)
    await talk.button("Talk").click()
    await talk.notices(words)
    await expect(talk.page.get_by_role("alert")).to_contain_text("type instead")
    await expect(talk.button("Try again")).to_be_visible()
    await talk.begin_typing()
    await expect(talk.notice(words)).to_have_count(0)
    await answers(talk)


async def test_a_microphone_that_gives_only_silence_is_told_of(
    open_tab: OpenTab, scripted_server: ScriptedServer, tmp_path: Path
) -> None:
    quiet = await asyncio.to_thread(write_wav, tmp_path / "quiet.wav", silence(1000))
    talk = await opened(open_tab, scripted_server, quiet)
    await talk.begin()
    await talk.notices("The microphone gives only silence.")
    await answers(talk)


async def test_a_microphone_that_distorts_is_told_of(
    open_tab: OpenTab, scripted_server: ScriptedServer, tmp_path: Path
) -> None:
    loud = np.clip(30 * np.sin(np.arange(2 * VOICE_HZ) * (2 * np.pi * 220 / VOICE_HZ)), -1, 1).astype(np.float32)
    talk = await opened(open_tab, scripted_server, await asyncio.to_thread(write_wav, tmp_path / "loud.wav", loud))
    for switch in ("Automatic gain", "Noise suppression", "Echo cancellation"):
        await talk.page.get_by_role("switch", name=switch).uncheck()
    await talk.begin()
    await talk.notices("The microphone is too loud and distorts.")
    await expect(talk.notice("too loud")).to_have_count(0)


# The server


async def test_a_full_server_is_told_of_and_lets_the_page_in_when_there_is_room(
    start_scripted: StartScripted, open_tab: OpenTab
) -> None:
    server = await start_scripted(server={"max_sessions": 1})
    first = await opened(open_tab, server)
    await first.begin_typing()
    second = await opened(open_tab, server, "beeps", BUSY)
    await second.button("Type instead").click()
    await second.notices("All places are taken at the moment.")
    await expect(second.notice("All places are taken")).to_contain_text("Try again in")
    await expect(second.button("Hang up")).to_be_hidden()
    await answers(first)
    await first.button("Hang up").click()
    await server.service.emptied()
    await second.button("Try again").click()
    await second.lives()
    await expect(second.notice("All places are taken")).to_have_count(0)
    await answers(second)


class UsedTokens:
    """Gives the page tokens that were used before, so many times."""

    def __init__(self, server: ScriptedServer, times: int) -> None:
        self._server = server
        self._left = times

    async def answer(self, route: Route) -> None:
        response = await route.fetch()
        if self._left:
            self._left -= 1
            token = (await response.json())["token"]
            async with aiohttp.ClientSession() as http:
                offered = ["realtime", f"speakback-page.{token}"]
                url, origin = f"{self._server.address}/v1/realtime", self._server.address
                await (await http.ws_connect(url, protocols=offered, origin=origin)).close()
        await route.fulfill(response=response)


async def test_a_token_that_does_not_hold_is_asked_for_once_more(
    open_tab: OpenTab, scripted_server: ScriptedServer
) -> None:
    talk = await opened(open_tab, scripted_server, "beeps", REFUSED)
    await talk.page.route("**/web/token", UsedTokens(scripted_server, 1).answer)
    await talk.begin_typing()
    await answers(talk)


async def test_tokens_that_never_hold_are_told_of(open_tab: OpenTab, scripted_server: ScriptedServer) -> None:
    talk = await opened(open_tab, scripted_server, "beeps", REFUSED)
    await talk.page.route("**/web/token", UsedTokens(scripted_server, 2).answer)
    await talk.button("Type instead").click()
    await talk.notices("The server did not let the page in")
    await expect(talk.button("Reload")).to_be_visible()
    await talk.button("Type instead").click()
    await talk.lives()


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(scripted_server: ScriptedServer) -> AsyncIterator[str]:
    """The address of one that passes requests on, and knows no WebSockets."""

    async def pass_on(request: web.Request) -> web.Response:
        if "Upgrade" in request.headers:
            return web.Response(status=400, text="this proxy knows no WebSockets")
        url = f"{scripted_server.address}{request.rel_url}"
        async with http.request(request.method, url, headers=request.headers, data=await request.read()) as answer:
            kept = {name: answer.headers[name] for name in ("Content-Type", "HX-Trigger") if name in answer.headers}
            return web.Response(status=answer.status, headers=kept, body=await answer.read())

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", pass_on)
    runner = web.AppRunner(app, access_log=None)
    async with aiohttp.ClientSession() as http:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{site.port}"
        await runner.cleanup()


async def test_websockets_that_are_blocked_on_the_way_are_told_of(open_tab: OpenTab, proxy: str) -> None:
    talk = Talk(await open_tab())
    talk.tab.may_say(REFUSED)
    await talk.open(proxy)
    await talk.button("Type instead").click()
    await talk.notices("something on the way (a proxy, an extension) may be blocking WebSockets")


async def test_a_browser_without_websockets_is_told_so(open_tab: OpenTab, scripted_server: ScriptedServer) -> None:
    tab = await open_tab()
    await tab.page.add_init_script("delete window.WebSocket;")
    talk = Talk(tab)
    await talk.open(scripted_server.address)
    await talk.button("Type instead").click()
    await talk.notices("This browser has no WebSockets")
    await expect(talk.button("Talk")).to_be_visible()


async def test_a_computer_that_is_offline_is_told_so(open_tab: OpenTab, scripted_server: ScriptedServer) -> None:
    talk = await opened(open_tab, scripted_server, "beeps", "ERR_INTERNET_DISCONNECTED")
    await talk.page.context.set_offline(True)
    await talk.button("Type instead").click()
    await talk.notices("The server cannot be reached.")
    await talk.page.context.set_offline(False)
    await talk.begin_typing()
    await expect(talk.notice("The server cannot be reached.")).to_have_count(0)
    await answers(talk)


# Two tabs


async def test_a_second_tab_takes_the_conversation_only_if_one_insists(
    open_tab: OpenTab, scripted_server: ScriptedServer
) -> None:
    first = await opened(open_tab, scripted_server)
    await first.begin_typing()
    async with tab_beside(first.tab) as beside:
        second = Talk(beside)
        await second.open(scripted_server.address)
        await second.button("Type instead").click()
        await second.notices("A conversation is going on in another tab of this browser.")
        await answers(first)
        await second.button("Talk here").click()
        await second.lives()
        await answers(second)
        await first.notices("The conversation was ended because another one was begun in another tab")
        await expect(first.button("Hang up")).to_be_hidden()
