"""providers/voice_set.py: one provider, several voices."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from speakback.config import Settings
from speakback.config.voices import voices
from speakback.providers.chain.entry import Entry, Pin
from speakback.providers.chain.tts_chain import TtsChain
from speakback.providers.decisions import Decision, DecisionKind
from speakback.providers.engines import Pins
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.registry import TTS, needed_weights
from speakback.providers.tts import TextToSpeech
from speakback.providers.voice_set import VoiceSet, in_voice
from speakback.providers.waits import UNREPORTED
from tests.session.scripted import ScriptedTts, scripted


@dataclass
class Sleeper(ScriptedTts):
    """Takes until `may_wake` to be ready."""

    warmed: int = 0
    closed: bool = False
    may_wake: asyncio.Event = field(default_factory=asyncio.Event)
    is_ready: asyncio.Event = field(default_factory=asyncio.Event)
    refusal: ProviderError | None = None

    async def warm(self) -> None:
        self.warmed += 1
        await self.may_wake.wait()
        self.is_ready.set()
        if self.refusal is not None:
            raise self.refusal

    async def aclose(self) -> None:
        self.closed = True


def awake() -> Sleeper:
    sleeper = Sleeper()
    sleeper.may_wake.set()
    return sleeper


def refused() -> ProviderError:
    return ProviderError("tts", "scripted", "no such voice", failure=Failure.UNKNOWN_VOICE)


async def clauses(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text


async def say(voice: TextToSpeech) -> int:
    return sum([len(chunk.audio_24k) async for chunk in voice.speak(clauses("Hello there."))])


def unheard(_: Decision) -> None:
    pass


async def test_the_first_voice_speaks_where_nobody_chooses() -> None:
    ann, bo = awake(), awake()
    both = VoiceSet("house", {"ann": ann, "bo": bo}, warms_all=False)
    assert await say(in_voice(both, None)) > 0
    assert await say(in_voice(both, "carl")) > 0
    assert (len(ann.clauses), len(bo.clauses)) == (2, 0)
    assert await say(in_voice(both, "bo")) > 0
    assert len(bo.clauses) == 1
    await both.aclose()
    assert ann.closed
    assert bo.closed


@pytest.mark.parametrize(("warms_all", "warmed"), [(True, 1), (False, 0)])
async def test_models_are_loaded_at_start_and_connections_when_chosen(warms_all: bool, warmed: int) -> None:
    ann, bo = awake(), awake()
    both = VoiceSet("house", {"ann": ann, "bo": bo}, warms_all=warms_all)
    await both.warm()
    assert (ann.warmed, bo.warmed) == (1, warmed)
    both.chosen("bo")
    await asyncio.wait_for(bo.is_ready.wait(), 5)
    both.chosen("bo")
    await asyncio.sleep(0)
    assert (ann.warmed, bo.warmed) == (1, 1), "made ready once, whoever chooses it"
    await both.aclose()


async def test_choosing_does_not_wait_and_many_who_choose_share_one_warming() -> None:
    slow = Sleeper()
    both = VoiceSet("house", {"ann": awake(), "slow": slow}, warms_all=False)
    assert all(both.chosen("slow") is slow for _ in range(5))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert slow.warmed == 1
    await both.aclose()
    assert not slow.is_ready.is_set(), "nothing is left of it"


async def test_a_voice_that_cannot_be_made_ready_is_told_and_tried_anew() -> None:
    bad = awake()
    bad.refusal = refused()
    both = VoiceSet("house", {"ann": awake(), "bad": bad}, warms_all=False)
    with capture_logs() as logged:
        both.chosen("bad")
        await asyncio.wait_for(bad.is_ready.wait(), 5)
        await asyncio.sleep(0)
    assert [entry["event"] for entry in logged] == ["a voice is not ready"]
    bad.is_ready.clear()
    both.chosen("bad")
    await asyncio.wait_for(bad.is_ready.wait(), 5)
    assert bad.warmed == 2
    await both.aclose()


async def test_a_stand_in_speaks_in_its_own_voice() -> None:
    """The session chose a voice of the first provider, which then fails."""
    ann, bo = awake(), awake()
    bo.failure = refused()
    heart, joe = awake(), awake()
    far = VoiceSet("far", {"ann": ann, "bo": bo}, warms_all=False)
    near = VoiceSet("near", {"heart": heart, "joe": joe}, warms_all=True)
    chain = TtsChain((Entry("far", far, voice="ann"), Entry("near", near, is_local=True, voice="heart")))
    decisions: list[Decision] = []
    engines = scripted(tts=chain).for_session(Pins(), decisions.append, "bo")
    assert await say(engines.tts) > 0
    assert DecisionKind.FAILED_OVER in [decision.kind for decision in decisions]
    assert [len(voice.clauses) for voice in (ann, heart, joe)] == [0, 1, 0]
    await chain.aclose()


async def test_who_goes_on_in_the_midst_is_named_by_the_voice_that_is_heard() -> None:
    dying, joe = awake(), awake()
    dying.failure, dying.fails_at = refused(), 1
    near = VoiceSet("near", {"heart": awake(), "joe": joe}, warms_all=True)
    chain = TtsChain((Entry("far", dying), Entry("near", near, is_local=True, voice="heart")))
    decisions: list[Decision] = []
    tts = chain.bound(Pin(), decisions.append, "joe")
    heard = [chunk async for chunk in tts.speak(clauses("One two.", "Three four."))]
    assert heard
    (went_on,) = [decision for decision in decisions if decision.kind is DecisionKind.WENT_ON]
    assert went_on.reason == "it goes on at the next word, in the voice joe"
    await chain.aclose()


async def test_a_single_provider_needs_no_chain() -> None:
    joe = awake()
    near = VoiceSet("near", {"heart": awake(), "joe": joe}, warms_all=True)
    await near.warm()
    assert scripted(tts=near).for_session(Pins(), unheard, "joe").tts is joe
    assert scripted(tts=near).for_session(Pins(tts=Pin("near")), unheard).tts is near
    await near.aclose()


async def test_two_voices_of_this_machine_really_speak_and_differ() -> None:
    """Hibari's and Piper's."""
    settings = Settings.model_validate({"tts": {"voices": ["joe"]}})
    assert [one.names for one in voices(settings)] == [("heart", "joe")]
    assert "piper-joe" in needed_weights(settings)
    assert "piper-joe" not in needed_weights(Settings())
    both = await asyncio.to_thread(TTS["hibari"], settings, UNREPORTED)
    assert isinstance(both, VoiceSet)
    await both.warm()
    lengths = [await say(in_voice(both, voice)) for voice in ("heart", "joe")]
    assert min(lengths) > 12_000, "each says it, in more than half a second"
    assert lengths[0] != lengths[1]
    await both.aclose()


async def test_the_default_voice_stands_alone_and_is_what_it_was() -> None:
    alone = await asyncio.to_thread(TTS["hibari"], Settings(), UNREPORTED)
    assert not isinstance(alone, VoiceSet)
    await alone.aclose()


async def test_a_voice_whose_weights_are_not_here_is_told_to_the_operator_at_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("HIBARI_HOME", str(tmp_path))
    both = await asyncio.to_thread(TTS["hibari"], Settings.model_validate({"tts": {"voices": ["kore"]}}), UNREPORTED)
    with pytest.raises(ProviderError, match="weights of voice 'kore' are not on this machine"):
        await both.warm()
    await both.aclose()
