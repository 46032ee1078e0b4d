"""Limits refill linearly, and say so in the service's words."""

import pytest

from speakback.emulators.groq.errors import GroqError
from speakback.emulators.groq.rate_limits import ASPH, RPD, RPM, TPD, TPM, Budget, RateLimits, Window
from speakback.emulators.groq.wire import go_duration
from tests.emulators.groq.wires import Clock, groq_wire, wav

DAY, MINUTE, HOUR = Window("", 86_400, ""), Window("", 60, ""), Window("", 3_600, "")
CAPTURED = [
    (14_400, DAY, 1, "6s"),
    (6_000, MINUTE, 157, "1.57s"),
    (7_200, HOUR, 1, "500ms"),
    (1_000, DAY, 1, "1m26.4s"),
]


@pytest.mark.parametrize(("limit", "window", "used", "reset"), CAPTURED)
def test_the_formula_gives_the_captured_headers(limit: int, window: Window, used: int, reset: str) -> None:
    budget = Budget(window, limit)
    budget.take(used, 5.0)
    assert go_duration(budget.reset_s(5.0)) == reset


def test_what_is_used_shrinks_linearly() -> None:
    budget = Budget(MINUTE, 60)
    budget.take(30, 0.0)
    assert [budget.used(at) for at in (0.0, 10.0, 29.0, 30.0, 99.0)] == [30, 20, 1, 0, 0]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.0004, "1ms"),
        (60, "1m0s"),
        (546, "9m6s"),
        (592.272, "9m52.272s"),
        (3600.5, "1h0m0.5s"),
    ],
)
def test_durations_are_written_as_go_writes_them(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text


def used_up(model: str, window: Window, used: int, requested: int) -> GroqError:
    """The refusal of a request when so much of one window is used already."""
    limits = RateLimits("free", "org_x")
    limits.settle(model, window, used, 0.0)
    with pytest.raises(GroqError) as refusal:
        limits.admit(model, {window: requested}, 0.0)
    return refusal.value


UPGRADE = " Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing"


def test_the_captured_refusal_of_audio_word_for_word() -> None:
    error = used_up("whisper-large-v3-turbo", ASPH, 5956, 2336)
    assert error.status == 429
    assert error.fields == {
        "message": "Rate limit reached for model `whisper-large-v3-turbo` in organization `org_x` service tier "
        "`on_demand` on seconds of audio per hour (ASPH): Limit 7200, Used 5956, Requested 2336. "
        f"Please try again in 9m6s.{UPGRADE}",
        "type": "seconds",
        "code": "rate_limit_exceeded",
    }
    assert error.headers["retry-after"] == "546"


def test_the_captured_refusal_of_tokens_word_for_word() -> None:
    error = used_up("openai/gpt-oss-120b", TPD, 197_117, 4_254)
    assert error.fields == {
        "message": "Rate limit reached for model `openai/gpt-oss-120b` in organization `org_x` service tier "
        "`on_demand` on tokens per day (TPD): Limit 200000, Used 197117, Requested 4254. "
        f"Please try again in 9m52.272s.{UPGRADE}",
        "type": "tokens",
        "code": "rate_limit_exceeded",
    }


def test_the_captured_refusal_of_requests() -> None:
    error = used_up("whisper-large-v3-turbo", RPM, 20, 1)
    assert "on requests per minute (RPM): Limit 20, Used 20, Requested 1. Please try again in 3s." in str(error)
    assert error.headers["retry-after"] == "3"


def test_the_captured_refusal_of_what_never_fits() -> None:
    error = used_up("openai/gpt-oss-120b", TPM, 0, 11_881)
    assert error.status == 413
    assert (
        "on tokens per minute (TPM): Limit 8000, Requested 11881, please reduce your message size and try again."
        in (str(error))
    )
    assert error.fields["type"] == "tokens"
    assert error.fields["code"] == "rate_limit_exceeded"
    assert "retry-after" not in error.headers


def test_what_is_refused_uses_nothing() -> None:
    limits = RateLimits("free", "org_x")
    limits.settle("whisper-large-v3", ASPH, 7_200, 0.0)
    with pytest.raises(GroqError):
        limits.admit("whisper-large-v3", {RPM: 1, RPD: 1, ASPH: 10}, 0.0)
    assert limits.headers("whisper-large-v3", 0.0)["x-ratelimit-remaining-requests"] == "2000"


async def test_the_headers_of_a_transcription() -> None:
    async with groq_wire(tier="free") as wire:
        answer = await wire.transcribe(wav(1.0))
    assert {name: value for name, value in answer.headers.items() if name.lower().startswith("x-ratelimit")} == {
        "x-ratelimit-limit-requests": "2000",
        "x-ratelimit-remaining-requests": "1999",
        "x-ratelimit-reset-requests": "43.2s",
        "x-ratelimit-limit-audio-seconds": "7200",
        "x-ratelimit-remaining-audio-seconds": "7199",
        "x-ratelimit-reset-audio-seconds": "500ms",
    }
    assert "retry-after" not in answer.headers


async def test_twenty_a_minute_and_then_one_every_three_seconds() -> None:
    clock = Clock()
    async with groq_wire(tier="free", clock=clock) as wire:
        audio = wav(0.1)
        statuses = [(await wire.transcribe(audio)).status for _ in range(21)]
        clock.now_s += 3.0
        after = [await wire.transcribe(audio) for _ in range(2)]
    assert statuses == [200] * 20 + [429]
    assert [answer.status for answer in after] == [200, 429]
    assert after[1].headers["retry-after"] == "3"


async def test_tokens_that_were_kept_and_not_written_are_given_back() -> None:
    async with groq_wire(tier="free") as wire:
        kept = await wire.chat(max_completion_tokens=7_000, reasoning_effort="low")
        again = await wire.chat(max_completion_tokens=7_000, reasoning_effort="low")
    assert (kept.status, again.status) == (200, 200)
    in_prompt, written = 6, 14
    assert int(kept.headers["x-ratelimit-remaining-tokens"]) == 1_000 - in_prompt
    assert int(again.headers["x-ratelimit-remaining-tokens"]) == 1_000 - in_prompt - (in_prompt + written)
