"""What tests of the page have: its files, and for those in a browser Chromium, servers, voices and ears.

Tests in a browser are marked `pytestmark = pytest.mark.asyncio(loop_scope="session")`: browsers outlive a test, and
cannot leave the loop that they were begun in.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Protocol

import pytest
import pytest_asyncio
from blockbuster import BlockBuster

from speakback.web.page import Page as Site
from speakback.web.page import read_page
from tests.web.bare_server import BareServer, bare_server
from tests.web.browser import NO_CHROMIUM, Browsers, Microphone, Tab, chromium, tab_in
from tests.web.calls import CallInPage, call_in
from tests.web.servers import LocalServer, ScriptedServer, scripted_settings
from tests.web.sounds import Listener, Speaker

if TYPE_CHECKING:
    from playwright.async_api import Page

CHROMIUM = chromium()
"""Asked for here, so that where CI is set no test in a browser is skipped unnoticed."""


@pytest.fixture(scope="session")
def site() -> Site:
    """The files of the page."""
    return read_page()


# ---- the browser ------------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browsers() -> AsyncIterator[Browsers]:
    """Chromium, begun for each microphone when it is first asked for."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        running = Browsers(playwright, CHROMIUM)
        yield running
        await running.aclose()


class OpenTab(Protocol):
    """Opens a tab, closed at the end of the test, when it must have complained of nothing unexpected."""

    async def __call__(self, microphone: Microphone = "beeps") -> Tab: ...


@pytest_asyncio.fixture(loop_scope="session")
async def open_tab(browsers: Browsers, blockbuster: BlockBuster) -> AsyncIterator[OpenTab]:
    """The guard is off: Playwright reads the sources of whoever calls it."""
    blockbuster.deactivate()
    async with AsyncExitStack() as stack:

        async def opened(microphone: Microphone = "beeps") -> Tab:
            return await stack.enter_async_context(tab_in(await browsers.with_microphone(microphone)))

        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def tab(open_tab: OpenTab) -> Tab:
    """A tab whose microphone beeps."""
    return await open_tab()


@pytest_asyncio.fixture(loop_scope="session")
async def page(tab: Tab) -> "Page":
    """The same, as Playwright has it."""
    return tab.page


# ---- a call without the page around it --------------------------------------------------------


@pytest_asyncio.fixture(loop_scope="session")
async def server(site: Site) -> AsyncIterator[BareServer]:
    """A server of which only the wire is real."""
    async with bare_server(site) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def call(tab: Tab, server: BareServer) -> CallInPage:
    """The page's own call with it, not begun yet."""
    return await call_in(tab.page, server.address)


# ---- servers ----------------------------------------------------------------------------------

StartScripted = Callable[..., Awaitable[ScriptedServer]]


@pytest_asyncio.fixture(loop_scope="session")
async def start_scripted(blockbuster: BlockBuster) -> AsyncIterator[StartScripted]:
    """Starts a scripted server; sections of its settings may be given, such as `server={"max_sessions": 1}`."""
    blockbuster.deactivate()
    async with AsyncExitStack() as stack:

        async def started(**sections: dict[str, object]) -> ScriptedServer:
            server = ScriptedServer(scripted_settings(**sections))
            stack.push_async_callback(server.aclose)
            await server.start()
            return server

        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def scripted_server(start_scripted: StartScripted) -> ScriptedServer:
    """A quick server that follows a script."""
    return await start_scripted()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def local_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalServer]:
    """A real server with the default local models, one for all tests; it may be restarted."""
    server = LocalServer(tmp_path_factory.mktemp("server"))
    await server.start()
    yield server
    await server.stop()


# ---- voices and ears --------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def speaker() -> AsyncIterator[Speaker]:
    """The user's voice."""
    voice = Speaker()
    yield voice
    await voice.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def listener() -> AsyncIterator[Listener]:
    """Hears what the page played."""
    ear = Listener()
    yield ear
    await ear.aclose()
