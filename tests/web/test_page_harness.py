"""browser.py, sounds.py: what the tests of the page hear is what it plays, and what it hears is what they say."""

from pathlib import Path

import numpy as np
import pytest

from speakback.timebase import VOICE_HZ
from tests.web.browser import Tab
from tests.web.conftest import OpenTab
from tests.web.servers import ScriptedServer
from tests.web.sounds import Listener, Speaker, likeness, silence, words_of, write_wav

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

TONE = """
async () => {
  const context = new AudioContext({ sampleRate: 24000 });
  await context.resume();
  const tone = new OscillatorNode(context, { frequency: 440 });
  const half = new GainNode(context, { gain: 0.5 });
  tone.connect(half).connect(context.destination);
  tone.start(context.currentTime + 0.3);
  tone.stop(context.currentTime + 0.8);
  await new Promise((resolve) => { tone.onended = resolve; });
  await new Promise((resolve) => setTimeout(resolve, 300));
}"""
ECHO = """
async (forMs) => {
  const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: raw });
  const context = new AudioContext();
  await context.resume();
  new MediaStreamAudioSourceNode(context, { mediaStream: microphone }).connect(context.destination);
  await new Promise((resolve) => setTimeout(resolve, forMs));
}"""
ASK = "() => navigator.mediaDevices.getUserMedia({ audio: true }).then(() => 'given', (error) => error.name)"
SENTENCE = "The weather is lovely by the sea today."


async def test_what_the_page_plays_is_heard(tab: Tab, scripted_server: ScriptedServer) -> None:
    await tab.page.goto(f"{scripted_server.address}/connect")
    await tab.page.evaluate(TONE)
    audible = np.flatnonzero(np.abs(await tab.heard()) > 0.01)
    assert len(audible) / VOICE_HZ == pytest.approx(0.5, abs=0.02)
    sound = (await tab.heard())[audible[0] : audible[-1]]
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    loudest_hz = np.argmax(np.abs(np.fft.rfft(sound))) * VOICE_HZ / len(sound)
    assert loudest_hz == pytest.approx(440, abs=5)


async def test_what_is_said_into_the_microphone_reaches_the_page(
    open_tab: OpenTab, scripted_server: ScriptedServer, speaker: Speaker, listener: Listener, tmp_path: Path
) -> None:
    said = await speaker.say(SENTENCE)
    tab = await open_tab(write_wav(tmp_path / "said.wav", silence(500), said))
    await tab.page.goto(f"{scripted_server.address}/connect")
    await tab.page.evaluate(ECHO, 1500 + 1000 * len(said) / VOICE_HZ)
    heard = await listener.words(await tab.heard())
    assert likeness(heard, words_of(SENTENCE)) > 0.8, heard


async def test_a_microphone_may_be_given_refused_or_absent(open_tab: OpenTab, scripted_server: ScriptedServer) -> None:
    tabs = [await open_tab(), await open_tab("refused"), await open_tab("absent")]
    answers = []
    for tab in tabs:
        await tab.page.goto(f"{scripted_server.address}/connect")
        answers.append(await tab.page.evaluate(ASK))
    assert answers == ["given", "NotAllowedError", "NotFoundError"]


async def test_errors_and_breaches_of_the_policy_are_noticed(tab: Tab, scripted_server: ScriptedServer) -> None:
    await tab.page.goto(f"{scripted_server.address}/connect")
    assert tab.unexpected() == []
    await tab.page.evaluate("() => { setTimeout(() => { throw new Error('on purpose'); }); }")
    await tab.page.evaluate("() => { document.body.setAttribute('style', 'color: red'); }")
    await tab.page.evaluate("() => fetch('https://elsewhere.example/').catch(() => {})")
    await tab.page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    said = "\n".join([*tab.unexpected(), *await tab.breaches()])
    for complaint in ("on purpose", "style-src", "connect-src"):
        assert complaint in said
    tab.may_say("on purpose|style-src|Content Security Policy|connect-src")
