"""The system's Chromium, with recordings as its microphone and an ear at its output."""

import asyncio
import importlib.util
import os
import re
import shutil
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from speakback.audio.pcm import Samples, samples_from_pcm16

if TYPE_CHECKING:
    from playwright.async_api import Browser, ConsoleMessage, Page, Playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
NO_CHROMIUM = "no Chromium on this machine (Debian: apt install chromium), or no package playwright"
TAP = Path(__file__).with_name("tap.js")
AUTOPLAY = "--autoplay-policy=no-user-gesture-required"
FAKE = "--use-fake-device-for-media-stream"
GIVEN, REFUSED = "--use-fake-ui-for-media-stream", "--use-fake-ui-for-media-stream=deny"
"""What becomes of the question whether the page may use the microphone."""
MOST_BROWSERS = 2
"""Alive at once, but for those that a test uses: each takes a few hundred megabytes."""

Microphone: TypeAlias = "Path | Literal['beeps', 'refused', 'absent']"
"""A WAV of 48 kHz, played once from when the page opens it, and then silence; or Chromium's own beeps; or the user says
no; or there is none."""


def chromium() -> str | None:
    """The program; None: there is none on this machine, which only a user's may lack."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is not None and importlib.util.find_spec("playwright") is not None:
        return program
    assert not os.environ.get("CI"), NO_CHROMIUM
    return None


def _arguments(microphone: Microphone) -> tuple[str, ...]:
    match microphone:
        case "beeps":
            return (AUTOPLAY, GIVEN, FAKE)
        case "refused":
            return (AUTOPLAY, REFUSED, FAKE)
        case "absent":
            return (AUTOPLAY, GIVEN, "--disable-audio-input")
        case recording:
            return (AUTOPLAY, GIVEN, FAKE, f"--use-file-for-fake-audio-capture={recording}%noloop")


class Browsers:
    """One browser for each microphone: that is chosen when it starts. The latest few stay."""

    def __init__(self, playwright: "Playwright", program: str) -> None:
        self._playwright = playwright
        self._program = program
        self._alive: dict[Microphone, Browser] = {}

    async def with_microphone(self, microphone: Microphone) -> "Browser":
        browser = self._alive.pop(microphone, None)
        if browser is None:
            idle = [other for other, running in self._alive.items() if not running.contexts]
            for other in idle[: max(len(self._alive) + 1 - MOST_BROWSERS, 0)]:
                await self._alive.pop(other).close()
            is_root = hasattr(os, "geteuid") and os.geteuid() == 0
            browser = await self._playwright.chromium.launch(
                executable_path=self._program, args=list(_arguments(microphone)), chromium_sandbox=not is_root
            )
        self._alive[microphone] = browser
        return browser

    async def aclose(self) -> None:
        for browser in self._alive.values():
            await browser.close()


@dataclass(frozen=True)
class Played:
    """What one AudioContext played."""

    audio_24k: Samples = field(repr=False)
    started_s: float
    """When the first sample was, on the context's clock; known to some 10 ms."""


@dataclass
class Tab:
    """A tab that is watched."""

    page: "Page"
    problems: list[str] = field(default_factory=list)
    """Errors of its console, errors nobody caught, and breaches of its policy."""
    _expected: list[re.Pattern[str]] = field(default_factory=list)

    def may_say(self, pattern: str) -> None:
        """An error of the console that the test provokes, such as of a refused request."""
        self._expected.append(re.compile(pattern))

    def keep(self, problem: str) -> None:
        self.problems.append(problem)

    def unexpected(self) -> list[str]:
        return [said for said in self.problems if not any(pattern.search(said) for pattern in self._expected)]

    async def played(self) -> list[Played]:
        """What each AudioContext of the page sent to its output so far."""
        taken = await self.page.evaluate("window.speakbackTap.played()")
        return [Played(samples_from_pcm16(b64decode(one["pcm"])), one["startedS"]) for one in taken]

    async def heard(self) -> Samples:
        """What its latest AudioContext played so far, at 24 kHz."""
        played = await self.played()
        assert played, "the page played nothing: no AudioContext was connected to an output"
        return played[-1].audio_24k

    async def breaches(self) -> list[str]:
        """Of the Content-Security-Policy, since the page was loaded."""
        breaches: list[str] = await self.page.evaluate("window.speakbackTap?.breaches() ?? []")
        return breaches


def _said(message: "ConsoleMessage") -> str:
    return f"{message.text} ({message.location.get('url', '')})"


@asynccontextmanager
async def tab_in(browser: "Browser") -> AsyncIterator[Tab]:
    """A tab in a context of its own. At the end it has complained of nothing that was not expected."""
    context = await browser.new_context()
    try:
        await context.add_init_script(path=TAP)
        async with _watched(await context.new_page()) as tab:
            yield tab
    finally:
        async with asyncio.timeout(10):
            await context.close()


@asynccontextmanager
async def tab_beside(other: Tab) -> AsyncIterator[Tab]:
    """Another tab of the same browser and user, closed at the end."""
    page = await other.page.context.new_page()
    async with _watched(page) as tab:
        yield tab
    await page.close()


@asynccontextmanager
async def _watched(page: "Page") -> AsyncIterator[Tab]:
    tab = Tab(page)
    page.on("console", lambda message: tab.keep(_said(message)) if message.type == "error" else None)
    page.on("pageerror", lambda error: tab.keep(str(error)))
    yield tab
    if not page.is_closed():
        tab.problems.extend(await tab.breaches())
    unexpected = tab.unexpected()
    assert not unexpected, f"the page's console: {unexpected}"
