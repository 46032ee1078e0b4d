"""Tells the page a story through its fake call, and asks the page's own modules."""

import json
from typing import Any

from playwright.async_api import Page

from tests.web.face import ADDRESS, show_face
from tests.web.story import OFFSET_MS, JsonObject, Story, story

TELL = """([told, offsetMs]) => new Promise((drawn) => {
  const call = window.fakeCall;
  call.mediaOffsetMs = offsetMs;
  call.nowMs = () => window.storyMs ?? 0;
  for (const [kind, detail] of told) {
    window.storyMs = Math.max(window.storyMs ?? 0, detail.atMs ?? 0);
    call.tell(kind, detail);
  }
  requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(drawn)));
})"""

STATS: JsonObject = {
    "underruns": 0,
    "longTasks": 1,
    "worstLongTaskMs": 41,
    "rttMs": 18.4,
    "loopLagMs": 2.6,
    "bufferMs": 84,
    "targetMs": 80,
    "reconnects": 0,
}


async def begin(page: Page, *, width: int = 1280, height: int = 900) -> None:
    """Open the page and begin a conversation."""
    await page.set_viewport_size({"width": width, "height": height})
    await show_face(page)
    await page.click("#talk-button")


async def begin_again(page: Page) -> None:
    """Load the page anew, and begin another conversation."""
    await page.goto(ADDRESS)
    await until(page, "window.fakeCall !== undefined && document.body.dataset.state === 'idle'")
    await page.click("#talk-button")


async def tell(page: Page, told: Story, *, until_ms: float = float("inf"), from_ms: float = -1) -> None:
    """Tell what happens after `from_ms`, up to `until_ms`, and wait until it is drawn."""
    part = Story([one for one in told.told if from_ms < one[0] <= until_ms])
    await page.evaluate(TELL, [part.ordered(), OFFSET_MS])


async def tell_stats(page: Page, **stats: object) -> None:
    """The call measured itself."""
    await page.evaluate("(stats) => { Object.assign(fakeCall.stats, stats); fakeCall.tell('stats'); }", STATS | stats)


async def tell_whole(page: Page) -> None:
    """The whole story, with the call's own figures."""
    await tell_stats(page)
    await tell(page, story())
    await tell_stats(page)


async def until(page: Page, condition: str) -> None:
    """Wait for it. Playwright's own way asks the page to evaluate text, which its policy forbids."""
    while not await page.evaluate(condition):
        await page.wait_for_timeout(20)


async def module(page: Page, name: str) -> str:
    """The address of a module of the page."""
    script = await page.get_attribute("script[src$='app.js']", "src")
    assert script is not None
    return script.replace("app.js", name)


async def ask(page: Page, name: str, code: str, given: object = None) -> Any:
    """What `code`, a function of a module and of `given`, answers."""
    asked = f"async ([address, given]) => ({code})(await import(address), given)"
    return await page.evaluate(asked, [await module(page, name), given])


async def reduced(page: Page, name: str, inputs: list[JsonObject], answer: str = "(state) => state") -> Any:
    """What a reducer of the page makes of these inputs."""
    code = f"({{ initial, next }}, given) => ({answer})(given.reduce(next, initial()))"
    return await ask(page, name, code, inputs)


def served(at_ms: float, kind: str, **fields: object) -> JsonObject:
    """An input of a reducer: an event of the server."""
    return {"type": "server", "event": {"type": kind, **fields}, "atMs": at_ms, "mediaOffsetMs": OFFSET_MS}


async def downloaded(page: Page, button: str) -> tuple[str, bytes]:
    """Name and content of the file that this button gives."""
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name=button).click()
    download = await waiting.value
    path = await download.path()
    return download.suggested_filename, path.read_bytes()


async def downloaded_json(page: Page, button: str) -> tuple[str, Any]:
    name, content = await downloaded(page, button)
    return name, json.loads(content)
