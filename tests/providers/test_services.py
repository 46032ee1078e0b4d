"""providers/services.py, registry.py: from settings to chains over the services, against the emulators."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from speakback.config import Settings
from speakback.emulators.elevenlabs.app import elevenlabs_app
from speakback.emulators.elevenlabs.options import ElevenLabsOptions
from speakback.emulators.scripted_content import ToneSpeaker
from speakback.emulators.testing import ElevenLabsEmulator, GroqEmulator, served_in_thread
from speakback.providers.decisions import Decision, DecisionKind
from speakback.providers.engines import Engines, Pins
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.llm import Message, Prompt, TextDelta
from speakback.providers.registry import build_engines
from speakback.providers.services import groq_stt, region_of
from tests.providers.groq.service import KEY, listening, says, voice

pytest_plugins = ["speakback.emulators.testing"]

PROMPT = Prompt((Message("user", "Hello."),))


@asynccontextmanager
async def engines_of(**sections: dict[str, object]) -> AsyncIterator[Engines]:
    """Services alone: nothing stands behind them."""
    plain = {"chain": {"last_resort": "none"}, "end_of_turn": {"provider": "none"}}
    engines = await build_engines(Settings.model_validate({**plain, **sections}))
    try:
        yield engines
    finally:
        await engines.aclose()


def groq_at(emulator: GroqEmulator, **others: object) -> dict[str, object]:
    return {"api_key": emulator.api_key, "base_url": emulator.openai_base_url, **others}


def elevenlabs_at(emulator: ElevenLabsEmulator, **others: object) -> dict[str, object]:
    return {"api_key": emulator.api_key, "base_url": emulator.base_url, "voice_id": "JBFqnCBsd6RMkjVDRZzb", **others}


async def one_clause(text: str) -> AsyncIterator[str]:
    yield text


async def test_keys_make_a_conversation_run_on_the_services(
    groq_emulator: GroqEmulator, elevenlabs_emulator: ElevenLabsEmulator
) -> None:
    groq_emulator.writes("Good morning.")
    async with engines_of(groq=groq_at(groq_emulator), elevenlabs=elevenlabs_at(elevenlabs_emulator)) as engines:
        assert (engines.stt.name, engines.llm.name, engines.tts.name) == ("groq", "groq", "elevenlabs")
        assert not engines.performs_audio_tags
        text = "".join([delta.text async for delta in engines.llm.stream(PROMPT) if isinstance(delta, TextDelta)])
        words = [word.text async for chunk in engines.tts.speak(one_clause(text)) for word in chunk.words]
    assert words == ["Good", "morning."]


def test_the_experiment_that_is_refused_is_told_and_flash_speaks() -> None:
    """On a plan without the dialogue sockets."""
    options = ElevenLabsOptions(speaker=ToneSpeaker(), has_dialogue=False)
    with served_in_thread({"elevenlabs": elevenlabs_app(options)}) as addresses, capture_logs() as logged:
        said, decisions = asyncio.run(_said_in_the_experiment(addresses["elevenlabs"], options.keys[0]))
    assert said == ["Well,", "yes."], "without its tag"
    (decision,) = decisions
    assert (decision.kind, decision.provider) == (DecisionKind.SKIPPED, "elevenlabs-v3")
    assert [entry["provider"] for entry in logged if entry["event"] == "a chain of providers decided"] == [
        "elevenlabs-v3"
    ]


async def _said_in_the_experiment(base_url: str, key: str) -> tuple[list[str], list[Decision]]:
    decisions: list[Decision] = []
    elevenlabs = {"api_key": key, "base_url": base_url, "expressive": True}
    async with engines_of(elevenlabs=elevenlabs, llm={"provider": "echo"}) as engines:
        assert engines.performs_audio_tags
        voice = engines.for_session(Pins(), decisions.append).tts
        said = [word.text async for chunk in voice.speak(one_clause("[laughs] Well, yes.")) for word in chunk.words]
    return said, decisions


async def test_a_session_speaks_in_the_voice_that_it_chose(elevenlabs_emulator: ElevenLabsEmulator) -> None:
    """Each in the service's own id; the emulator refuses an id that it does not know."""
    decisions: list[Decision] = []
    voices = {"sarah": "EXAVITQu4vr4xnSDxMaL", "nobody": "nosuchvoice1"}
    elevenlabs = elevenlabs_at(elevenlabs_emulator, voices=voices)
    async with engines_of(elevenlabs=elevenlabs, llm={"provider": "echo"}) as engines:
        sarah = engines.for_session(Pins(), decisions.append, "sarah").tts
        said = [word.text async for chunk in sarah.speak(one_clause("Good morning.")) for word in chunk.words]
        assert said == ["Good", "morning."]
        nobody = engines.for_session(Pins(), decisions.append, "nobody").tts
        with pytest.raises(ProviderError) as unknown:
            async for _ in nobody.speak(one_clause("Good morning.")):
                pass
    assert unknown.value.failure is Failure.UNKNOWN_VOICE


async def test_a_wrong_key_is_refused_at_start_where_nobody_stands_behind_it(groq_emulator: GroqEmulator) -> None:
    sections = {"groq": {**groq_at(groq_emulator), "api_key": "gsk_wrong"}}
    with pytest.raises(ProviderError) as caught:
        async with engines_of(**sections):
            pass
    assert caught.value.failure is Failure.REFUSED_KEY
    assert "gsk_wrong" not in str(caught.value)


async def test_a_model_that_is_gone_is_named_with_the_nearest(groq_emulator: GroqEmulator) -> None:
    with pytest.raises(ProviderError, match="the nearest there is: openai/gpt-oss-20b"):
        async with engines_of(groq=groq_at(groq_emulator, llm_models=["openai/gpt-oss-21b"])):
            pass


@pytest.mark.parametrize(
    ("elevenlabs", "region"),
    [
        ({}, None),
        ({"region": "eu"}, "eu"),
        ({"region": "eu", "base_url": "http://127.0.0.1:8790"}, None),
        ({"region": "eu", "base_url": "https://api.us.elevenlabs.io"}, "us"),
        ({"base_url": "https://api.eu.residency.elevenlabs.io"}, "eu"),
    ],
)
def test_a_pinned_region_is_where_the_audio_goes_and_not_where_a_setting_says(
    elevenlabs: dict[str, object], region: str | None
) -> None:
    settings = Settings.model_validate({"elevenlabs": elevenlabs})
    assert region_of("elevenlabs", settings) == region_of("elevenlabs-v3", settings) == region
    assert region_of("groq", settings) is None


async def test_names_to_expect_are_told_to_groq() -> None:
    async with listening(says({"text": " Hello.", "segments": None})) as service:
        groq = {"api_key": KEY, "base_url": service.base_url, "prompt": "Speakback, Hibari."}
        stt = await asyncio.to_thread(groq_stt, Settings.model_validate({"groq": groq}))
        await stt.transcribe(voice(1.0), language="en")
        await stt.aclose()
    assert service.uploads[0]["prompt"] == ["Speakback, Hibari."]


async def test_decisions_are_told_to_the_session_that_they_are_about(groq_emulator: GroqEmulator) -> None:
    decisions: list[Decision] = []
    async with engines_of(groq=groq_at(groq_emulator)) as engines:
        groq_emulator.faults.set("500")
        with pytest.raises(ProviderError):
            async for _ in engines.for_session(Pins(), decisions.append).llm.stream(PROMPT):
                pass
    assert DecisionKind.EXHAUSTED in [decision.kind for decision in decisions]
