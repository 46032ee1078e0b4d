"""The conversation in words, in a real browser: the reducer, the transcript, and what is announced of it."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.web.face import play, show_face, talk_until
from tests.web.talk_events import PARTS, Recorded, up_to

pytestmark = pytest.mark.asyncio(loop_scope="session")


# The reducer, in the browser


async def reduced(page: Page, events: Recorded) -> list[dict[str, Any]]:
    """The turns after those events, by the page's own reducer."""
    script = await page.get_attribute("script[src$='app.js']", "src")
    assert script is not None
    turns: list[dict[str, Any]] = await page.evaluate(
        """async ([address, recorded]) => {
             const { initial, next, words, plainText } = await import(address);
             let talk = initial();
             for (const { at_ms: atMs, event } of recorded) talk = next(talk, { type: 'server', event, atMs });
             return talk.turns.map((turn) => ({ ...turn, words: words(turn), plain: plainText(turn) }));
           }""",
        [script.replace("app.js", "model/talk.js"), events],
    )
    return turns


def marked(turn: dict[str, Any], mark: str) -> str:
    return " ".join(one["word"] for one in turn["words"] if one["mark"] == mark)


async def test_words_of_the_user_are_partial_until_the_transcript_is_complete(page: Page) -> None:
    await show_face(page)
    [turn] = await reduced(page, up_to("the user speaks"))
    assert (turn["who"], turn["status"], turn["partial"], turn["text"]) == ("user", "live", "What time", "")
    [turn] = await reduced(page, up_to("the agent thinks"))
    assert (turn["status"], turn["partial"], turn["text"]) == ("done", "", "What time is it?")


async def test_what_the_agent_will_say_runs_ahead_of_what_it_has_said(page: Page) -> None:
    await show_face(page)
    turn = (await reduced(page, up_to("the agent speaks")))[-1]
    assert (marked(turn, "said"), marked(turn, "ahead")) == ("It is noon,", "and it is raining.")


async def test_an_interruption_leaves_what_was_heard_and_what_was_not(page: Page) -> None:
    await show_face(page)
    turns = {turn["id"]: turn for turn in await reduced(page, up_to("interrupted"))}
    cut = turns["item_4"]
    assert cut["status"] == "interrupted"
    assert marked(cut, "said") == "Well, let me"
    assert marked(cut, "unheard").startswith("think about that for a moment. There are three")
    assert cut["plain"] == "Well, let me"


async def test_a_backchannel_is_a_note_and_an_interruption_a_turn(page: Page) -> None:
    await show_face(page)
    assert (await reduced(page, up_to("a backchannel")))[-1]["status"] == "backchannel"
    turns = {turn["id"]: turn["status"] for turn in await reduced(page, up_to("interrupted"))}
    assert (turns["item_5"], turns["item_6"]) == ("backchannel", "live")


async def test_turns_without_words_are_taken_away_and_confidence_is_kept(page: Page) -> None:
    await show_face(page)
    turns = {turn["id"]: turn for turn in await reduced(page, up_to("no words"))}
    assert "item_8" not in turns
    assert turns["item_6"]["confidence"] == 0.41
    assert turns["item_3"]["typed"]


async def test_another_session_ends_what_was_under_way(page: Page) -> None:
    await show_face(page)
    other = {"type": "session.created", "session": {"id": "sess_2"}}
    [question, answer] = await reduced(page, up_to("the agent speaks") + [{"at_ms": 9000, "event": other}])
    assert (question["status"], answer["status"]) == ("done", "unfinished")
    assert (marked(answer, "said"), marked(answer, "unheard")) == ("It is noon,", "and it is raining.")


async def test_on_another_connection_the_agent_goes_on_as_another_item(page: Page) -> None:
    await show_face(page)
    resumed = {"type": "speakback.resumed", "items": 1, "owes_reply": True, "heard_ms": 2000}
    [_, answer] = await reduced(page, up_to("the agent speaks") + [{"at_ms": 9000, "event": resumed}])
    assert (answer["status"], answer["plain"], len(answer["words"])) == ("done", "It is noon,", 3)


# The transcript


async def test_the_transcript_follows_the_voices(page: Page) -> None:
    await show_face(page)
    await talk_until(page, "the user speaks")
    turns = page.locator("#transcript .turn")
    await expect(turns.first.locator(".partial")).to_have_text("What time")
    await play(page, PARTS["the agent thinks"] + PARTS["the agent speaks"])
    await expect(turns.first.locator(".words")).to_have_text("What time is it?")
    assert [text.strip() for text in await turns.nth(1).locator(".said").all_inner_texts()] == ["It", "is", "noon,"]
    assert await turns.nth(1).locator(".ahead").count() == 4
    await play(page, PARTS["a backchannel"] + PARTS["held"])
    await expect(turns.last).to_have_class(re.compile("backchannel"))
    await expect(turns.nth(3)).to_have_class(re.compile("held"))
    await play(page, PARTS["interrupted"])
    await expect(turns.nth(3).locator("s")).to_contain_text("think about that")
    await expect(turns.nth(3).locator(".note")).to_have_text("interrupted")
    await play(page, PARTS["unsure"])
    await expect(page.locator(".turn.unsure .note")).to_contain_text("41 %")


async def test_whole_turns_are_announced_and_nothing_else(page: Page) -> None:
    await show_face(page)
    await talk_until(page, "the user speaks")
    announcer = page.locator("#announcer")
    await expect(announcer).to_be_empty()
    await play(page, PARTS["the agent thinks"] + PARTS["the agent speaks"])
    await expect(announcer).to_have_text("You: What time is it? ")
    await play(page, PARTS["a backchannel"] + PARTS["held"] + PARTS["interrupted"])
    await expect(announcer).to_contain_text("Agent: Well, let me (interrupted)")
    assert (await announcer.inner_text()).count("What time is it?") <= 1


async def test_announcements_can_be_switched_off(page: Page) -> None:
    await show_face(page)
    await page.locator("[name=announce]").evaluate("box => box.click()")
    await talk_until(page, "unsure")
    await expect(page.locator("#announcer")).to_be_empty()


async def test_a_reader_who_scrolled_back_is_left_in_peace(page: Page) -> None:
    await page.set_viewport_size({"width": 400, "height": 420})
    await show_face(page)
    await talk_until(page, "unsure")
    log = page.locator("#transcript")
    at_end = "log => log.scrollHeight - log.scrollTop - log.clientHeight < 2"
    assert await log.evaluate(at_end)
    await log.evaluate("log => { log.scrollTop = 0; }")
    await expect(page.locator("#to-latest")).to_be_visible()
    await play(page, [{**one, "event": _again(one["event"])} for one in PARTS["the user speaks"]])
    assert await log.evaluate("log => log.scrollTop") == 0
    await page.click("#to-latest")
    assert await log.evaluate(at_end)
    await expect(page.locator("#to-latest")).to_be_hidden()


async def test_the_end_stays_in_view_where_the_window_changes(page: Page) -> None:
    await show_face(page)
    await talk_until(page, "no words")
    log = page.locator("#transcript")
    for width, height in ((360, 640), (1280, 600), (700, 460), (1280, 900), (360, 500)):
        await page.set_viewport_size({"width": width, "height": height})
        await play(page, PARTS["the user speaks"])
        await expect(page.locator("#to-latest")).to_be_hidden()
        assert await log.evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight < 2")


def _again(event: object) -> object:
    assert isinstance(event, dict)
    return {**event, "item_id": "item_99"} if "item_id" in event else event
