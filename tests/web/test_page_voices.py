"""A voice that is chosen in the drawer is heard: the real page, its real call, a real session, real voices."""

import asyncio

import numpy as np
import pytest

from speakback.audio.pcm import Samples
from speakback.providers.registry import TTS
from speakback.providers.waits import UNREPORTED
from speakback.timebase import VOICE_HZ, ms_to_samples
from tests.web.answering import answering
from tests.web.browser import NO_CHROMIUM
from tests.web.conftest import OpenTab, StartScripted
from tests.web.sounds import Listener, likeness, words_of

pytest.importorskip("playwright", reason=NO_CHROMIUM)
from playwright.async_api import expect  # noqa: E402

from tests.web.talking import Talk  # noqa: E402

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

WEATHER = "Tomorrow it will be dry and mild, with some clouds in the evening."
TRAIN = "The next train to the harbour leaves in seven minutes from the other platform."
DEEP_HZ, HIGH_HZ = 130.0, 160.0
"""Piper's joe speaks below, Hibari's heart above."""
FRAME, LOUD = ms_to_samples(40, VOICE_HZ), 0.03


def pitch_hz(audio_24k: Samples) -> float:
    """The median pitch of what is voiced."""
    lags = np.arange(VOICE_HZ // 400, VOICE_HZ // 70)
    found: list[float] = []
    for start in range(0, len(audio_24k) - FRAME, FRAME // 2):
        frame = audio_24k[start : start + FRAME].astype(np.float64)
        if np.sqrt(np.mean(frame**2)) < LOUD:
            continue
        likeness_by_lag = np.array([np.dot(frame[lag:], frame[:-lag]) for lag in lags]) / np.dot(frame, frame)
        if likeness_by_lag.max() > 0.4:
            found.append(VOICE_HZ / float(lags[int(likeness_by_lag.argmax())]))
    return float(np.median(found))


@pytest.mark.slow
async def test_another_voice_is_heard_from_the_next_reply_on(
    start_scripted: StartScripted, open_tab: OpenTab, listener: Listener
) -> None:
    server = await start_scripted(tts={"voices": ["joe"]})
    server.llm = answering(WEATHER, TRAIN)
    server.tts = await asyncio.to_thread(TTS["hibari"], server.settings, UNREPORTED)
    await server.tts.warm()
    await server.restart()
    talk = Talk(await open_tab("absent"))
    await talk.open(server.address)
    await talk.begin_typing()
    await talk.type("What will the weather be?")
    await talk.until_done()
    await talk.until_rest()
    first = await talk.tab.heard()

    await talk.button("Settings").click()
    await talk.page.get_by_label("Voice", exact=True).select_option("joe")
    await expect(talk.page.locator("#choices-status")).to_have_text("Applied: the voice from the next reply on.")
    await talk.page.keyboard.press("Escape")
    await talk.type("When does the train leave?")
    await talk.until_done(count=2)
    await talk.until_rest()
    both = await talk.tab.heard()
    second = both[len(first) :]
    await server.tts.aclose()

    assert pitch_hz(first) > HIGH_HZ
    assert pitch_hz(second) < DEEP_HZ
    assert likeness(await listener.words(second), words_of(TRAIN)) > 0.7


async def test_what_the_running_session_refuses_stands_in_place_and_it_goes_on(
    start_scripted: StartScripted, open_tab: OpenTab
) -> None:
    """The form knows Groq and Whisper; the engines that really run are neither, so the session refuses a pin."""
    server = await start_scripted(groq={"api_key": "gsk_none"})
    talk = Talk(await open_tab("absent"))
    await talk.open(server.address)
    await talk.begin_typing()
    await talk.button("Settings").click()
    ears = talk.page.get_by_label("Speech to text")
    await ears.select_option("whisper")
    await expect(ears).to_have_accessible_description("stt: there is no provider 'whisper'; there is scripted")
    await expect(talk.page.locator("#choices-status")).to_have_text(
        "It was refused; the conversation goes on as it was."
    )
    await talk.page.keyboard.press("Escape")
    await talk.type("Are you still there?")
    await talk.until_done()
