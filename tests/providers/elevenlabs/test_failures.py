"""What errors mean, and that they name what helps and nothing that is private."""

import json

import pytest

from speakback.providers.adapters.elevenlabs.failures import Where, of_frame, of_http, of_link
from speakback.providers.adapters.elevenlabs.wire import ErrorFrame, read_answer
from speakback.providers.errors import Failure
from speakback.providers.link.failures import LinkLost, LinkRefused, LinkUnreachable

WHERE = Where("elevenlabs", "eu", "t-1")


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("invalid_api_key", Failure.REFUSED_KEY),
        ("authentication_required", Failure.REFUSED_KEY),
        ("voice_id_does_not_exist", Failure.UNKNOWN_VOICE),
        ("input_timeout_exceeded", Failure.BROKE_OFF),
        ("quota_exceeded", Failure.QUOTA),
        ("detected_unusual_activity", Failure.FORBIDDEN),
        ("max_active_conversations", Failure.BROKE_OFF),
        ("too_many_contexts", Failure.BROKE_OFF),
        ("context_closing", Failure.BROKE_OFF),
        ("unsupported_language", Failure.BAD_REQUEST),
        ("", Failure.BUSY),
    ],
)
def test_error_frames(code: str, failure: Failure) -> None:
    message = {"message": "Somebody said private words", "code": 1008} | ({"error": code} if code else {})
    frame = read_answer(json.dumps(message)).error
    assert frame == ErrorFrame(code, None)
    error = of_frame(frame, WHERE)
    assert error.failure is failure
    text = str(error)
    assert "elevenlabs" in text
    assert "eu" in text
    assert "t-1" in text
    assert code in text
    assert "private" not in text


@pytest.mark.parametrize(
    ("status", "detail", "failure"),
    [
        (400, {"status": "invalid_api_key"}, Failure.REFUSED_KEY),
        (400, {"code": "unsupported_model", "status": "unsupported_model"}, Failure.UNKNOWN_MODEL),
        (400, {"code": "text_too_long"}, Failure.BAD_REQUEST),
        (401, {"code": "unauthorized", "status": "invalid_api_key"}, Failure.REFUSED_KEY),
        (401, {"code": "unauthorized", "status": "quota_exceeded"}, Failure.QUOTA),
        (401, {"status": "quota_exceeded"}, Failure.QUOTA),
        (401, {"status": "detected_unusual_activity"}, Failure.FORBIDDEN),
        (402, {"code": "payment_required"}, Failure.QUOTA),
        (403, {"code": "subscription_required", "status": "output_format_not_allowed"}, Failure.FORBIDDEN),
        (404, {"code": "voice_not_found"}, Failure.UNKNOWN_VOICE),
        (404, "Not Found", Failure.FORBIDDEN),
        (422, [{"loc": ["body", "text"], "msg": "private words", "type": "missing"}], Failure.BAD_REQUEST),
        (422, [{"loc": []}, 1, {"loc": "x"}], Failure.BAD_REQUEST),
        (429, {"code": "concurrent_limit_exceeded"}, Failure.RATE_LIMITED),
        (429, {"status": "system_busy"}, Failure.BUSY),
        (429, None, Failure.RATE_LIMITED),
        (503, None, Failure.BUSY),
        (302, None, Failure.BAD_ANSWER),
    ],
)
def test_http_answers(status: int, detail: object, failure: Failure) -> None:
    error = of_http(status, json.dumps({"detail": detail}).encode(), {"request-id": "r-2"}, WHERE)
    assert error.failure is failure
    assert f"HTTP {status}" in str(error)
    assert "r-2" in str(error)
    assert "private" not in str(error)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"x"', b"[" * 100_000, b"\xff\xfe"])
def test_a_body_that_is_no_json_is_judged_by_its_status(body: bytes) -> None:
    assert of_http(500, body, {}, WHERE).failure is Failure.BUSY


def test_an_address_that_nobody_knows_makes_one_think_of_the_base_url() -> None:
    assert "the base URL" in str(of_http(404, b"404: Not Found", {}, WHERE))
    assert "the base URL" in str(of_http(404, b'{"detail":"Not Found"}', {}, WHERE))
    assert "the base URL" not in str(of_http(404, b'{"detail":{"code":"voice_not_found"}}', {}, WHERE))


def test_the_wait_that_is_asked_for_and_its_nonsense() -> None:
    assert of_http(429, b"", {"retry-after": "1.5"}, WHERE).retry_after_s == 1.5
    assert of_http(429, b"", {"retry-after": "soon"}, WHERE).retry_after_s is None


def test_the_places_of_a_failed_validation_are_named() -> None:
    body = json.dumps({"detail": [{"loc": ["body", "voice_settings"], "msg": "m"}]}).encode()
    assert "[validation, voice_settings]" in str(of_http(422, body, {}, WHERE))


def test_what_is_no_identifier_is_not_repeated() -> None:
    body = json.dumps({"detail": {"code": "Key sk_secret!", "request_id": "sk secret"}}).encode()
    assert "secret" not in str(of_http(401, body, {}, WHERE))


def test_sockets_that_fail() -> None:
    assert of_link(LinkLost(1006, "gone"), WHERE).failure is Failure.BROKE_OFF
    assert of_link(LinkUnreachable("nobody there"), WHERE).failure is Failure.UNREACHABLE
    refused = LinkRefused(400, b'{"detail":{"code":"unsupported_model","request_id":"r-3","param":"model_id"}}', {})
    error = of_link(refused, WHERE)
    assert error.failure is Failure.UNKNOWN_MODEL
    assert "r-3" in str(error)
    assert "[unsupported_model, model_id]" in str(error)
