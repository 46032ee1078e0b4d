"""audio/mic.js, audio/sound.js and call.js, where microphones, clocks and tabs do what they like."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import soundfile

from tests.web.bare_server import BareServer
from tests.web.browser import Tab
from tests.web.calls import VOICE_PER_MS, CallInPage, call_in, live, speech
from tests.web.conftest import OpenTab
from tests.web.sounds import MICROPHONE_HZ

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]

PCM_PER_MS = 2 * VOICE_PER_MS
KEEP_TRACKS = """() => {
  window.tracks = [];
  window.refuses = false;
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    if (window.refuses) throw new DOMException('none', 'NotFoundError');
    window.wish = wish;
    const stream = await ask(wish);
    tracks.push(...stream.getTracks());
    return stream;
  };
}"""
NO_PROCESSING = {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False}
LOSE = "() => { tracks.at(-1).stop(); tracks.at(-1).dispatchEvent(new Event('ended')); }"
PLUG_IN = "() => navigator.mediaDevices.dispatchEvent(new Event('devicechange'))"


@pytest_asyncio.fixture(loop_scope="session")
async def call(tab: Tab, server: BareServer) -> CallInPage:
    opened = await call_in(tab.page, server.address)
    await tab.page.evaluate(KEEP_TRACKS)
    return opened


# ---- the microphone ---------------------------------------------------------------------------


@pytest.mark.parametrize(("microphone", "code"), [("refused", "mic-refused"), ("absent", "mic-absent")])
async def test_a_microphone_that_is_not_to_be_had(
    microphone: str, code: str, open_tab: OpenTab, server: BareServer
) -> None:
    call = await call_in((await open_tab(microphone)).page, server.address)  # type: ignore[arg-type]
    problem = await call.begin()
    assert problem is not None
    assert (problem["code"], problem["isFatal"]) == (code, True)
    assert server.connections == []
    assert await call.begin(mic=False) is None, "one may type instead"


async def test_the_browsers_own_processing_is_on_and_can_be_switched(call: CallInPage, server: BareServer) -> None:
    await live(call, server)
    wish = await call.page.evaluate("() => wish.audio")
    assert all(wish[name] is True for name in NO_PROCESSING)
    await call.do("call.setProcessing(given[0])", NO_PROCESSING)
    settings = await call.page.evaluate("() => tracks.at(-1).getSettings()")
    assert {name: settings[name] for name in NO_PROCESSING} == NO_PROCESSING
    running = await call.page.evaluate("() => tracks.filter((one) => one.readyState === 'live').length")
    assert running == 1


async def test_a_microphone_that_goes_is_taken_again_and_time_stays_whole(call: CallInPage, server: BareServer) -> None:
    connection = await live(call, server)
    await connection.until(lambda c: len(c.pcm) > PCM_PER_MS * 500)
    await call.page.evaluate("() => { window.refuses = true; }")
    await call.page.evaluate(LOSE)
    gone = (await call.until("problem", code="mic-gone"))["detail"]
    assert not gone["isFatal"]
    at = len(connection.pcm)
    await connection.until(lambda c: len(c.pcm) > at + PCM_PER_MS * 300)
    assert not any(connection.pcm[at + PCM_PER_MS * 100 : at + PCM_PER_MS * 300])
    await call.page.evaluate("() => { window.refuses = false; }")
    await call.page.evaluate(PLUG_IN)
    await call.until("solved", code="mic-gone")
    await call.until("problem", code="mic-changed")
    at = len(connection.pcm)
    await connection.until(lambda c: any(c.pcm[at:]))
    heard = await call.all("heard")
    assert [round(b["atMs"] - a["atMs"], 6) for a, b in zip(heard, heard[1:], strict=False)] == [20] * (len(heard) - 1)
    assert (await call.all("state"))[-1]["state"] == "live"


async def test_another_default_microphone_is_taken(call: CallInPage, server: BareServer) -> None:
    await live(call, server)
    await call.page.wait_for_timeout(200)
    await call.page.evaluate(
        """() => {
          const list = [{ kind: 'audioinput', deviceId: 'default', groupId: 'g', label: 'Headset' }];
          navigator.mediaDevices.enumerateDevices = () => Promise.resolve(list);
        }"""
    )
    await call.page.evaluate(PLUG_IN)
    changed = (await call.until("problem", code="mic-changed"))["detail"]
    assert not changed["isFatal"]
    assert await call.page.evaluate("() => tracks.map((one) => one.readyState)") == ["ended", "live"]
    await call.page.evaluate(PLUG_IN)
    await call.page.wait_for_timeout(100)
    assert len(await call.page.evaluate("() => tracks.map(String)")) == 2, "it is the same now"


@pytest_asyncio.fixture(loop_scope="session")
async def told_of(open_tab: OpenTab, server: BareServer, tmp_path: Path) -> "WithMicrophone":
    return WithMicrophone(open_tab, server, tmp_path)


class WithMicrophone:
    """A call whose microphone plays something."""

    def __init__(self, open_tab: OpenTab, server: BareServer, folder: Path) -> None:
        self._open_tab, self._server, self._folder = open_tab, server, folder

    async def __call__(self, samples: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> CallInPage:
        recording = self._folder / "microphone.wav"
        await asyncio.to_thread(soundfile.write, recording, samples, MICROPHONE_HZ, subtype="PCM_16")
        tab = await self._open_tab(recording)
        call = await call_in(tab.page, self._server.address)
        await call.do("call.setProcessing(given[0])", NO_PROCESSING)
        assert await call.begin() is None
        return call


async def test_a_microphone_of_silence_is_told(told_of: WithMicrophone) -> None:
    call = await told_of(np.zeros(MICROPHONE_HZ))
    told = await call.until("problem", code="mic-silent")
    assert not told["detail"]["isFatal"]


async def test_a_microphone_that_distorts_is_told(told_of: WithMicrophone) -> None:
    tone = np.sin(2 * np.pi * 180 * np.arange(4 * MICROPHONE_HZ) / MICROPHONE_HZ)
    call = await told_of(np.clip(6 * tone, -0.9999, 0.9999))
    told = await call.until("problem", code="mic-clipping")
    assert not told["detail"]["isFatal"]


# ---- rates and clocks -------------------------------------------------------------------------


@pytest.mark.parametrize("rate_hz", [48_000, 44_100])
async def test_a_browser_that_has_only_its_own_rate_hears_and_plays_the_same(
    rate_hz: int, call: CallInPage, server: BareServer
) -> None:
    await call.page.evaluate(
        """(rate) => {
          const Context = window.AudioContext;
          window.AudioContext = class extends Context {
            constructor(options) {
              if (options?.sampleRate === 24000) throw new DOMException('no', 'NotSupportedError');
              super({ ...options, sampleRate: rate });
            }
          };
        }""",
        rate_hz,
    )
    connection = await live(call, server)
    assert await call.do("call.sampleRate") == rate_hz
    said = speech(500)
    await connection.begin("item_1")
    await connection.audio(said)
    await connection.end("item_1")
    await connection.until(lambda c: c.of("speakback.playback_ack")[-1:])
    await connection.until(lambda c: c.of("speakback.playback_ack")[-1]["played_ms"] == 500)
    (audible,) = await call.all("audible")
    recorded = await call.recorded(audible["atMs"] + 500)
    sounds = np.flatnonzero(recorded.agent)
    assert np.array_equal(recorded.agent[sounds[0] : sounds[0] + len(said)], said)
    await connection.until(lambda c: len(c.pcm) > PCM_PER_MS * 1500)
    heard = await call.all("heard")
    assert heard[-1]["atMs"] - heard[0]["atMs"] == pytest.approx(20 * (len(heard) - 1))


async def test_a_browser_that_cannot_convert_the_microphones_rate_gets_a_context_at_it(
    call: CallInPage, server: BareServer
) -> None:
    await call.page.evaluate(
        """() => {
          const source = AudioContext.prototype.createMediaStreamSource;
          AudioContext.prototype.createMediaStreamSource = function (stream) {
            if (this.sampleRate === 24000) throw new DOMException('no', 'NotSupportedError');
            return source.call(this, stream);
          };
        }"""
    )
    connection = await live(call, server)
    assert await call.do("call.sampleRate") != 24_000
    await connection.until(lambda c: any(c.pcm))


async def test_a_computer_that_slept_says_so_and_goes_on(call: CallInPage, server: BareServer) -> None:
    connection = await live(call, server)
    await call.until("stats")
    await call.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 60_000; }")
    slept = (await call.until("problem", code="slept"))["detail"]
    assert not slept["isFatal"]
    at = len(connection.pcm)
    await connection.until(lambda c: len(c.pcm) > at + PCM_PER_MS * 200)


async def test_sound_that_was_put_to_sleep_is_woken(call: CallInPage, server: BareServer) -> None:
    await call.page.evaluate(
        """() => {
          const Context = window.AudioContext;
          window.AudioContext = class extends Context { constructor(...a) { super(...a); window.context = this; } };
        }"""
    )
    connection = await live(call, server)
    await call.page.evaluate("() => context.suspend()")
    await call.page.wait_for_function("() => context.state === 'running'")
    at = len(connection.pcm)
    await connection.until(lambda c: len(c.pcm) > at + PCM_PER_MS * 200)


# ---- tabs -------------------------------------------------------------------------------------


async def test_one_tab_has_the_conversation_until_another_insists(call: CallInPage, server: BareServer) -> None:
    await live(call, server, mic=False)
    other = await call_in(await call.page.context.new_page(), server.address)
    problem = await other.begin(mic=False)
    assert problem is not None
    assert (problem["code"], problem["isFatal"]) == ("another-tab", False)
    assert await other.begin(mic=False, insist=True) is None
    ended = (await call.until("state", state="ended"))["detail"]
    assert "another tab" in ended["reason"]
    assert "moved-tab" in [detail["code"] for detail in await call.all("problem")]
    await other.do("call.stop()")
    assert await call.begin(mic=False) is None


async def test_a_hidden_tab_goes_on_talking(call: CallInPage, server: BareServer) -> None:
    connection = await live(call, server)
    front = await call.page.context.new_page()
    await front.bring_to_front()
    at = len(connection.pcm)
    await connection.begin("item_1")
    await connection.audio(speech(1000))
    await connection.end("item_1")
    await connection.until(lambda c: c.of("speakback.playback_ack")[-1:])
    await connection.until(lambda c: c.of("speakback.playback_ack")[-1]["played_ms"] == 1000)
    await connection.until(lambda c: len(c.pcm) > at + PCM_PER_MS * 1000)
    assert await call.all("underrun") == []


async def test_a_page_that_is_left_hangs_up(call: CallInPage, server: BareServer) -> None:
    connection = await live(call, server)
    await call.page.goto("about:blank")
    await connection.until(lambda c: c.close_code)
    assert connection.close_code in (1000, 1001)
