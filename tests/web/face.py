"""The page's face without a server: its own files, under its own policy, around a call that the test plays."""

import json
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Page, Route

from speakback.web.assets import CONTENT_TYPES
from speakback.web.headers import page_headers
from speakback.web.page import FOLDER, read_page
from speakback.web.page import Page as Site
from tests.web.talk_events import PARTS, Recorded

HOST = "localhost:8765"
ADDRESS = f"http://{HOST}/"
FAKE_CALL = Path(__file__).with_name("fake_call.js")
CONTEXT = {"model": "qwen2.5-0.5b", "strategy": "overlap-aware"}


@cache
def _site() -> Site:
    return read_page()


async def show_face(page: Page, *, needs_key: bool = False) -> None:
    """Open the page with the fake call in place of `call.js`."""
    html = _site()
    body = html.render("index.html", needs_key=needs_key, **CONTEXT)

    async def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path == "/":
            await route.fulfill(body=body, content_type="text/html; charset=utf-8", headers=dict(page_headers(HOST)))
            return
        name = path.removeprefix(f"{html.static}/")
        file = FAKE_CALL if name == "call.js" else FOLDER / "static" / name
        if path.startswith("/static/") and file.is_file():
            await route.fulfill(body=file.read_bytes(), content_type=CONTENT_TYPES[file.suffix])
        elif path == "/web/choices":
            await route.fulfill(body="<p>Choices</p>", content_type="text/html; charset=utf-8")
        else:
            await route.fulfill(status=404, body=f"there is no {path}")

    await page.route("**/*", answer)
    await page.goto(ADDRESS)
    await page.wait_for_function("window.fakeCall !== undefined && document.body.dataset.state === 'idle'")


async def play(page: Page, events: Recorded) -> None:
    """Play the events into the fake call, and wait until they are drawn."""
    await page.evaluate(
        """(events) => new Promise((drawn) => {
             window.fakeCall.play(events);
             requestAnimationFrame(() => requestAnimationFrame(drawn));
           })""",
        events,
    )


async def asked(page: Page, what: str) -> list[object]:
    """What was asked of the call by that name, as lists of name and arguments."""
    found = await page.evaluate("(what) => window.fakeCall.asked.filter(([name]) => name === what)", what)
    return list(json.loads(json.dumps(found)))


async def tell(page: Page, kind: str, **detail: object) -> None:
    """Have the call dispatch an event of its own."""
    await page.evaluate("([kind, detail]) => window.fakeCall.tell(kind, detail)", [kind, detail])


async def talk_until(page: Page, last: str) -> None:
    """Begin a conversation and play it up to the end of that part."""
    await page.click("#talk-button")
    for part, events in PARTS.items():
        await play(page, events)
        if part == last:
            return
    raise AssertionError(f"there is no part {last!r}")
