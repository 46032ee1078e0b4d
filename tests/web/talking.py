"""A person at the page: presses what there is to press and reads what is shown; and what its call told meanwhile."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from playwright.async_api import Locator, Page, expect

from speakback.audio.pcm import Samples
from speakback.timebase import VOICE_HZ, ms_to_samples
from tests.web.browser import Played, Tab
from tests.web.sounds import AUDIBLE, silence, write_wav

OVERHEARD = Path(__file__).with_name("overheard.js")
SOON_MS = 20_000
"""On a busy machine."""
expect.set_options(timeout=SOON_MS)
Told: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Talk:
    """One tab with the page in it."""

    tab: Tab

    @property
    def page(self) -> Page:
        return self.tab.page

    # ---- what a person does ---------------------------------------------------------------------

    async def open(self, address: str) -> None:
        await self.page.add_init_script(path=OVERHEARD)
        await self.page.goto(address)
        await expect(self.button("Talk")).to_be_visible()

    async def begin(self) -> None:
        """Press Talk, and be let in."""
        await self.button("Talk").click()
        await self.lives()

    async def begin_typing(self) -> None:
        await self.button("Type instead").click()
        await self.lives()

    async def type(self, text: str) -> None:
        await self.page.get_by_label("Message").fill(text)
        await self.page.keyboard.press("Enter")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    # ---- what a person sees ---------------------------------------------------------------------

    @property
    def presence(self) -> Locator:
        """Who has the floor, in words."""
        return self.page.get_by_label("Who has the floor").get_by_role("paragraph")

    @property
    def transcript(self) -> Locator:
        return self.page.get_by_role("log", name="Conversation")

    async def presences(self) -> list[str]:
        """What it said so far, in order."""
        texts: list[str] = await self.page.evaluate("overheardPresence")
        return texts

    def turns(self, who: Literal["user", "agent"]) -> Locator:
        return self.transcript.locator(f".turn.{who}")

    async def words(self, turn: Locator) -> tuple[list[str], list[str]]:
        """Of a turn of the agent that is over: what was heard, and what is struck through."""
        struck = " ".join(await turn.locator("s").all_inner_texts())
        whole: str = await turn.locator(".words").evaluate("line => line.textContent.replace('(not heard:)', '')")
        return whole.removesuffix(struck).split(), struck.split()

    def notice(self, words: str) -> Locator:
        return self.page.locator("#notices .notice").filter(has_text=words)

    async def lives(self) -> None:
        await expect(self.button("Hang up")).to_be_visible()

    async def notices(self, words: str) -> None:
        """Wait until the page says so."""
        await expect(self.notice(words)).to_be_visible()

    # ---- what the call told ---------------------------------------------------------------------

    async def told(self, kind: str, where: str = "true") -> list[Told]:
        """What of that kind was told so far; `where` is a condition on `it`."""
        found: list[Told] = await self.page.evaluate(
            f"(kind) => window.overheard.filter((it) => it.kind === kind && ({where}))", kind
        )
        return found

    async def until(self, kind: str, where: str = "true", *, count: int = 1, within_ms: float = SOON_MS) -> Told:
        """Wait until that was told so many times; gives the one that made it so."""
        found = await self.page.wait_for_function(
            f"([kind, count]) => window.overheard.filter((it) => it.kind === kind && ({where}))[count - 1]",
            arg=[kind, count],
            timeout=within_ms,
        )
        last: Told = await found.json_value()
        return last

    async def until_done(self, status: str = "completed", *, count: int = 1, within_ms: float = SOON_MS) -> Told:
        """Wait until so many replies have ended like that."""
        return await self.until(
            "server",
            f"it.event.type === 'response.done' && it.event.response.status === '{status}'",
            count=count,
            within_ms=within_ms,
        )

    async def until_said(self, quiet_ms: int = 700) -> None:
        """Wait until the microphone has heard more, and then nothing for so long."""
        before = await self.page.evaluate("overheardUser.voicedMs")
        await self.page.wait_for_function(
            "([before, quiet]) => overheardUser.voicedMs > before + 300 && overheardUser.quietMs >= quiet",
            arg=[before, quiet_ms],
            timeout=SOON_MS,
        )

    async def until_rest(self) -> None:
        """Wait until nobody speaks and nothing is to be said."""
        await expect(self.presence).to_have_text(re.compile("^(Listening|Ready for your message)$"))


def over(text: str) -> str:
    """For `until`: the server's event of that type."""
    return f"it.event.type === '{text}'"


async def microphone(folder: Path, *parts: Samples | int) -> Path:
    """A recording: what is said, and for how many milliseconds nothing is."""
    audio = [silence(part) if isinstance(part, int) else part for part in parts]
    return await asyncio.to_thread(write_wav, folder / "microphone.wav", *audio)


def last_audible_ms(played: Played, until_ms: float) -> float:
    """When, on the page's clock, it was audible last before that time."""
    begun_ms = 1000 * played.started_s
    heard = played.audio_24k[: max(ms_to_samples(round(until_ms - begun_ms), VOICE_HZ), 0)]
    return begun_ms + 1000 * float(np.flatnonzero(np.abs(heard) > AUDIBLE)[-1] + 1) / VOICE_HZ


def first_audible_ms(played: Played) -> float:
    """When, on the page's clock, it was audible first."""
    return 1000 * (played.started_s + float(np.flatnonzero(np.abs(played.audio_24k) > AUDIBLE)[0]) / VOICE_HZ)


def sounding_ms(audio_24k: Samples) -> float:
    """How long it was audible in all."""
    block = ms_to_samples(10, VOICE_HZ)
    peaks = np.abs(audio_24k[: len(audio_24k) // block * block]).reshape(-1, block).max(axis=1)
    return 10.0 * np.count_nonzero(peaks > AUDIBLE)


def between(played: Played, from_ms: float, to_ms: float) -> Samples:
    """What was played from then to then, on the page's clock."""
    first, end = (max(ms_to_samples(round(ms - 1000 * played.started_s), VOICE_HZ), 0) for ms in (from_ms, to_ms))
    return played.audio_24k[first:end]
