"""The system's Chromium with the page in it, a recording as its microphone, and what the page's call tells."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.process import NotToldHere

if TYPE_CHECKING:
    from playwright.async_api import Page

PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
OVERHEAR = Path(__file__).with_name("overhear.js")
LIVE_WITHIN_MS = 30_000
PAINTED = """() => new Promise((painted) => {
  const first = (list) => list.find((one) => one.name === 'first-contentful-paint')?.startTime;
  new PerformanceObserver((list) => first(list.getEntries()) && painted(first(list.getEntries())))
    .observe({ type: 'paint', buffered: true });
})"""
LOADED = """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map(
  (one) => ({ bytes: one.transferSize, isPage: one.entryType === 'navigation', blocks: one.renderBlockingStatus }))"""

MAIN_THREAD, TASK = "CrRendererMain", "ThreadControllerImpl::RunTask"
"""As Chromium's traces call them."""
Told = dict[str, Any]
"""An event of the page's call: its `kind`, its own fields, and `offsetMs`, media time 0 on the call's clock."""


@dataclass(frozen=True, slots=True)
class FirstPaint:
    """What the page had to fetch before its first content could be painted, and all that it fetched."""

    after_ms: float
    bytes_needed: int
    bytes_in_all: int


@dataclass(frozen=True)
class OpenPage:
    """The page, before and during its call."""

    page: "Page"

    async def first_paint(self) -> FirstPaint:
        await self.page.wait_for_load_state("networkidle")
        after_ms = float(await self.page.evaluate(PAINTED))
        loaded = await self.page.evaluate(LOADED)
        needed = sum(one["bytes"] for one in loaded if one["isPage"] or one["blocks"] == "blocking")
        return FirstPaint(after_ms, needed, sum(one["bytes"] for one in loaded))

    async def talk(self) -> None:
        """Press the button; returns once the call is live."""
        await self.page.click("#talk-button")
        await self.until("one.kind === 'state' && one.state === 'live'", LIVE_WITHIN_MS)

    async def say(self, text: str) -> None:
        """A typed turn."""
        await self.page.evaluate("(text) => overheard.call.say(text)", text)

    async def until(self, condition: str, within_ms: float, count: int = 1) -> None:
        """Wait until that was told so many times; the condition is on `one`."""
        script = f"(count) => overheard.told.filter((one) => {condition}).length >= count"
        await self.page.wait_for_function(script, arg=count, timeout=within_ms)

    async def told(self) -> list[Told]:
        found: list[Told] = await self.page.evaluate("() => overheard.told")
        return found

    async def hang_up(self) -> None:
        await self.page.evaluate("() => overheard.call.stop()")

    @asynccontextmanager
    async def traced(self) -> AsyncIterator["Traced"]:
        """Its main thread's tasks for as long as this lasts; known at the end."""
        browser = self.page.context.browser
        assert browser is not None
        found = Traced()
        await browser.start_tracing(page=self.page, categories=["toplevel"])
        try:
            yield found
        finally:
            trace = await browser.stop_tracing()
        found.longest_ms = longest_computing_ms((await asyncio.to_thread(json.loads, trace))["traceEvents"])


@dataclass
class Traced:
    """What was traced."""

    longest_ms: float = 0.0
    """By its own computing, the longest task of the page's main thread."""


def longest_computing_ms(events: Iterable[Told]) -> float:
    """Of a trace of a browser: the longest task of the page, by the time for which it had a core. What the machine gave
    to others meanwhile is no work of the page. Pure.

    Several renderers may run, some for the browser's own face: the page is the one that did most.
    """
    listed = list(events)
    mains = {
        (one["pid"], one["tid"])
        for one in listed
        if one["name"] == "thread_name" and one["args"]["name"] == MAIN_THREAD
    }
    tasks: dict[tuple[int, int], list[float]] = {thread: [] for thread in mains}
    for one in listed:
        thread = (one["pid"], one["tid"])
        if one["name"] == TASK and thread in tasks:
            tasks[thread].append(one.get("tdur", 0) / 1000)
    return max(max(tasks.values(), key=sum, default=[]), default=0.0)


@asynccontextmanager
async def page_open(address: str, api_key: str, microphone: Path) -> AsyncIterator[OpenPage]:
    """The page at that address, in a browser of its own. Raises `NotToldHere` where there is none."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        program = None
    if program is None:
        raise NotToldHere("this needs Chromium (Debian: apt install chromium) and the package playwright")
    arguments = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}%noloop",
        "--autoplay-policy=no-user-gesture-required",
    ]
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=arguments, chromium_sandbox=not is_root
        )  # fmt: skip
        try:
            page = await browser.new_page()
            await page.add_init_script(path=OVERHEAR)
            await page.add_init_script(f"sessionStorage.setItem('speakback.key', '{api_key}')")
            await page.goto(address)
            yield OpenPage(page)
        finally:
            async with asyncio.timeout(10):
                await browser.close()
