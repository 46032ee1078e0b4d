"""python -m tests.web.pictures: a conversation on the page with the default models; its pictures go to docs/pictures.

A recorded voice asks three things and interrupts the third answer. Look at what comes of it before you keep it.
"""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Page, async_playwright, expect

from tests.web.browser import NO_CHROMIUM, Browsers, chromium, tab_in
from tests.web.servers import LocalServer
from tests.web.sounds import Speaker
from tests.web.talking import Talk, microphone

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WIDE, NARROW = (1280, 900), (360, 740)
LINES: tuple[tuple[str, int], ...] = (
    ("Hello there, who am I talking to?", 9000),
    ("What is the capital city of France?", 9000),
    ("Please tell me a long story about a fisherman and the sea.", 6000),
    ("Stop there please, and tell me how many days are in a week.", 4000),
)
"""What is said, and how long nothing is said behind it, in ms."""


async def take(folder: Path) -> None:
    """All pictures of one conversation."""
    program = chromium()
    assert program is not None, NO_CHROMIUM
    speaker, server = Speaker(), LocalServer(folder)
    parts = [part for line, after_ms in LINES for part in (await speaker.say(line), after_ms)]
    wav = await microphone(folder, 1500, *parts)
    await speaker.aclose()
    await server.start()
    async with async_playwright() as playwright:
        browsers = Browsers(playwright, program)
        async with tab_in(await browsers.with_microphone(wav)) as tab:
            await converse(Talk(tab), server.address)
        await browsers.aclose()
    await server.stop()


async def converse(talk: Talk, address: str) -> None:
    """Talk, and take a picture at each moment that shows something."""
    page = talk.page
    await talk.open(address)
    await picture(page, "before")
    await talk.begin()
    await talk.until("audible", count=3, within_ms=90_000)
    await picture(page, "speaking")
    await picture(page, "speaking-dark", scheme="dark")
    await picture(page, "speaking-narrow", size=NARROW)
    await talk.until("audible", count=4, within_ms=90_000)
    await picture(page, "interrupted")
    await talk.button("Hang up").click()
    await expect(talk.button("New conversation")).to_be_visible()
    await picture(page, "replay")
    await page.get_by_role("button", name="Settings").click()
    await expect(page.get_by_label("Strategy")).to_be_visible()
    await picture(page, "settings-dark", scheme="dark")


async def picture(page: Page, name: str, *, scheme: str = "light", size: tuple[int, int] = WIDE) -> None:
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    await page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        asyncio.run(take(Path(folder)))
