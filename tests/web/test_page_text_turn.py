"""Typing instead of speaking: it is answered aloud, without any microphone."""

import pytest

from speakback.providers.llm import LanguageModel
from tests.web.answering import answering, history
from tests.web.browser import NO_CHROMIUM
from tests.web.conftest import OpenTab, StartScripted
from tests.web.servers import ScriptedServer
from tests.web.sounds import Listener, Speaker, likeness, words_of

pytest.importorskip("playwright", reason=NO_CHROMIUM)
from playwright.async_api import expect  # noqa: E402

from tests.web.talking import Talk, first_audible_ms, last_audible_ms  # noqa: E402

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

WEATHER = "Tomorrow it will be dry and mild, with some clouds in the evening."
STORY = "Once upon a time there was a fisherman who lived with his wife in a small house near the sea."
SILENT_WITHIN_MS = 60


async def spoken(start_scripted: StartScripted, speaker: Speaker, llm: LanguageModel) -> ScriptedServer:
    """A server with a real voice, which is loaded by now."""
    await speaker.say("One moment.")
    server = await start_scripted()
    server.llm, server.tts = llm, speaker.voice
    await server.restart()
    return server


async def test_a_typed_turn_is_answered_aloud_without_a_microphone(
    start_scripted: StartScripted, open_tab: OpenTab, speaker: Speaker, listener: Listener
) -> None:
    llm = answering(WEATHER)
    server = await spoken(start_scripted, speaker, llm)
    talk = Talk(await open_tab("absent"))
    await talk.open(server.address)
    await talk.begin_typing()
    await expect(talk.presence).to_have_text("Ready for your message")
    await expect(talk.button("Mute")).to_be_hidden()
    await talk.type("What will the weather be?")
    await expect(talk.presence).to_have_text("Speaking")
    await talk.until_done()
    await expect(talk.presence).to_have_text("Ready for your message")
    heard = await listener.words(await talk.tab.heard())
    assert likeness(heard, words_of(WEATHER)) > 0.85, heard
    await expect(talk.turns("user").locator(".words")).to_have_text("What will the weather be?")
    assert await talk.words(talk.turns("agent").first) == (WEATHER.split(), [])
    assert history(llm) == [("user", "What will the weather be?")]


async def test_what_is_typed_while_the_agent_speaks_stops_it_and_is_answered(
    start_scripted: StartScripted, open_tab: OpenTab, speaker: Speaker, listener: Listener
) -> None:
    llm = answering(STORY, WEATHER)
    server = await spoken(start_scripted, speaker, llm)
    talk = Talk(await open_tab("absent"))
    await talk.open(server.address)
    await talk.begin_typing()
    await talk.type("Tell me a story.")
    await talk.until("server", "it.event.type.endsWith('transcript.delta')", count=6)
    await talk.type("What will the weather be?")
    silenced = await talk.until("silenced")
    assert silenced["atMs"] - silenced["askedMs"] < SILENT_WITHIN_MS
    await talk.until_done()
    await expect(talk.presence).to_have_text("Ready for your message")

    cut, answer = talk.turns("agent").first, talk.turns("agent").last
    await expect(cut.locator(".note")).to_have_text("interrupted")
    said, unheard = await talk.words(cut)
    assert [*said, *unheard] == STORY.split()
    assert await talk.words(answer) == (WEATHER.split(), [])
    assert history(llm) == [
        ("user", "Tell me a story."),
        ("assistant", " ".join(said)),
        ("user", "What will the weather be?"),
    ]

    [played] = await talk.tab.played()
    story_ms = last_audible_ms(played, silenced["atMs"] + 200) - first_audible_ms(played)
    assert story_ms == pytest.approx(silenced["playedMs"], abs=100)
    heard = await listener.words(played.audio_24k)
    assert likeness(heard[-len(WEATHER.split()) :], words_of(WEATHER)) > 0.8, heard
    assert likeness(heard[: len(said)], words_of(" ".join(said))) > 0.6, (heard, said)
