"""The bodies are those of Groq, word for word, and what an edge server may send instead."""

import json

import pytest

from speakback.providers.errors import Failure
from speakback.providers.openai_refusals import refusal, refused_in_stream

AUDIO_429 = (
    "Rate limit reached for model `whisper-large-v3-turbo` in organization `org_01private` service tier `on_demand` on "
    "seconds of audio per hour (ASPH): Limit 7200, Used 5956, Requested 2336. Please try again in 9m6s. Need more "
    "tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing"
)
TOKENS_429 = (
    "Rate limit reached for model `openai/gpt-oss-120b` in organization `org_01private` service tier `on_demand` on "
    "tokens per day (TPD): Limit 200000, Used 197117, Requested 4254. Please try again in 9m52.272s. Need more tokens?"
)
TOKENS_413 = (
    "Request too large for model `openai/gpt-oss-20b` in organization `org_01private` service tier `on_demand` on "
    "tokens per minute (TPM): Limit 8000, Requested 11881, please reduce your message size and try again."
)


def body(message: str, kind: str = "invalid_request_error", code: str | None = None) -> bytes:
    return json.dumps({"error": {"message": message, "type": kind, **({"code": code} if code else {})}}).encode()


@pytest.mark.parametrize(
    ("status", "answer", "failure"),
    [
        (400, body("file must be one of the following types: [flac mp3 wav]"), Failure.BAD_REQUEST),
        (400, body("gone", code="model_decommissioned"), Failure.UNKNOWN_MODEL),
        (400, body("Failed to call a function.", code="tool_use_failed"), Failure.BAD_ANSWER),
        (400, body("no JSON", code="json_validate_failed"), Failure.BAD_ANSWER),
        (401, body("Invalid API Key", code="invalid_api_key"), Failure.REFUSED_KEY),
        (403, body("Access denied"), Failure.FORBIDDEN),
        (404, body("The model `X` does not exist", code="model_not_found"), Failure.UNKNOWN_MODEL),
        (413, body("Request Entity Too Large", code="request_too_large"), Failure.BAD_REQUEST),
        (413, b"<html>413 Request Entity Too Large</html>", Failure.BAD_REQUEST),
        (413, body(TOKENS_413, "tokens", "rate_limit_exceeded"), Failure.RATE_LIMITED),
        (422, body("unprocessable"), Failure.BAD_REQUEST),
        (424, body("failed dependency"), Failure.BUSY),
        (429, body(AUDIO_429, "seconds", "rate_limit_exceeded"), Failure.RATE_LIMITED),
        (429, body("quota", code="insufficient_quota"), Failure.QUOTA),
        (498, body("flex", code="capacity_exceeded"), Failure.BUSY),
        (499, body("cancelled"), Failure.BROKE_OFF),
        (500, body("Internal", "internal_server_error"), Failure.BUSY),
        (502, b"Bad Gateway", Failure.BUSY),
        (503, b"", Failure.BUSY),
        (599, b"[" * 100_000, Failure.BUSY),
        (418, b'{"error": "private"}', Failure.BAD_REQUEST),
        (429, b'{"error": {"code": 7, "message": ["private"]}}', Failure.RATE_LIMITED),
    ],
)
def test_each_refusal_has_its_kind_and_its_text_stays_with_the_service(
    status: int, answer: bytes, failure: Failure
) -> None:
    refused = refusal(status, {}, answer)
    assert refused.failure is failure
    assert f"HTTP {status}: " in refused.words
    assert "private" not in refused.words


@pytest.mark.parametrize(
    ("message", "window", "wait_s"),
    [
        (AUDIO_429, "seconds of audio per hour", 546),
        (TOKENS_429, "tokens per day", 592.272),
        ("… on requests per minute (RPM): Limit 20, Used 20, Requested 1. Please try again in 3s.", "per minute", 3),
        ("… Please try again in 172ms. …", "rate", 0.172),
    ],
)
def test_which_limit_and_how_long_are_read_from_the_message(message: str, window: str, wait_s: float) -> None:
    refused = refusal(429, {}, body(message, code="rate_limit_exceeded"))
    assert window in refused.words
    assert refused.retry_after_s == pytest.approx(wait_s)


def test_retry_after_goes_before_the_message() -> None:
    refused = refusal(429, {"retry-after": "2"}, body(TOKENS_429, code="rate_limit_exceeded"))
    assert refused.retry_after_s == 2


def test_27_a_413_that_is_a_rate_limit_says_what_to_do() -> None:
    refused = refusal(413, {}, body(TOKENS_413, "tokens", "rate_limit_exceeded"))
    assert "shorten the conversation or the reply" in refused.words
    assert "tokens per minute" in refused.words


def test_the_request_id_comes_from_the_header_or_the_body_and_is_only_an_id() -> None:
    assert refusal(500, {"x-request-id": "req_01a"}, b"{}").request_id == "req_01a"
    assert refusal(500, {}, b'{"x_groq": {"id": "req_01b"}}').request_id == "req_01b"
    assert refusal(500, {"x-request-id": "what the user said"}, b"{}").request_id is None
    assert refusal(500, {}, b'{"x_groq": {"id": 7}}').request_id is None


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        ({"message": "private", "code": "tool_use_failed", "status_code": 400}, Failure.BAD_ANSWER),
        ({"message": "private", "code": "rate_limit_exceeded"}, Failure.RATE_LIMITED),
        ({"message": "private", "type": "internal_server_error", "status_code": 500}, Failure.BROKE_OFF),
        ({"message": "private", "status_code": 498}, Failure.BUSY),
        ("private", Failure.BROKE_OFF),
        (None, Failure.BROKE_OFF),
    ],
    ids=repr,
)
def test_an_error_within_a_stream_breaks_it_off(error: object, failure: Failure) -> None:
    refused = refused_in_stream(error, {"x-request-id": "req_01a"})
    assert (refused.failure, refused.request_id) == (failure, "req_01a")
    assert "broke off" in refused.words
    assert "private" not in refused.words
