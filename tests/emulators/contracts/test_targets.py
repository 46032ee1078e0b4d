"""Which service is asked for real."""

import pytest

from speakback.config import Settings, load_settings
from speakback.emulators.contracts.targets import targets


def settings(**environ: str) -> Settings:
    return load_settings(None, environ).settings


def test_without_keys_neither_is() -> None:
    assert [(one.live, one.why) for one in targets(settings())] == [
        (None, "no key for Groq"),
        (None, "no key for ElevenLabs"),
    ]


def test_with_keys_both_are_and_the_keys_stay_hidden() -> None:
    asked = targets(settings(GROQ_API_KEY="gsk_secret", ELEVENLABS_API_KEY="sk_secret"))
    assert [one.live and one.live.base_url for one in asked] == [
        "https://api.groq.com/openai/v1",
        "https://api.elevenlabs.io",
    ]
    assert "secret" not in repr(asked)


def test_the_region_counts() -> None:
    asked = targets(settings(ELEVENLABS_API_KEY="sk_secret", SPEAKBACK_ELEVENLABS__REGION="eu"))
    assert asked[1].live is not None
    assert asked[1].live.base_url == "https://api.eu.residency.elevenlabs.io"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8791/openai/v1", "http://api.groq.com", "https://api.groq.com.eu/v1"]
)
def test_a_key_is_not_sent_to_other_addresses(url: str) -> None:
    asked = targets(settings(GROQ_API_KEY="gsk_secret", SPEAKBACK_GROQ__BASE_URL=url))[0]
    assert asked.live is None
    assert asked.why.endswith("is not Groq's own address")
