"""The latency overlay: the ledger's arithmetic, and what the page shows and exports of it."""

from typing import Any

import pytest

from tests.web.browser import NO_CHROMIUM, Tab

pytest.importorskip("playwright", reason=NO_CHROMIUM)
from playwright.async_api import Page, Route, expect  # noqa: E402

from tests.web.face import show_face  # noqa: E402
from tests.web.story import CLEAN, JsonObject, latency, story  # noqa: E402
from tests.web.telling import (  # noqa: E402
    ask,
    begin,
    begin_again,
    downloaded_json,
    reduced,
    served,
    tell,
    tell_stats,
    tell_whole,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEDGER = "model/ledger.js"


def spoken_turn(item_id: str = "u1", reply: str = "r1", agent_item: str = "a1", end_ms: int = 3870) -> list[JsonObject]:
    """Speech that ends at `end_ms` of media time; its answer arrives 610 ms later, and is heard 20 ms after that."""
    end_at_ms = end_ms + 30
    item: JsonObject = {"id": agent_item, "type": "message"}
    return [
        served(end_at_ms + 350, "input_audio_buffer.speech_stopped", item_id=item_id, audio_end_ms=end_ms),
        served(end_at_ms + 360, "response.created", response={"id": reply}),
        served(end_at_ms + 361, "response.output_item.added", response_id=reply, item=item),
        {"type": "audible", "itemId": agent_item, "atMs": end_at_ms + 630, "arrivedMs": end_at_ms + 610},
    ]


def measured(item_id: str | None = "u1", reply: str = "r1", **changes: object) -> JsonObject:
    return served(9000, "speakback.latency", **latency(item_id, reply, **changes))


def laid(turn: dict[str, Any]) -> dict[str, tuple[Any, Any, Any]]:
    return {stage["name"]: (stage["startMs"], stage["ms"], stage["isLatest"]) for stage in turn["stages"]}


# The ledger


async def test_a_turns_stages_lie_one_behind_the_other_up_to_what_the_page_heard(page: Page) -> None:
    await show_face(page)
    ledger = await reduced(page, LEDGER, [*spoken_turn(), measured()])
    [turn] = ledger["turns"]
    assert laid(turn) == {
        "endpointing": (0, 350, False),
        "transcription": (350, 40, False),
        "first_token": (395, 101, False),
        "first_clause": (496, 28, False),
        "synthesis": (524, 60, False),
        "sending": (584, 3, False),
        "network": (587, 23, False),
        "playout": (610, 20, False),
    }
    assert (turn["ttfbMs"], turn["networkMs"], turn["playoutMs"], turn["ttfaMs"]) == (587, 23, 20, 630)
    assert turn["ttfbMs"] + turn["networkMs"] + turn["playoutMs"] == turn["ttfaMs"]
    assert (turn["asrConfidence"], turn["artifactCount"], turn["drafted"]) == (0.93, 0, False)
    assert ledger["gaps"] == [630]


async def test_the_stages_of_a_draft_lie_within_the_wait(page: Page) -> None:
    await show_face(page)
    drafted = measured(drafted=True, ttfb_ms=393, own_ms=0)
    [turn] = (await reduced(page, LEDGER, [*spoken_turn(), drafted]))["turns"]
    assert laid(turn)["first_token"] == (201, 101, True)
    assert laid(turn)["first_clause"] == (302, 28, True)
    assert laid(turn)["synthesis"] == (330, 60, True), "its voice was ready when the turn was transcribed, or earlier"
    assert laid(turn)["sending"] == (390, 3, False)
    late = measured(drafted=True, ttfb_ms=450)
    [turn] = (await reduced(page, LEDGER, [*spoken_turn(), late]))["turns"]
    assert laid(turn)["synthesis"] == (387, 60, False), "a draft that was not ready in time is dated exactly"


async def test_what_was_not_measured_is_null(page: Page) -> None:
    await show_face(page)
    nothing = dict.fromkeys(latency(None, "r1"), None) | {"response_id": "r1", "drafted": False}
    [turn] = (await reduced(page, LEDGER, [served(9000, "speakback.latency", **nothing)]))["turns"]
    assert all(place == (None, None, False) for place in laid(turn).values())
    unmeasured = ("ttfbMs", "ttfaMs", "networkMs", "playoutMs", "ownMs", "asrConfidence", "artifactCount")
    assert [turn[name] for name in unmeasured] == [None] * len(unmeasured)
    [waiting] = (await reduced(page, LEDGER, spoken_turn()))["turns"]
    assert (waiting["ttfaMs"], waiting["ttfbMs"], waiting["drafted"]) == (630, None, None)


async def test_only_the_first_answer_to_speech_that_is_heard_makes_a_gap(page: Page) -> None:
    await show_face(page)
    again: list[JsonObject] = [
        served(8000, "response.created", response={"id": "r2"}),
        served(8001, "response.output_item.added", response_id="r2", item={"id": "a2", "type": "message"}),
        {"type": "audible", "itemId": "a2", "atMs": 8200, "arrivedMs": 8180},
        measured("u1", "r2"),
    ]
    ledger = await reduced(page, LEDGER, [*spoken_turn(), measured(), *again])
    assert [(turn["responseId"], turn["ttfaMs"], turn["isGap"]) for turn in ledger["turns"]] == [
        ("r1", 630, True),
        ("r2", 4300, False),
    ]
    assert ledger["gaps"] == [630]


async def test_the_server_says_what_a_reply_answers(page: Page) -> None:
    await show_face(page)
    typed = await reduced(page, LEDGER, [*spoken_turn(), measured(None, "r1", ttfb_ms=None)])
    assert [(turn["itemId"], turn["ttfaMs"]) for turn in typed["turns"]] == [(None, None)]
    assert typed["gaps"] == []
    deleted = served(4300, "conversation.item.deleted", item_id="u1")
    stopped, *answer = spoken_turn()
    [turn] = (await reduced(page, LEDGER, [stopped, deleted, *answer]))["turns"]
    assert (turn["itemId"], turn["ttfaMs"]) == (None, None), "no words were in it"


async def test_an_answer_before_the_end_of_speech_is_a_gap_below_zero(page: Page) -> None:
    await show_face(page)
    early: JsonObject = {"type": "audible", "itemId": "a1", "atMs": 3700, "arrivedMs": 3680}
    ledger = await reduced(page, LEDGER, [*spoken_turn()[:-1], early])
    assert ledger["gaps"] == [-200]


async def test_drafts_are_counted_and_the_wasted_ones_told_of_the_next_turn(page: Page) -> None:
    await show_face(page)
    cost = {"wasted_tokens": 9, "wasted_characters": 30, "useful_tokens": 20, "useful_characters": 80}
    drafts = [
        served(100, "speakback.drafts", started=started, promoted=promoted, **cost)
        for started, promoted in [(1, 0), (2, 0), (3, 1)]
    ]
    ledger = await reduced(page, LEDGER, [*drafts, *spoken_turn()])
    counted = {name: ledger["drafts"][name] for name in ("started", "promoted", "discarded", "wastedTokens")}
    assert counted == {"started": 3, "promoted": 1, "discarded": 2, "wastedTokens": 9}
    assert ledger["turns"][0]["draftsDiscarded"] == 2
    begun_anew = served(900, "speakback.drafts", started=1, promoted=1, **cost)
    ledger = await reduced(page, LEDGER, [*drafts, begun_anew])
    assert (ledger["drafts"]["promoted"], ledger["drafts"]["discarded"]) == (1, 0), "another server counts from nothing"


async def test_artifacts_are_counted_and_said_in_words(page: Page) -> None:
    await show_face(page)
    found = {**CLEAN, "late_frames": 3, "border_jumps": 1, "clipped_samples": 40, "cut_off": True}
    [turn] = (await reduced(page, LEDGER, [measured(artifacts=found)]))["turns"]
    assert turn["artifactCount"] == 6
    words = await ask(page, LEDGER, "({ artifactWords }, found) => artifactWords(found)", found)
    assert words == ["3 frames late", "1 clicks", "40 samples clipped", "cut off"]


async def test_the_ledger_keeps_the_newest_turns(page: Page) -> None:
    await show_face(page)
    code = """({ initial, next, MAX_TURNS }) => {
      let ledger = initial();
      for (let at = 0; at < MAX_TURNS + 5; at += 1) {
        ledger = next(ledger, { type: 'server', event: { type: 'response.created', response: { id: `r${at}` } } });
      }
      return [ledger.turns.length === MAX_TURNS, ledger.turns[0].number];
    }"""
    assert await ask(page, LEDGER, code) == [True, 6]


# The overlay


async def test_the_newest_turn_is_taken_apart(page: Page) -> None:
    await begin(page)
    await tell(page, story(), until_ms=8100)
    rows = await page.locator("#latency .waterfall tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in rows] == [
        "Endpointing",
        "Transcription",
        "Model, first token",
        "Model, first clause",
        "Synthesis",
        "Sending",
        "Network",
        "Playout",
    ]
    assert [row.split("\t")[-1] for row in rows] == [f"{ms} ms" for ms in (350, 40, 101, 28, 60, 3, 29, 24)]
    await expect(page.locator("#latency .headline")).to_have_text(
        "640 msTTFAuntil you heard it587 msTTFBuntil the server sent it"
    )
    await expect(page.locator("#latency .facts")).to_have_text(
        "ASR 0.93 · no artifacts · no draft · server itself 5 ms"
    )


async def test_bars_lie_where_their_stages_lay(page: Page) -> None:
    await begin(page)
    await tell(page, story(), until_ms=8100)
    lane = await page.locator(".waterfall tbody tr:nth-child(3) .lane").bounding_box()
    bar = await page.locator(".waterfall tbody tr:nth-child(3) .bar").bounding_box()
    assert lane is not None
    assert bar is not None
    assert (bar["x"] - lane["x"]) / lane["width"] == pytest.approx(395 / 1000, abs=0.01)
    assert bar["width"] / lane["width"] == pytest.approx(101 / 1000, abs=0.01)


async def test_any_turn_can_be_looked_at_by_keyboard(page: Page) -> None:
    await begin(page)
    await tell_whole(page)
    strips = page.locator("#latency .strip")
    assert await strips.evaluate_all("(all) => all.map((each) => each.dataset.number)") == ["3", "2", "1"]
    await strips.nth(1).focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#latency .facts")).to_have_text(
        "ASR 0.93 · 3 artifacts (2 frames late, cut off) · draft promoted, 1 wasted · server itself 0 ms"
    )
    assert await page.locator(".waterfall .bar.latest").count() == 3, "what a draft did lies within the wait, hatched"
    await expect(strips.nth(1)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#latency .of")).to_have_text("of turn 3")


async def test_what_was_not_measured_is_shown_as_a_dash(page: Page) -> None:
    await begin(page)
    figures = page.locator("#latency .page-figures")
    await expect(figures).to_contain_text("Server’s loop lag–")
    await expect(figures).to_contain_text("Drafts promoted–")
    await tell(page, story(), until_ms=5000)
    figure = page.locator("#latency .waterfall tr:first-child .figure")
    await expect(figure).to_have_text("–")
    await expect(page.locator("#latency .facts")).to_contain_text("stages come when the reply ends")


async def test_the_page_says_how_it_does_itself(page: Page) -> None:
    await begin(page)
    await tell_whole(page)
    rows = await page.locator("#latency .page-figures div").evaluate_all(
        "(rows) => rows.map((row) => [...row.children].map((each) => each.textContent))"
    )
    assert dict(rows) == {
        "Median gap": "640 ms",
        "Round trip": "18 ms",
        "Server’s loop lag": "3 ms",
        "Underruns": "0",
        "Audio buffered": "84 ms of 80 ms",
        "Longest main-thread task": "41 ms",
        "Reconnects": "0",
        "Drafts promoted": "1 of 2",
        "Drafted in vain": "14 tokens, 40 characters",
    }


async def test_the_gaps_are_drawn_over_peoples(page: Page) -> None:
    await begin(page)
    await tell_whole(page)
    plot = page.locator("#latency svg.gaps")
    await expect(plot.locator(".curve")).to_have_count(1)
    assert await plot.locator(".gap").count() == 3
    assert await plot.get_attribute("aria-label") == "3 gaps here, median 640 ms; people’s median is 130 ms"
    await expect(page.locator("#latency figcaption")).to_contain_text(
        "Switchboard-1 (Godfrey, Holliman & McDaniel 1992)"
    )


async def test_a_curve_that_cannot_be_loaded_is_told(tab: Tab, page: Page) -> None:
    tab.may_say("404")
    await begin(page)
    await page.evaluate("localStorage.setItem('speakback.latency', 'hidden')")

    async def refuse(route: Route) -> None:
        await route.fulfill(status=404)

    await page.route("**/human-gaps.json", refuse)
    await begin_again(page)
    await page.click("#latency-toggle")
    await expect(page.locator("#latency figcaption")).to_contain_text("could not be loaded (status 404)")


async def test_it_can_be_hidden_and_stays_so(page: Page) -> None:
    await begin(page)
    overlay, toggle = page.locator("#latency"), page.locator("#latency-toggle")
    await expect(overlay).to_be_visible()
    await expect(toggle).to_have_attribute("aria-expanded", "true")
    await toggle.click()
    await expect(overlay).to_be_hidden()
    await tell(page, story(), until_ms=9000)
    await begin_again(page)
    await expect(overlay).to_be_hidden()
    await expect(toggle).to_have_attribute("aria-expanded", "false")
    await toggle.click()
    await expect(overlay).to_be_visible()


async def test_on_a_narrow_screen_it_comes_only_when_asked_for(page: Page) -> None:
    await begin(page, width=360, height=740)
    await expect(page.locator("#latency")).to_be_hidden()
    await page.click("#latency-toggle")
    await expect(page.locator("#latency")).to_be_visible()


async def test_all_that_is_shown_can_be_kept_as_json(page: Page) -> None:
    await begin(page)
    await expect(page.get_by_role("button", name="Export JSON")).to_be_disabled()
    await tell_whole(page)
    await expect(page.locator("svg.gaps .curve")).to_have_count(1)
    name, kept = await downloaded_json(page, "Export JSON")
    assert name.startswith("speakback-latency-20")
    assert name.endswith(".json")
    assert (kept["format"], kept["version"], kept["session_id"]) == ("speakback.page-latency", 1, "sess_story")
    assert [turn["number"] for turn in kept["turns"]] == [1, 2, 3]
    first, second, _ = kept["turns"]
    assert first["stages"][0] == {"name": "endpointing", "start_ms": 0, "duration_ms": 350, "at_the_latest": False}
    shown = {
        name: first[name] for name in ("ttfb_ms", "ttfa_ms", "network_ms", "playout_ms", "asr_confidence", "rtt_ms")
    }
    assert shown == {
        "ttfb_ms": 587,
        "ttfa_ms": 640,
        "network_ms": 29,
        "playout_ms": 24,
        "asr_confidence": 0.93,
        "rtt_ms": 18.4,
    }
    assert (second["drafted"], second["drafts_discarded"], second["artifact_count"]) == (True, 1, 3)
    assert kept["gaps"]["ms"] == [640, 520, 640]
    assert kept["gaps"]["median_ms"] == 640
    assert kept["gaps"]["people"]["percentiles_ms"]["50"] == 130
    assert kept["page"]["worst_long_task_ms"] == 41
    assert kept["drafts"]["discarded"] == 1


async def test_a_new_conversation_begins_an_empty_ledger(page: Page) -> None:
    await begin(page)
    await tell_whole(page)
    await page.evaluate("fakeCall.stop()")
    await expect(page.locator("#latency .strip")).to_have_count(3)
    await page.click("#new")
    await expect(page.locator("#latency .strip")).to_have_count(0)
    await tell_stats(page, underruns=2)
    await expect(page.locator("#latency .page-figures")).to_contain_text("Underruns2")
