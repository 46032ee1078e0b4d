"""The two tracks: what the reducer makes of a conversation, and that it is really drawn."""

import sys
from typing import Any

import pytest

from tests.web.browser import NO_CHROMIUM

pytest.importorskip("playwright", reason=NO_CHROMIUM)
from playwright.async_api import Page, expect  # noqa: E402

from tests.web.face import show_face  # noqa: E402
from tests.web.story import JsonObject, story  # noqa: E402
from tests.web.telling import ask, begin, reduced, served, tell, tell_whole, until  # noqa: E402

pytestmark = pytest.mark.asyncio(loop_scope="session")

TRACKS, LEVELS, WORDS = "model/tracks.js", "model/levels.js", "model/track-words.js"
PLAIN = """({ levels, ...rest }) => rest"""
CANVAS = "#timeline canvas"


def floor(at_ms: int, user: str, agent: str, *, ducked: bool = False) -> JsonObject:
    """The floor changed at `at_ms` of the call."""
    return served(
        at_ms + 15, "speakback.floor", user=user, agent=agent, holder="both", ducked=ducked, audio_ms=at_ms - 30
    )


def spoken(start_ms: int, end_ms: int, item_id: str = "a1") -> list[JsonObject]:
    return [{"type": "spoken", "atMs": at_ms, "rms": 0.1, "itemId": item_id} for at_ms in range(start_ms, end_ms, 20)]


def as_inputs(until_ms: float = float("inf")) -> list[JsonObject]:
    """The story as the reducer is told it."""
    told = sorted((one for one in story().told if one[0] <= until_ms), key=lambda one: one[0])
    return [{"type": kind, "mediaOffsetMs": 30, **detail} for _, kind, detail in told]


# The reducer


async def test_the_story_leaves_who_spoke_when(page: Page) -> None:
    await show_face(page)
    tracks = await reduced(page, TRACKS, as_inputs(), PLAIN)
    voice = [(span["startMs"], span["endMs"]) for span in tracks["voice"]]
    assert voice == [(800, 2300), (2800, 3900), (5600, 6150), (8600, 10200), (12800, 14600)]
    replies = [(span["startMs"], span["endMs"], span["itemId"]) for span in tracks["replies"]]
    assert replies == [(4540, 8000, "item_a1"), (10720, 13100, "item_a2"), (15240, 18500, "item_a3")]
    assert [(span["startMs"], span["endMs"]) for span in tracks["ducks"]] == [(5700, 6150), (12900, 13081)]
    assert [(span["startMs"], span["endMs"]) for span in tracks["holds"]] == [(13081, 13501)]
    turns = [(turn["itemId"], turn["startMs"], turn["endMs"]) for turn in tracks["turns"]]
    assert turns == [("item_u1", 800, 3900), ("item_u2", 8600, 10200), ("item_u3", 12800, 14600)]
    scores = [(pause["atMs"], pause["number"], pause["score"]) for pause in tracks["pauses"]]
    assert scores == [(2300, 1, 0.35), (3900, 2, 0.92), (10200, 1, 0.88), (14600, 1, 0.97)]
    assert [commit["atMs"] for commit in tracks["commits"]] == [4250, 10550, 14900]
    verdicts = [(mark["verdict"], mark["atMs"]) for mark in tracks["verdicts"]]
    assert verdicts == [("backchannel", 6300), ("interruption", 13500)], "a later verdict takes the place of the first"
    assert [(cut["atMs"], cut["afterMs"]) for cut in tracks["cuts"]] == [(13118, 34)]


async def test_overlaps_are_where_both_could_be_heard(page: Page) -> None:
    await show_face(page)
    code = "({ initial, next, overlaps }, given) => overlaps(given.reduce(next, initial()), 0, 20000)"
    both = await ask(page, TRACKS, code, as_inputs())
    assert [(span["startMs"], span["endMs"]) for span in both] == [(5600, 6150), (12800, 13100)]


async def test_without_the_floor_the_edges_of_speech_stand_in(page: Page) -> None:
    await show_face(page)
    started = served(1000, "input_audio_buffer.speech_started", item_id="u1", audio_start_ms=770)
    stopped = served(3000, "input_audio_buffer.speech_stopped", item_id="u1", audio_end_ms=2570)
    tracks = await reduced(page, TRACKS, [started, stopped], PLAIN)
    assert [(span["startMs"], span["endMs"]) for span in tracks["voice"]] == [(800, 2600)]


async def test_a_voice_that_is_told_late_is_dated_back(page: Page) -> None:
    await show_face(page)
    verdict: JsonObject = {"item_id": "u1", "audio_start_ms": 770, "after_ms": 350, "verdict": "hold"}
    inputs = [floor(900, "speaking", "speaking"), served(1200, "speakback.overlap", **verdict)]
    tracks = await reduced(page, TRACKS, inputs, PLAIN)
    assert [(span["startMs"], span["endMs"]) for span in tracks["voice"]] == [(800, None)]


async def test_a_reply_that_was_held_is_heard_in_two_stretches(page: Page) -> None:
    await show_face(page)
    inputs = [
        *spoken(1000, 2000),
        floor(2000, "speaking", "paused"),
        floor(2900, "silent", "speaking"),
        *spoken(2900, 3500),
    ]
    tracks = await reduced(page, TRACKS, inputs, PLAIN)
    assert [(span["startMs"], span["endMs"]) for span in tracks["replies"]] == [(1000, 2000), (2900, 3500)]
    assert [(span["startMs"], span["endMs"]) for span in tracks["holds"]] == [(2000, 2900)]


async def test_where_the_sound_ran_dry_is_kept(page: Page) -> None:
    await show_face(page)
    dry: JsonObject = {"type": "underrun", "atMs": 5000, "itemId": "a1", "missingMs": 120}
    tracks = await reduced(page, TRACKS, [dry], PLAIN)
    assert tracks["gaps"] == [{"atMs": 4880, "missingMs": 120}]


async def test_a_turn_without_words_is_forgotten_and_a_lost_one_closed(page: Page) -> None:
    await show_face(page)

    def starts(item_id: str, at_ms: int) -> JsonObject:
        return served(at_ms, "input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=at_ms - 30)

    inputs = [starts("u1", 1000), starts("u2", 2000), starts("u3", 3000)]
    tracks = await reduced(page, TRACKS, [*inputs, served(3500, "conversation.item.deleted", item_id="u2")], PLAIN)
    spans = [(turn["itemId"], turn["startMs"], turn["endMs"]) for turn in tracks["turns"]]
    assert spans == [("u1", 1000, 2000), ("u3", 3000, None)]


async def test_levels_are_kept_on_a_scale_of_decibels(page: Page) -> None:
    await show_face(page)
    code = """({ height, decibels }) => [0, 0.001, 0.0316228, 1, 2].map(height)
      .concat([0, 128, 255].map((one) => Number.isFinite(decibels(one)) ? Math.round(decibels(one)) : null))"""
    assert await ask(page, LEVELS, code) == [0, 0, 128, 255, 255, None, -30, 0]


async def test_levels_of_the_last_half_hour_are_kept(page: Page) -> None:
    await show_face(page)
    code = """({ silence, write, at, highest, FRAMES_KEPT }) => {
      const levels = silence();
      for (let frame = 0; frame < FRAMES_KEPT + 100; frame += 1) write(levels, frame * 20 + 7.3, frame === 50 ? 0 : 1);
      write(levels, (FRAMES_KEPT + 110) * 20 + 7.3, 0.0316228);
      const left = highest(levels, FRAMES_KEPT + 100, FRAMES_KEPT + 110);
      return [levels.heights.length, at(levels, 110), at(levels, 111), left,
        at(levels, FRAMES_KEPT + 110), at(levels, FRAMES_KEPT + 111), at(levels, -1)];
    }"""
    assert await ask(page, LEVELS, code) == [90_000, 0, 255, 0, 128, 0, 0]


async def test_what_lies_under_a_point_in_time_is_said_in_words(page: Page) -> None:
    await show_face(page)
    code = """async ({ describe }, [address, given, times]) => {
      const { initial, next } = await import(address);
      const tracks = given.reduce(next, initial());
      return times.map((ms) => describe(tracks, ms));
    }"""
    script = await page.get_attribute("script[src$='app.js']", "src")
    assert script is not None
    times = [2000, 3900, 4250, 5800, 13200, 13500, 9990]
    said = await ask(page, WORDS, code, [script.replace("app.js", TRACKS), as_inputs(), times])
    weather = "You said “Could you tell me, well, what the weather will be tomorrow?”"
    assert said == [
        f"0:02.0: you speak (−25 dB), the agent is silent. {weather}.",
        "0:03.9: you are silent, the agent is silent. Pause 2: the turn ends here with 0.92.",
        "0:04.3: you are silent, the agent is silent. Turn over.",
        "0:05.8: you speak (−23 dB), the agent speaks, ducked (−21 dB), both at once.",
        "0:13.2: you speak (−29 dB), the agent is held. The agent stops, 34 ms after the decision. "
        "You said “No, wait. By bicycle?”.",
        "0:13.5: you speak (−34 dB), the agent is held. "
        "Your speech over the agent: an interruption, the agent gives way. You said “No, wait. By bicycle?”.",
        "0:10.0: you speak (−16 dB), the agent is silent. You said “And how long does it take to get to the station?”.",
    ]


# The canvas


async def pixels(page: Page, canvas: str, colour: str) -> list[list[int]]:
    """Where the canvas is painted in a colour of the page: [x, y] in device px, every 2nd row."""
    found: list[list[int]] = await page.evaluate(
        """([canvas, colour]) => {
             const on = document.querySelector(canvas);
             const probe = new OffscreenCanvas(1, 1).getContext('2d');
             probe.fillStyle = getComputedStyle(on).getPropertyValue(colour);
             probe.fillRect(0, 0, 1, 1);
             const wanted = probe.getImageData(0, 0, 1, 1).data;
             const { data, width, height } = on.getContext('2d').getImageData(0, 0, on.width, on.height);
             const places = [];
             for (let y = 0; y < height; y += 2) {
               for (let x = 0; x < width; x += 1) {
                 const at = 4 * (y * width + x);
                 if ([0, 1, 2, 3].every((part) => Math.abs(data[at + part] - wanted[part]) <= 2)) places.push([x, y]);
               }
             }
             return places;
           }""",
        [canvas, colour],
    )
    return found


async def middle(page: Page, canvas: str = CANVAS) -> float:
    code = "({ lanes }, height) => lanes(height).middle"
    height = await page.evaluate("(canvas) => document.querySelector(canvas).clientHeight", canvas)
    return float(await ask(page, "view/draw-tracks.js", code, height))


async def test_the_users_bars_grow_up_and_the_agents_down(page: Page) -> None:
    await begin(page)
    await tell_whole(page)
    half = await middle(page)
    agent = await pixels(page, CANVAS, "--agent")
    user = [y for _, y in await pixels(page, CANVAS, "--user") if y > half - 40]
    assert len(user) > 1000
    assert len(agent) > 1000
    assert sum(y < half for y in user) > 0.95 * len(user), "but for the lines of the turns' ends"
    assert sum(y > half for _, y in agent) > 0.9 * len(agent)


async def test_it_is_as_sharp_as_the_screen(browsers: Any, open_tab: Any) -> None:
    browser = await browsers.with_microphone("beeps")
    context = await browser.new_context(device_scale_factor=2, viewport={"width": 900, "height": 700})
    page = await context.new_page()
    await show_face(page)
    await page.click("#talk-button")
    await tell(page, story(), until_ms=3000)
    size = "(canvas) => [canvas.width / canvas.clientWidth, canvas.height / canvas.clientHeight, canvas.clientWidth]"
    across, down, wide = await page.locator(CANVAS).evaluate(size)
    assert (across, down) == (2, 2)
    await page.set_viewport_size({"width": 500, "height": 700})
    await until(page, f"document.querySelector('{CANVAS}').clientWidth < {wide}")
    await page.wait_for_timeout(100)
    across, down, _ = await page.locator(CANVAS).evaluate(size)
    assert (across, down) == (2, 2)
    await context.close()


async def test_it_follows_the_theme(page: Page) -> None:
    await page.emulate_media(color_scheme="light")
    await begin(page)
    await tell_whole(page)
    light = await pixels(page, CANVAS, "--agent")
    await page.emulate_media(color_scheme="dark")
    await page.wait_for_timeout(100)
    dark = await pixels(page, CANVAS, "--agent")
    assert len(dark) == pytest.approx(len(light), rel=0.1)


async def test_it_stands_still_when_nothing_happens(page: Page) -> None:
    count = """async (ms) => {
      let drawn = 0;
      const { clearRect } = CanvasRenderingContext2D.prototype;
      const on = document.querySelector('#timeline canvas');
      CanvasRenderingContext2D.prototype.clearRect = function (...box) {
        if (this.canvas === on) drawn += 1;
        return clearRect.apply(this, box);
      };
      await new Promise((done) => setTimeout(done, ms));
      CanvasRenderingContext2D.prototype.clearRect = clearRect;
      return drawn;
    }"""
    await begin(page)
    await tell_whole(page)
    assert await page.evaluate(count, 300) >= 3, "while the call is live it scrolls"
    await page.evaluate("fakeCall.stop()")
    await page.wait_for_timeout(50)
    assert await page.evaluate(count, 300) == 0


async def test_a_pointer_asks_what_is_there(page: Page) -> None:
    await begin(page)
    await tell_whole(page)
    box = await page.locator(CANVAS).bounding_box()
    assert box is not None
    readout = page.locator("#timeline .readout")
    await expect(readout).to_be_hidden()
    await page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 90)
    await expect(readout).to_contain_text("0:1")
    await expect(readout).to_contain_text("the agent")
    await page.mouse.move(5, 5)
    await expect(readout).to_be_hidden()


async def test_the_keyboard_moves_a_cursor_that_is_read_out(page: Page) -> None:
    await begin(page)
    await tell_whole(page)
    canvas = page.locator(CANVAS)
    await canvas.focus()
    await page.keyboard.press("Home")
    await expect(canvas).to_have_attribute("aria-valuetext", "0:00.0: you are silent, the agent is silent.")
    await page.keyboard.press("PageDown")
    await expect(canvas).to_have_attribute("aria-valuenow", "2.3")
    await expect(page.locator("#timeline .readout")).to_contain_text("Pause 1: the turn ends here with 0.35")
    await page.keyboard.press("PageDown")
    await page.keyboard.press("PageDown")
    await expect(page.locator("#timeline .readout")).to_contain_text("Turn over")
    await page.keyboard.press("PageUp")
    await expect(canvas).to_have_attribute("aria-valuenow", "3.9")
    await page.keyboard.press("ArrowRight")
    await expect(canvas).to_have_attribute("aria-valuenow", "4.0")
    await page.keyboard.press("Shift+ArrowLeft")
    await expect(canvas).to_have_attribute("aria-valuenow", "3.0")
    await page.keyboard.press("Escape")
    await expect(page.locator("#timeline .readout")).to_be_hidden()
    assert await page.evaluate("fakeCall.asked.filter(([name]) => name === 'cancelReply').length") == 0


async def test_it_has_an_alternative_in_words(page: Page) -> None:
    await begin(page)
    await tell(page, story(), until_ms=6400)
    await page.wait_for_timeout(1100)
    await expect(page.locator("#timeline > p.vh")).to_have_text(
        "0:06.4 of conversation: 1 turn of yours, 1 reply, 1 overlap, 0 stops of the agent"
    )
    items = await page.locator("#timeline > ol.vh li").all_inner_texts()
    assert [item.strip() for item in items] == [
        "0:06.3 your speech over the agent: a backchannel, the agent goes on",
        "0:04.3 turn over",
        "0:03.9 pause 2: the turn ends here with 0.92",
        "0:02.3 pause 1: the turn ends here with 0.35",
    ]


@pytest.mark.parametrize("minutes", [0.5, 30])
async def test_what_a_frame_costs(page: Page, minutes: float) -> None:
    await begin(page, width=1600)
    code = """async ({ initial, next }, [draw, given, repeats]) => {
      const { drawTracks } = await import(draw);
      let tracks = initial();
      for (let at = 0; at < repeats; at += 1) {
        for (const one of given) {
          const moved = { ...one, atMs: one.atMs + at * 19000, mediaOffsetMs: 30 + at * 19000 };
          tracks = next(tracks, moved);
        }
      }
      const ctx = new OffscreenCanvas(1600, 168).getContext('2d');
      const names = ['user', 'agent', 'ink', 'soft', 'faint', 'line', 'bad'];
      const colours = Object.fromEntries(names.map((name) => [name, '#345678']));
      const view = { width: 1600, height: 168, ratio: 1, cursorMs: null, playheadMs: null };
      const costs = [];
      for (let at = 0; at < 300; at += 1) {
        const fromMs = tracks.endMs - 18000 - at * 16;
        const began = performance.now();
        drawTracks(ctx, tracks, { ...view, fromMs }, colours);
        costs.push(performance.now() - began);
      }
      costs.sort((a, b) => a - b);
      return [costs[150], costs[285], tracks.endMs];
    }"""
    script = await page.get_attribute("script[src$='app.js']", "src")
    assert script is not None
    repeats = round(minutes * 60 / 19)
    p50_ms, p95_ms, end_ms = await ask(
        page, TRACKS, code, [script.replace("app.js", "view/draw-tracks.js"), as_inputs(), max(repeats, 1)]
    )
    sys.stdout.write(f"\n{end_ms / 60000:.1f} minutes: a frame p50 {p50_ms:.2f} ms, p95 {p95_ms:.2f} ms\n")
    assert end_ms > 0
