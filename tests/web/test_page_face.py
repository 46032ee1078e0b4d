"""The face of the page in a real browser: its own files and policy, around a call that the test plays."""

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.web.face import ADDRESS, asked, play, show_face, talk_until, tell
from tests.web.talk_events import PARTS

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIRST_PAINT_BYTES = 40_000
NARROWEST_PX = 320
AA = 4.5
AA_CONTROLS = 3.0


async def presence(page: Page) -> str:
    return await page.locator("#presence-text").inner_text()


# Presence, and the states of a call


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("the user speaks", "You are speaking"),
        ("the agent thinks", "Thinking"),
        ("the agent speaks", "Speaking"),
        ("held", "Held: you are speaking"),
        ("unsure", "Listening"),
    ],
)
async def test_presence_says_who_has_the_floor(page: Page, part: str, words: str) -> None:
    await show_face(page)
    await talk_until(page, part)
    assert await presence(page) == words


async def test_presence_says_how_the_call_stands(page: Page) -> None:
    await show_face(page)
    await page.click("#talk-button")
    assert await presence(page) == "Listening"
    await page.click("#mute")
    assert await presence(page) == "You are muted"
    await page.click("#mute")
    await page.evaluate("fakeCall.enter('reconnecting', { retryInS: 4 })")
    assert await presence(page) == "Reconnecting"
    await expect(page.locator("[data-code=reconnecting]")).to_contain_text("The connection was lost.")
    await page.evaluate("fakeCall.enter('live')")
    await expect(page.locator("[data-code=reconnecting]")).to_have_count(0)


async def test_the_shape_is_still_when_nothing_happens(page: Page) -> None:
    await page.add_init_script(
        """window.frames_asked = 0;
           const ask = window.requestAnimationFrame.bind(window);
           window.ask = ask;
           window.requestAnimationFrame = (act) => { window.frames_asked += 1; return ask(act); };"""
    )
    await show_face(page)
    rest = """() => new Promise((rested) => {
                let before = -1, calm = 0;
                const look = () => {
                  calm = window.frames_asked === before ? calm + 1 : 0;
                  before = window.frames_asked;
                  if (calm > 10) rested(true); else window.ask(look);
                };
                look();
              })"""
    assert await page.evaluate(rest)
    drawn = "canvas => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
    assert await page.locator("#stage canvas").evaluate(drawn) > 2


async def test_after_a_conversation_there_is_a_summary_and_a_new_one(page: Page) -> None:
    await show_face(page)
    await talk_until(page, "unsure")
    await page.click("#stop")
    await expect(page.locator("#summary")).to_contain_text("3 turns of yours, 3 of the agent’s · 1 interruption")
    await expect(page.locator("#new")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#transcript .turn")).to_have_count(0)
    assert len(await asked(page, "start")) == 2


async def test_typing_instead_needs_no_microphone(page: Page) -> None:
    await show_face(page)
    await page.click("#type-button")
    assert (await asked(page, "start"))[0] == ["start", {"mic": False, "patch": {}}]
    await expect(page.locator("#say-field")).to_be_focused()
    await page.keyboard.type("Hello there")
    await page.keyboard.press("Enter")
    assert await asked(page, "say") == [["say", "Hello there"]]
    await expect(page.locator("#say-field")).to_have_value("")
    await page.evaluate("fakeCall.enter('reconnecting', { retryInS: 4 })")
    await page.keyboard.type("not lost")
    await page.keyboard.press("Enter")
    await expect(page.locator("#say-field")).to_have_value("not lost")
    await expect(page.locator("#mute")).to_be_hidden()


async def test_microphone_switches_are_on_kept_and_applied_at_once(page: Page) -> None:
    await show_face(page)
    await page.uncheck("[name=noiseSuppression]")
    switched = {"echoCancellation": True, "noiseSuppression": False, "autoGainControl": True}
    assert (await asked(page, "setProcessing"))[-1] == ["setProcessing", switched]
    await page.reload()
    await expect(page.locator("[name=noiseSuppression]")).not_to_be_checked()
    await page.click("#talk-button")
    assert (await asked(page, "setProcessing"))[-1] == ["setProcessing", switched]


# Keys


async def test_a_conversation_by_keyboard_alone(page: Page) -> None:
    await show_face(page)
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.locator("#talk-button")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#mute")).to_be_focused()
    await page.keyboard.press("m")
    assert await asked(page, "mute") == [["mute", True]]
    await expect(page.locator("#mute")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("Space")
    assert await asked(page, "mute") == [["mute", True], ["mute", False]]
    await page.keyboard.press("/")
    await expect(page.locator("#say-field")).to_be_focused()
    await page.keyboard.type("m n / ")
    assert len(await asked(page, "mute")) == 2
    await page.keyboard.press("Escape")
    assert len(await asked(page, "cancelReply")) == 1
    await play(page, PARTS["the user speaks"])
    await page.locator("#stop").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("n")
    assert len(await asked(page, "start")) == 2


async def test_shortcuts_can_be_switched_off(page: Page) -> None:
    await show_face(page)
    await page.locator("[name=keys]").evaluate("box => box.click()")
    await page.click("#talk-button")
    await page.keyboard.press("m")
    assert await asked(page, "mute") == []


async def test_the_space_bar_mutes_where_nothing_else_takes_it(page: Page) -> None:
    await show_face(page)
    await page.click("#talk-button")
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("Space")
    assert await asked(page, "mute") == [["mute", True]]
    await page.locator("#theme").focus()
    await page.keyboard.press("Space")
    assert len(await asked(page, "mute")) == 1


# What goes wrong


async def test_a_problem_says_what_happened_and_goes_when_it_is_solved(page: Page) -> None:
    await show_face(page)
    await page.click("#talk-button")
    await tell(
        page,
        "problem",
        code="mic-silent",
        message="The microphone gives only silence. See whether it is muted.",
        isFatal=False,
    )
    notice = page.get_by_role("status").locator("[data-code=mic-silent]")
    await expect(notice.locator(".what")).to_have_text("The microphone gives only silence.")
    await tell(page, "solved", code="mic-silent")
    await expect(notice).to_have_count(0)


async def test_a_full_server_counts_down_and_is_asked_again(page: Page) -> None:
    await show_face(page)
    await page.evaluate(
        "fakeCall.refusal = { code: 'server-full', message: 'All places are taken.', isFatal: true, retryInS: 30 }"
    )
    await page.click("#talk-button")
    notice = page.get_by_role("alert").locator("[data-code=server-full]")
    await expect(notice.locator(".when [aria-hidden]")).to_have_text(re.compile(r"Try again in (30|29) s\."))
    await page.evaluate("fakeCall.refusal = null")
    await notice.get_by_role("button", name="Try again").click()
    await expect(notice).to_have_count(0)
    assert len(await asked(page, "start")) == 2


async def test_a_call_in_another_tab_can_be_overruled(page: Page) -> None:
    await show_face(page)
    await tell(page, "problem", code="another-tab", message="It is so.", isFatal=True)
    await page.get_by_role("button", name="Talk here").click()
    assert (await asked(page, "start"))[0] == ["start", {"mic": True, "patch": {}, "insist": True}]


async def test_a_key_is_asked_for_and_kept_in_this_tab_only(page: Page) -> None:
    await show_face(page, needs_key=True)
    await page.get_by_label("This server needs an API key").fill("sk-sb-secret")
    await page.get_by_role("button", name="Use this key").click()
    assert len(await asked(page, "start")) == 1
    assert await page.evaluate("fakeCall.options.getKey()") == "sk-sb-secret"
    assert await page.evaluate("JSON.stringify(localStorage).includes('secret')") is False
    await expect(page.locator("#key")).to_be_hidden()
    await tell(page, "problem", code="key-needed", message="It is so.", isFatal=True)
    await expect(page.locator("#key-field")).to_be_focused()


async def test_what_can_be_no_key_is_not_taken_for_one(page: Page) -> None:
    await show_face(page, needs_key=True)
    field = page.get_by_label("This server needs an API key")
    await field.fill("sk-sb-\u2026secret")
    await page.get_by_role("button", name="Use this key").click()
    assert await field.evaluate("field => field.validity.patternMismatch")
    assert await asked(page, "start") == []
    await field.fill(" sk-sb-secret ")
    await page.get_by_role("button", name="Use this key").click()
    assert await page.evaluate("fakeCall.options.getKey()") == "sk-sb-secret"


async def test_an_unknown_problem_is_shown_in_the_servers_words(page: Page) -> None:
    await show_face(page)
    await tell(page, "problem", code="new-one", message="<b>Something</b> else", isFatal=False)
    await expect(page.locator(".notice .what")).to_have_text("<b>Something</b> else")


# For every eye and hand


CONTROLS = frozenset(
    {"button", "textbox", "switch", "checkbox", "slider", "combobox", "link", "DisclosureTriangle", "log"}
)


async def unnamed(page: Page) -> list[str]:
    """The roles of controls in the accessibility tree that have no name."""
    session = await page.context.new_cdp_session(page)
    tree = await session.send("Accessibility.getFullAXTree")
    found = []
    for node in tree["nodes"]:
        role = node.get("role", {}).get("value")
        if role in CONTROLS and not node.get("ignored") and not node.get("name", {}).get("value"):
            found.append(role)
    return found


async def before(page: Page) -> None:
    """Nothing was done yet."""


async def during(page: Page) -> None:
    await talk_until(page, "interrupted")
    await tell(page, "problem", code="mic-clipping", message="It is so.", isFatal=False)


async def after(page: Page) -> None:
    await talk_until(page, "unsure")
    await page.click("#stop")


VIEWS = pytest.mark.parametrize("reach", [before, during, after])


@VIEWS
async def test_every_control_is_named(page: Page, reach: Callable[[Page], Awaitable[None]]) -> None:
    """(That the console is silent, the tab itself asserts at the end of each test.)"""
    await show_face(page)
    await reach(page)
    assert await unnamed(page) == []
    assert await page.locator("main").count() == 1
    await expect(page.locator("#transcript")).to_have_attribute("aria-live", "off")


@VIEWS
async def test_a_narrow_screen_scrolls_only_downwards(page: Page, reach: Callable[[Page], Awaitable[None]]) -> None:
    await page.set_viewport_size({"width": NARROWEST_PX, "height": 640})
    await show_face(page)
    await reach(page)
    assert await page.evaluate("document.documentElement.scrollWidth") <= NARROWEST_PX
    beyond = await page.evaluate(
        """(edge) => [...document.querySelectorAll('main *')]
             .filter((one) => one.checkVisibility() && !one.closest('.vh'))
             .filter((one) => one.getBoundingClientRect().right > edge + 0.5)
             .map((one) => one.outerHTML.slice(0, 80))""",
        NARROWEST_PX,
    )
    assert beyond == []


CONTRAST = """([pairs]) => {
  const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const linear = (byte) => (byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4);
  const light = (name) => {
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name);
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  return pairs.map(([front, back]) => {
    const [more, less] = [light(front), light(back)].sort((a, b) => b - a);
    return (more + 0.05) / (less + 0.05);
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_colours_have_contrast_enough(page: Page, scheme: str) -> None:
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await show_face(page)
    texts = ["--ink", "--soft", "--faint", "--user", "--agent", "--bad", "--good"]
    pairs = [(text, back) for text in texts for back in ("--ground", "--surface")]
    ratios = dict(zip(pairs, await page.evaluate(CONTRAST, [pairs]), strict=True))
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < AA} == {}
    edges = [("--edge", "--ground"), ("--edge", "--surface")]
    assert min(await page.evaluate(CONTRAST, [edges])) >= AA_CONTROLS


async def test_the_theme_follows_the_system_until_it_is_chosen(page: Page) -> None:
    await page.emulate_media(color_scheme="dark")
    await show_face(page)
    ground = "getComputedStyle(document.documentElement).getPropertyValue('--ground')"
    dark = await page.evaluate(ground)
    await page.emulate_media(color_scheme="light")
    light = await page.evaluate(ground)
    assert dark != light
    button = page.locator("#theme")
    await expect(button).to_have_accessible_name("Theme: automatic")
    await button.click()
    await button.click()
    await expect(button).to_have_accessible_name("Theme: dark")
    assert await page.evaluate(ground) == dark
    await page.goto(ADDRESS)
    assert await page.evaluate(ground) == dark


async def test_the_first_paint_needs_little(page: Page) -> None:
    await show_face(page)
    total = await page.evaluate(
        """async () => {
             const needed = document.querySelectorAll('link[rel=stylesheet], script[blocking=render]');
             const addresses = ['/', ...[...needed].map((one) => one.href ?? one.src)];
             const bodies = await Promise.all(addresses.map(async (one) => (await fetch(one)).arrayBuffer()));
             return bodies.reduce((sum, body) => sum + body.byteLength, 0);
           }"""
    )
    assert 0 < total < FIRST_PAINT_BYTES
    assert await page.locator("script:not([type=module]):not([defer]):not([async])").count() == 0
