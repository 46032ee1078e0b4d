"""config/roster.py: whom the settings mean."""

import pytest

from speakback.config import ConfigError, Settings, load_settings
from speakback.config.roster import Roster, roster
from speakback.gateway.terms import terms_of

GROQ: dict[str, object] = {"api_key": "gsk_x"}
ELEVENLABS: dict[str, object] = {"api_key": "sk_x"}


def of(**sections: dict[str, object]) -> Roster:
    return roster(Settings.model_validate(sections))


def test_without_a_key_everything_is_on_this_machine() -> None:
    assert of() == Roster(("whisper",), ("llama",), ("hibari",))


def test_a_key_brings_its_service_and_local_models_stand_behind_it() -> None:
    assert of(groq=GROQ) == Roster(("groq", "whisper"), ("groq", "llama"), ("hibari",))
    assert of(elevenlabs=ELEVENLABS) == Roster(("whisper",), ("llama",), ("elevenlabs", "hibari"))


def test_nobody_stands_behind_a_service_where_that_is_not_wanted() -> None:
    assert of(groq=GROQ, chain={"last_resort": "none"}) == Roster(("groq",), ("groq",), ("hibari",))


def test_what_is_named_counts_for_more_than_a_key() -> None:
    named = of(groq=GROQ, elevenlabs=ELEVENLABS, stt={"provider": "whisper"}, tts={"provider": "piper"})
    assert named == Roster(("whisper",), ("groq", "llama"), ("piper",))


def test_the_experiment_falls_back_to_flash_and_then_to_this_machine() -> None:
    assert of(elevenlabs={**ELEVENLABS, "expressive": True}).tts == ("elevenlabs-v3", "elevenlabs", "hibari")
    assert of(elevenlabs={"expressive": True}).tts == ("hibari",), "without a key there is nothing to try"


def test_a_whisper_that_nobody_asks_does_not_narrow_the_languages() -> None:
    """Groq's knows them all."""
    environ = {"GROQ_API_KEY": "gsk_x", "SPEAKBACK_STT__LANGUAGE": "de"}
    with pytest.raises(ConfigError, match="knows only English"):
        load_settings(None, environ)
    alone = load_settings(None, {**environ, "SPEAKBACK_CHAIN__LAST_RESORT": "none"}).settings
    assert terms_of(alone).offer.languages is None


@pytest.mark.parametrize(
    ("variable", "value", "missing"),
    [
        ("SPEAKBACK_STT__PROVIDER", "groq", "GROQ_API_KEY"),
        ("SPEAKBACK_LLM__PROVIDER", "groq", "GROQ_API_KEY"),
        ("SPEAKBACK_TTS__PROVIDER", "elevenlabs", "ELEVENLABS_API_KEY"),
        ("SPEAKBACK_CHAIN__HEDGE", "always", "chain.hedge_share"),
    ],
)
def test_what_cannot_work_is_refused_with_what_it_lacks(variable: str, value: str, missing: str) -> None:
    with pytest.raises(ConfigError, match=missing):
        load_settings(None, {variable: value})
