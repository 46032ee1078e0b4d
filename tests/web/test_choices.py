"""web/choices.py and web/sliders.py: what a configuration leaves to be chosen."""

import pytest

from speakback.config import Settings
from speakback.gateway.terms import terms_of
from speakback.turn.limits import out_of_range
from speakback.turn.strategies import STRATEGIES, strategy
from speakback.web.choices import Choices, choices_of, voice_title
from speakback.web.sliders import sliders, written

ELEVENLABS: dict[str, object] = {"api_key": "sk_x"}
GROQ: dict[str, object] = {"api_key": "gsk_x"}


def choices(**sections: dict[str, object]) -> Choices:
    settings = Settings.model_validate(sections)
    return choices_of(settings, terms_of(settings).offer)


def names(chosen: Choices) -> dict[str, list[str]]:
    return {role.role: [f"{one.title}: {one.model}" for one in role.providers] for role in chosen.roles}


def test_with_nothing_configured_there_is_one_of_each_and_it_is_named() -> None:
    chosen = choices()
    assert names(chosen) == {
        "stt": ["This machine: Whisper tiny.en"],
        "llm": ["This machine: Qwen2.5-Coder 0.5B"],
        "tts": ["This machine: Hibari"],
    }
    assert chosen.offer.voices_of(None) == ("heart",)
    assert all(role.regions == () for role in chosen.roles)


def test_the_servers_own_strategy_comes_first() -> None:
    assert [one.name for one in choices().strategies] == ["overlap-aware", "half-duplex", "rapid-duplex"]
    own = choices(turn={"strategy": "rapid-duplex"}).strategies
    assert [one.name for one in own] == ["rapid-duplex", "half-duplex", "overlap-aware"]


def test_with_keys_the_services_come_first_and_say_their_models() -> None:
    chosen = choices(groq=GROQ, elevenlabs={**ELEVENLABS, "region": "eu"}, llm={"model_path": "/models/chat.gguf"})
    assert names(chosen) == {
        "stt": ["Groq: whisper-large-v3-turbo", "This machine: Whisper tiny.en"],
        "llm": ["Groq: gpt-oss-20b or gpt-oss-120b", "This machine: chat.gguf"],
        "tts": ["ElevenLabs: Flash v2.5", "This machine: Hibari"],
    }
    assert chosen.role("tts").regions == ("eu",)


def test_the_experiment_is_a_switch_and_no_provider_of_the_list() -> None:
    chosen = choices(elevenlabs={**ELEVENLABS, "expressive": True})
    assert [one.name for one in chosen.role("tts").providers] == ["elevenlabs", "hibari"]
    assert [entry.name for entry in chosen.role("tts").entries] == ["elevenlabs-v3", "elevenlabs", "hibari"]
    assert (chosen.expressive.title, chosen.expressive.why_not) == ("Eleven v3", "")


@pytest.mark.parametrize(
    ("sections", "why_not"),
    [
        ({}, "it needs an API key of ElevenLabs and elevenlabs.expressive = true."),
        ({"elevenlabs": {"expressive": True}}, "it needs an API key of ElevenLabs."),
        ({"elevenlabs": ELEVENLABS}, "it needs elevenlabs.expressive = true."),
        (
            {"elevenlabs": {**ELEVENLABS, "expressive": True}, "tts": {"provider": "hibari"}},
            "the voice is hibari's (tts.provider)",
        ),
    ],
)
def test_an_experiment_that_is_not_configured_says_what_is_missing(
    sections: dict[str, dict[str, object]], why_not: str
) -> None:
    assert why_not in choices(**sections).expressive.why_not


def test_voices_are_those_that_are_configured_the_providers_own_first() -> None:
    local = choices(tts={"voices": ["joe", "heart"]})
    assert local.offer.voices_of("hibari") == ("heart", "joe")
    assert [voice_title("hibari", voice) for voice in ("heart", "joe")] == ["heart (Hibari)", "joe (Piper)"]
    assert choices(tts={"provider": "piper", "voices": ["heart"]}).offer.voices_of(None) == ("joe", "heart")
    several = choices(elevenlabs={**ELEVENLABS, "voice_id": "abcd1234", "voices": {"ann": "efgh", "bo": "abcd1234"}})
    assert several.offer.voices_of(None) == ("bo", "ann"), "the one that speaks by itself, by its name"
    unnamed = choices(elevenlabs={**ELEVENLABS, "voice_id": "abcd1234", "voices": {"ann": "efgh"}})
    assert unnamed.offer.voices_of("elevenlabs") == ("abcd1234", "ann")
    assert unnamed.offer.voices_of("hibari") == ("heart",)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("half-duplex", {"endpointing.wait_ms": 700}),
        ("rapid-duplex", {"endpointing.sure_ms": 260, "endpointing.doubtful_ms": 800}),
        (
            "overlap-aware",
            {"endpointing.confidence": 0.7, "endpointing.least_ms": 240, "endpointing.most_ms": 2500},
        ),
    ],
)
def test_each_strategy_has_the_numbers_of_its_endpointing(name: str, shown: dict[str, float]) -> None:
    assert {slider.path: slider.value for slider in sliders(name, {})} == shown


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_the_ends_of_a_slider_are_values_that_a_session_takes(name: str) -> None:
    for slider in sliders(name, {}):
        assert out_of_range(slider.path, slider.least) is None
        assert out_of_range(slider.path, slider.most) is None
        assert slider.least < slider.value < slider.most
        is_whole = type(_of(strategy(name), slider.path)) is int
        assert not is_whole or all(one == int(one) for one in (slider.least, slider.step, slider.value))


def _of(config: object, path: str) -> object:
    for name in path.split("."):
        config = getattr(config, name)
    return config


def test_a_configured_value_stands_on_its_slider_where_a_browser_would_leave_it() -> None:
    overrides = {"endpointing.most_ms": 12_345, "endpointing.confidence": 0.705}
    own = choices(turn={"overrides": overrides}).strategies[0]
    shown = {slider.path: slider for slider in own.sliders}
    assert (shown["endpointing.most_ms"].value, shown["endpointing.most_ms"].most) == (12_345, 12_345)
    assert (shown["endpointing.most_ms"].step, shown["endpointing.confidence"].step) == (1, 0.001)
    assert dict(own.overrides) == overrides
    others = choices(turn={"overrides": overrides}).strategies[1:]
    assert all(one.overrides == () for one in others), "they are overrides of the server's own strategy"


@pytest.mark.parametrize(("value", "text"), [(700.0, "700"), (0.7, "0.7"), (86_400_000, "86400000"), (0.001, "0.001")])
def test_numbers_are_written_as_a_form_sends_them(value: float, text: str) -> None:
    assert written(value) == text
