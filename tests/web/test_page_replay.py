"""The replay: the recording under the timeline, for this tab only."""

import pytest

from tests.web.browser import NO_CHROMIUM

pytest.importorskip("playwright", reason=NO_CHROMIUM)
from playwright.async_api import Page, expect  # noqa: E402

from tests.web.telling import begin, downloaded, downloaded_json, module, tell_whole, until  # noqa: E402

pytestmark = pytest.mark.asyncio(loop_scope="session")

RECORD = """async (address) => {
  const { Recorder, USER, AGENT } = await import(address);
  const recorder = new Recorder();
  const tone = (hz) => Int16Array.from({ length: 480 }, (_, at) => 3000 * Math.sin((2 * Math.PI * hz * at) / 24000));
  for (let atMs = 0; atMs < 19000; atMs += 20) {
    recorder.write(USER, atMs, tone(200));
    recorder.write(AGENT, atMs, tone(400));
  }
  fakeCall.recorder = recorder;
}"""


async def hang_up(page: Page) -> None:
    """Tell the whole story, with a recording of it, and end it."""
    await begin(page)
    await tell_whole(page)
    await page.evaluate(RECORD, await module(page, "audio/recorder.js"))
    await page.evaluate("fakeCall.stop()")
    await expect(page.locator("#replay")).to_be_visible()
    await until(page, "document.querySelector('#replay audio').readyState >= 1")


async def played_s(page: Page) -> float:
    return float(await page.evaluate("document.querySelector('#replay audio').currentTime"))


async def test_it_takes_the_timelines_place_when_the_conversation_is_over(page: Page) -> None:
    await begin(page)
    await expect(page.locator("#replay")).to_be_hidden()
    await expect(page.locator("#timeline")).to_be_visible()
    await hang_up(page)
    await expect(page.locator("#timeline")).to_be_hidden()
    await expect(page.locator("#replay")).to_contain_text("Kept in this tab only")
    audio = page.locator("#replay audio")
    assert (await audio.get_attribute("src") or "").startswith("blob:")
    assert await audio.evaluate("(audio) => audio.duration") == pytest.approx(19.0, abs=0.01)


async def test_nothing_recorded_leaves_nothing_to_replay(page: Page) -> None:
    await begin(page)
    await page.evaluate("fakeCall.stop()")
    await page.wait_for_timeout(100)
    await expect(page.locator("#replay")).to_be_hidden()


async def test_it_plays_under_a_moving_playhead(page: Page) -> None:
    await hang_up(page)
    canvas = page.locator("#replay canvas")
    await canvas.focus()
    await page.keyboard.press(" ")
    await until(page, "document.querySelector('#replay audio').currentTime > 0.3")
    await page.keyboard.press(" ")
    await until(page, "document.querySelector('#replay audio').paused")
    at_s = await played_s(page)
    await expect(canvas).to_have_attribute("aria-valuenow", f"{at_s:.1f}")
    assert await page.evaluate("fakeCall.muted") is False, "the key was the canvas's, not the page's"


async def test_while_it_plays_a_screen_reader_is_told_once_a_second(page: Page) -> None:
    await hang_up(page)
    canvas = page.locator("#replay canvas")
    await canvas.evaluate(
        """(canvas) => {
          window.told = [];
          new MutationObserver(() => told.push(canvas.getAttribute('aria-valuetext')))
            .observe(canvas, { attributeFilter: ['aria-valuetext'] });
        }"""
    )
    await canvas.focus()
    await page.keyboard.press(" ")
    await until(page, "document.querySelector('#replay audio').currentTime > 2.2")
    told = await page.evaluate("told")
    assert 1 <= len(told) <= 5
    assert told == list(dict.fromkeys(told)), "each is news"


async def test_keys_and_clicks_seek(page: Page) -> None:
    await hang_up(page)
    canvas = page.locator("#replay canvas")
    await canvas.focus()
    for key, expected_s in [
        ("ArrowRight", 0.5),
        ("Shift+ArrowRight", 5.5),
        ("ArrowLeft", 5.0),
        ("PageDown", 6.3),
        ("Home", 0.0),
    ]:
        await page.keyboard.press(key)
        assert await played_s(page) == pytest.approx(expected_s, abs=0.01), key
    box = await canvas.bounding_box()
    assert box is not None
    window_ms = await page.evaluate(
        "async ([address, width]) => (await import(address)).scale(width).windowMs",
        [await module(page, "view/draw-tracks.js"), box["width"]],
    )
    await canvas.click(position={"x": box["width"] / 4, "y": 90})
    assert await played_s(page) == pytest.approx(window_ms / 4000, abs=0.05)
    await expect(page.locator("#replay .readout")).to_contain_text("0:0")


async def test_the_words_that_play_are_marked_and_lead_to_their_sound(page: Page) -> None:
    await hang_up(page)
    script = page.locator("#replay .script")
    await page.locator("#replay canvas").focus()
    await page.keyboard.press("End")
    await expect(script).to_have_text("AgentBy bicycle it is seven minutes, mostly along the river.")
    await page.keyboard.press("Home")
    await expect(script).to_have_text("")
    for _ in range(3):
        await page.keyboard.press("Shift+ArrowRight")
    await expect(script).to_have_text("YouNo, wait. By bicycle?")
    await page.keyboard.press("Shift+ArrowLeft")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    word = script.locator("span", has_text="minutes")
    await word.click()
    assert await played_s(page) == pytest.approx((10720 + 4 * 260) / 1000, abs=0.01)
    await expect(word).to_have_class("now")
    await expect(script.locator(".now")).to_have_count(1)


async def test_recording_and_data_can_be_kept(page: Page) -> None:
    await hang_up(page)
    name, wav = await downloaded(page, "Download WAV")
    assert name.endswith(".wav")
    assert (wav[:4], wav[8:12], len(wav)) == (b"RIFF", b"WAVE", 44 + 19 * 24_000 * 4)
    name, kept = await downloaded_json(page, "Download JSON")
    assert name.endswith(".json")
    assert (kept["format"], kept["version"], kept["session_id"]) == ("speakback.page-replay", 1, "sess_story")
    assert kept["duration_ms"] == 19_000
    assert kept["turns"][2] == {
        "start_ms": 12800,
        "end_ms": 14600,
        "item_id": "item_u3",
        "transcript": "No, wait. By bicycle?",
    }
    assert kept["agent_stops"] == [{"at_ms": 13118, "item_id": "item_a2", "after_decision_ms": 34}]
    assert kept["pauses"][0] == {"at_ms": 2300, "item_id": "item_u1", "number": 1, "outcome": "scored", "score": 0.35}
    assert [turn["ttfa_ms"] for turn in kept["latency"]["turns"]] == [640, 520, 640]


async def test_a_new_conversation_takes_it_away(page: Page) -> None:
    await hang_up(page)
    url = await page.locator("#replay audio").get_attribute("src")
    await page.evaluate("URL.revokeObjectURL = (url) => { window.givenBack = url; }")
    await page.click("#new")
    await expect(page.locator("#replay")).to_be_hidden()
    await expect(page.locator("#timeline")).to_be_visible()
    assert await page.locator("#replay audio").get_attribute("src") is None
    assert await page.evaluate("window.givenBack") == url
