import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from speakback.config.catalogue import KEYS
from speakback.providers.adapters.elevenlabs.options import (
    DIALOGUE_MODELS,
    SOCKET_MODELS,
    ElevenLabsVoiceOptions,
    base_url_of,
    check,
    dialogue_url,
    http_url,
    region_of,
    socket_url,
)
from speakback.providers.errors import Failure, ProviderError

SECRET = "sk_very_secret"
OPTIONS = ElevenLabsVoiceOptions(api_key=SECRET, voice_id="V1", language="en")


def query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def test_the_urls() -> None:
    multi = socket_url(OPTIONS)
    assert multi.startswith("wss://api.elevenlabs.io/v1/text-to-speech/V1/multi-stream-input?")
    assert query(multi) == {
        "model_id": ["eleven_flash_v2_5"],
        "output_format": ["pcm_24000"],
        "sync_alignment": ["true"],
        "enable_logging": ["true"],
        "language_code": ["en"],
        "inactivity_timeout": ["180"],
        "auto_mode": ["false"],
    }
    assert "/V1/stream-input?" in socket_url(replace(OPTIONS, transport="single"))
    assert http_url(OPTIONS).startswith("https://api.elevenlabs.io/v1/text-to-speech/V1/stream?")


def test_a_dialogue_url_has_no_voice_no_time_out_and_no_auto_mode() -> None:
    url = dialogue_url(replace(OPTIONS, model="eleven_v3_conversational"))
    assert urlsplit(url).path == "/v1/text-to-dialogue/multi-stream-input"
    assert query(url).keys() == {"model_id", "output_format", "sync_alignment", "enable_logging", "language_code"}


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("eleven_flash_v2_5", True),
        ("eleven_turbo_v2_5", True),
        ("eleven_multilingual_v2", False),
        ("eleven_flash_v2", False),
    ],
)
def test_only_models_that_take_a_language_are_told_it(model: str, told: bool) -> None:
    assert ("language_code" in query(socket_url(replace(OPTIONS, model=model)))) is told


def test_regions_and_their_hosts() -> None:
    assert base_url_of(None) == "https://api.elevenlabs.io"
    assert base_url_of("eu") == "https://api.eu.residency.elevenlabs.io"
    assert [region_of(base_url_of(region)) for region in (None, "us", "eu")] == ["global", "us", "eu"]
    assert region_of("http://127.0.0.1:8000") == "127.0.0.1"
    with pytest.raises(ValueError, match="no region 'mars'"):
        base_url_of("mars")
    assert socket_url(replace(OPTIONS, base_url=base_url_of("us"))).startswith("wss://api.us.elevenlabs.io/")
    assert socket_url(replace(OPTIONS, base_url="http://127.0.0.1:8000/")).startswith("ws://127.0.0.1:8000/v1/")


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        ({"api_key": ""}, Failure.REFUSED_KEY),
        ({"api_key": "sk_\n"}, Failure.REFUSED_KEY),
        ({"voice_id": "../x"}, Failure.UNKNOWN_VOICE),
        ({"model": "eleven_v3"}, Failure.UNKNOWN_MODEL),
        ({"model": "eleven_v3_alpha"}, Failure.UNKNOWN_MODEL),
        ({"output_format": "mp3_44100_128"}, Failure.BAD_REQUEST),
        ({"base_url": "api.elevenlabs.io"}, Failure.BAD_REQUEST),
    ],
)
def test_what_cannot_work_is_refused_at_once(change: dict[str, str], failure: Failure) -> None:
    with pytest.raises(ProviderError) as caught:
        check(replace(OPTIONS, **change), "elevenlabs", SOCKET_MODELS)  # type: ignore[arg-type]
    assert caught.value.failure is failure
    assert SECRET not in str(caught.value)
    named = re.findall(r"check (\w+\.\w+)", str(caught.value))
    assert all(name in KEYS and name.startswith("elevenlabs.") for name in named)


def test_each_kind_has_its_models_and_the_key_is_never_shown() -> None:
    check(OPTIONS, "elevenlabs", SOCKET_MODELS)
    check(replace(OPTIONS, model="eleven_v3_conversational"), "elevenlabs-v3", DIALOGUE_MODELS)
    with pytest.raises(ProviderError):
        check(OPTIONS, "elevenlabs-v3", DIALOGUE_MODELS)
    assert SECRET not in repr(OPTIONS)
