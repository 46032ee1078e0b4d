"""The drawer in a real browser, on a real server's form, around a call that the test plays."""

from typing import Any

import pytest

from tests.web.browser import NO_CHROMIUM, Tab
from tests.web.conftest import StartScripted
from tests.web.face import FAKE_CALL
from tests.web.servers import ScriptedServer

pytest.importorskip("playwright", reason=NO_CHROMIUM)
from playwright.async_api import Page, expect  # noqa: E402

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVICES: dict[str, dict[str, object]] = {
    "groq": {"api_key": "gsk_x"},
    "elevenlabs": {"api_key": "sk_x", "expressive": True, "voices": {"ann": "efgh1234"}},
    "tts": {"voices": ["joe"]},
}
CONFIDENCE, LONGEST = "overlap-aware.endpointing.confidence", "overlap-aware.endpointing.most_ms"


async def show(page: Page, server: ScriptedServer) -> None:
    """Open the page with a call that is played, and its drawer."""
    await page.route("**/call.js", lambda route: route.fulfill(path=FAKE_CALL, content_type="text/javascript"))
    await page.goto(server.address)
    await page.click("#drawer-toggle")
    await expect(page.locator("#choices")).to_be_visible()


async def enter(page: Page, state: str) -> None:
    await page.evaluate("(state) => window.fakeCall.enter(state)", state)


async def slide(page: Page, field: str, value: str) -> None:
    """Move a slider and let it go."""
    await page.locator(f'[id="{field}"]').evaluate(
        """(slider, value) => {
             slider.value = value;
             slider.dispatchEvent(new Event('input', { bubbles: true }));
             slider.dispatchEvent(new Event('change', { bubbles: true }));
           }""",
        value,
    )


async def updates(page: Page) -> list[dict[str, Any]]:
    """What the call was asked to change so far."""
    asked: list[list[Any]] = await page.evaluate("window.fakeCall.asked")
    return [arguments[0] for name, *arguments in asked if name == "update"]


async def tell(page: Page, event: dict[str, object]) -> None:
    await page.evaluate("(event) => window.fakeCall.tell('server', { event, atMs: 0 })", event)


async def test_it_opens_as_a_dialog_and_gives_the_focus_back(page: Page, scripted_server: ScriptedServer) -> None:
    await show(page, scripted_server)
    toggle = page.locator("#drawer-toggle")
    await expect(page.get_by_role("dialog", name="Settings")).to_be_visible()
    await expect(toggle).to_have_attribute("aria-expanded", "true")
    assert await page.evaluate("document.activeElement.closest('#drawer') !== null")
    await page.keyboard.press("Escape")
    await expect(page.locator("#drawer")).to_be_hidden()
    await expect(toggle).to_be_focused()
    await expect(toggle).to_have_attribute("aria-expanded", "false")


async def test_where_a_key_is_needed_it_comes_with_the_key(page: Page, start_scripted: StartScripted) -> None:
    server = await start_scripted(server={"api_keys": ["sk-sb-good"]})
    await page.route("**/call.js", lambda route: route.fulfill(path=FAKE_CALL, content_type="text/javascript"))
    await page.goto(server.address)
    await expect(page.locator("#drawer-content")).to_contain_text("API key")
    await enter_key(page)
    await page.click("#drawer-toggle")
    await slide(page, LONGEST, "5000")
    await expect(page.locator("#choices-status")).to_contain_text("Applied")
    await page.reload()
    await expect(page.locator(f'[id="{LONGEST}"]')).to_have_value("5000")
    await page.evaluate("sessionStorage.clear()")  # as in another tab
    await page.reload()
    await enter_key(page)
    await expect(page.locator(f'[id="{LONGEST}"]')).to_have_value("5000")
    await page.wait_for_function("window.fakeCall.asked.some(([name]) => name === 'update')")
    (update,) = await updates(page)
    assert update["speakback"]["strategy"]["overrides"] == {"endpointing.most_ms": 5000}


async def enter_key(page: Page) -> None:
    await page.get_by_label("This server needs an API key").fill("sk-sb-good")
    await page.get_by_role("button", name="Use this key").click()


async def test_a_choice_reaches_the_call_under_way_and_says_from_when_on(
    page: Page, start_scripted: StartScripted
) -> None:
    await show(page, await start_scripted(**SERVICES))
    await enter(page, "live")
    await page.select_option('[id="elevenlabs.voice"]', "ann")
    await expect(page.locator("#choices-status")).to_have_text("Applied: the voice from the next reply on.")
    (update,) = await updates(page)
    assert update["audio"] == {"output": {"voice": "ann"}}
    await slide(page, CONFIDENCE, "0.85")
    await expect(page.locator("#choices-status")).to_have_text("Applied: turn-taking from your next turn on.")
    latest = (await updates(page))[-1]
    assert latest["speakback"]["strategy"] == {
        "name": "overlap-aware",
        "overrides": {"endpointing.confidence": 0.85},
    }
    assert latest["audio"] == {"output": {"voice": "ann"}}


async def test_a_slider_tells_its_value_while_it_moves(page: Page, scripted_server: ScriptedServer) -> None:
    await show(page, scripted_server)
    slider = page.locator(f'[id="{LONGEST}"]')
    await slider.evaluate(
        "(slider) => { slider.value = 4000; slider.dispatchEvent(new Event('input', {bubbles: true})) }"
    )
    await expect(page.locator(f'[id="{LONGEST}-value"]')).to_have_text("4000 ms")


async def test_the_keyboard_keeps_its_place_meanwhile(page: Page, scripted_server: ScriptedServer) -> None:
    await show(page, scripted_server)
    await enter(page, "live")
    slider = page.locator(f'[id="{CONFIDENCE}"]')
    await slider.focus()
    for number in (1, 2, 3):
        await page.keyboard.press("ArrowRight")
        await page.wait_for_function("(count) => window.fakeCall.asked.length >= count", arg=number)
        await expect(slider).to_be_focused()
    chosen = (await updates(page))[-1]["speakback"]["strategy"]["overrides"]
    assert chosen == {"endpointing.confidence": 0.73}


async def test_what_contradicts_itself_is_said_in_place(page: Page, scripted_server: ScriptedServer) -> None:
    await show(page, scripted_server)
    await enter(page, "live")
    await slide(page, LONGEST, "500")
    await expect(page.locator("#choices-status")).to_contain_text("Applied")
    await slide(page, "overlap-aware.endpointing.least_ms", "1000")
    least = page.locator('[id="overlap-aware.endpointing.least_ms"]')
    await expect(least).to_have_attribute("aria-invalid", "true")
    await expect(least).to_have_accessible_description(
        "endpointing.least_ms must not be above endpointing.most_ms (500)"
    )
    assert len(await updates(page)) == 1


@pytest.mark.parametrize(
    ("error", "field"),
    [
        ({"message": "there is no voice 'ann' here", "param": "session.audio.output.voice"}, "elevenlabs.voice"),
        ({"message": "llm: there is no provider 'groq'", "param": "session.speakback.providers"}, "llm"),
        ({"message": "endpointing.most_ms must be less", "param": "session.speakback.strategy"}, LONGEST),
        ({"message": "no such strategy", "param": "session.speakback.strategy"}, "strategy"),
    ],
)
async def test_what_the_session_refuses_stands_beside_its_field(
    page: Page, start_scripted: StartScripted, error: dict[str, str], field: str
) -> None:
    await show(page, await start_scripted(**SERVICES))
    await enter(page, "live")
    await page.evaluate("(error) => { window.fakeCall.update = () => Promise.reject(error); }", error)
    await page.select_option('[id="elevenlabs.voice"]', "ann")
    control = page.locator(f'[id="{field}"]')
    await expect(control).to_have_attribute("aria-invalid", "true")
    await expect(control).to_have_accessible_description(error["message"])
    await expect(page.locator("#choices-status")).to_have_text("It was refused; the conversation goes on as it was.")


async def test_with_no_call_it_counts_for_the_next_and_is_kept_for_another_visit(
    page: Page, start_scripted: StartScripted
) -> None:
    server = await start_scripted(**SERVICES)
    await show(page, server)
    await page.select_option("#strategy", "rapid-duplex")
    await slide(page, "rapid-duplex.endpointing.sure_ms", "400")
    await page.uncheck("#expressive")
    await expect(page.locator("#choices-status")).to_have_text("It counts from the next conversation on.")
    wanted = {
        "audio": {"output": {"voice": server.settings.elevenlabs.voice_id}},
        "speakback": {
            "providers": {"stt": None, "llm": None, "tts": {"provider": "elevenlabs", "region": None}},
            "strategy": {"name": "rapid-duplex", "overrides": {"endpointing.sure_ms": 400}},
        },
    }
    await show(page, server)
    await expect(page.locator("#strategy")).to_have_value("rapid-duplex")
    await expect(page.locator("#expressive")).not_to_be_checked()
    await page.keyboard.press("Escape")
    await page.click("#talk-button")
    (begun,) = [arguments for name, *arguments in await page.evaluate("window.fakeCall.asked") if name == "start"]
    assert begun[0]["patch"] == wanted
    assert await updates(page) == []


async def test_what_was_chosen_while_the_line_was_down_is_told_when_it_is_back(
    page: Page, scripted_server: ScriptedServer
) -> None:
    await show(page, scripted_server)
    await enter(page, "live")
    await enter(page, "reconnecting")
    await page.select_option("#strategy", "half-duplex")
    await expect(page.locator("#strategy-note")).to_contain_text("One speaks at a time")
    assert await updates(page) == []
    await enter(page, "live")
    await page.wait_for_function("window.fakeCall.asked.some(([name]) => name === 'update')")
    (update,) = await updates(page)
    assert update["speakback"]["strategy"]["name"] == "half-duplex"


async def test_all_can_be_as_the_server_has_it_again(page: Page, scripted_server: ScriptedServer) -> None:
    await show(page, scripted_server)
    await enter(page, "live")
    await page.select_option("#strategy", "half-duplex")
    await expect(page.locator("#choices-status")).to_contain_text("Applied")
    await page.click("#choices-reset")
    await expect(page.locator("#strategy")).to_have_value("overlap-aware")
    await page.wait_for_function("window.fakeCall.asked.length === 2")
    assert (await updates(page))[-1]["speakback"]["strategy"] == {"name": "overlap-aware", "overrides": {}}
    assert await page.evaluate("localStorage.getItem('speakback.choices')") is None


async def test_the_experiment_that_the_service_refuses_says_so_and_who_speaks(
    page: Page, start_scripted: StartScripted
) -> None:
    await show(page, await start_scripted(**SERVICES))
    state = page.locator("#expressive-state")
    await expect(state).to_have_text("Asked for; where the service refuses it, Flash v2.5 speaks.")
    await enter(page, "live")
    skipped = {"type": "speakback.provider", "role": "tts", "kind": "skipped", "provider": "elevenlabs-v3"}
    await tell(page, {**skipped, "instead_of": None, "reason": "its circuit is open: forbidden"})
    await expect(state).to_have_text("The service refused it; Flash v2.5 speaks.")
    await expect(state).to_have_attribute("title", "its circuit is open: forbidden")
    await slide(page, CONFIDENCE, "0.8")
    await expect(page.locator("#choices-status")).to_contain_text("Applied")
    await expect(state).to_have_text("The service refused it; Flash v2.5 speaks.")
    await page.uncheck("#expressive")
    await expect(state).to_have_text("Off; Flash v2.5 speaks.")
    await page.check("#expressive")
    await expect(state).to_have_attribute("data-state", "refused")
    await tell(page, {"type": "session.created"})
    await slide(page, CONFIDENCE, "0.75")
    await expect(state).to_have_attribute("data-state", "asked")


async def test_without_the_server_nothing_changes_and_that_is_said(tab: Tab, scripted_server: ScriptedServer) -> None:
    page = tab.page
    await show(page, scripted_server)
    tab.may_say("503")
    await page.route("**/web/choices", lambda route: route.fulfill(status=503, body="no"))
    await page.evaluate("localStorage.setItem('speakback.choices', 'x')")
    await page.select_option("#strategy", "half-duplex")
    await expect(page.locator("#choices-status")).to_have_text("The server could not be asked; nothing has changed.")
    assert await page.evaluate("localStorage.getItem('speakback.choices')") == "x"


FOREIGN = ["nonsense", '{"strategy": "gone"}', '{"x": "y"}', '{"x": {}}', "7", "[1]", "{}", "null"]


@pytest.mark.parametrize("stored", FOREIGN)
async def test_what_was_kept_by_another_version_does_no_harm(
    page: Page, scripted_server: ScriptedServer, stored: str
) -> None:
    await page.goto(scripted_server.address)
    await page.evaluate("(stored) => localStorage.setItem('speakback.choices', stored)", stored)
    await show(page, scripted_server)
    await expect(page.locator("#strategy")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.click("#talk-button")
