"""Redaction: no secret passes, whatever it stands in; everything else stays as it was."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.emulators.contracts.redaction import header_value, redacted, without_audio

KEY = "0f3c9a7be21d4455a6b7c8d9e0f11223"

SECRETS = [
    f'{{"message": "Incorrect API key provided: {KEY}"}}',
    f"GET /v1/x?authorization={quote(KEY)}&model_id=flash",
    f"authorization: Bearer {KEY}",
    "Incorrect API key: gsk_abcd****************wxyz",
    '{"xi_api_key": "some other key"}',
    '{"token":"some other key"}',
    "?single_use_token=some%20other%20key",
    "Bearer some-other-key",
    "in organization `org_01kz7abc` service tier",
    "sutkn_0123456789",
]


@pytest.mark.parametrize("text", SECRETS)
def test_nothing_secret_is_left(text: str) -> None:
    left = redacted(text, (KEY,))
    for secret in (KEY, "abcd*", "wxyz", "some", "other", "01kz7abc", "0123456789"):
        assert secret not in left


@given(st.text(), st.from_regex(r"[A-Za-z0-9_+/=-]{16,60}", fullmatch=True), st.text())
def test_a_key_is_found_in_any_text(before: str, key: str, after: str) -> None:
    assert key not in redacted(f"{before} {key} {after}", (key,))
    assert key not in redacted(json.dumps({"a": before + key + after}), (key,))


def test_request_ids_and_the_rest_stay() -> None:
    kept = '{"id": "req_01kz7", "x-trace-id": "0f3c", "voice": "JBFqnCBsd6RMkjVDRZzb", "task_name": "sketch"}'
    assert redacted(kept, (KEY,)) == kept


@pytest.mark.parametrize("name", ["Set-Cookie", "authorization", "xi-api-key", "X-Groq-Organization-Id"])
def test_secret_headers_lose_their_value(name: str) -> None:
    assert header_value(name, "secret") == "<removed>"


@pytest.mark.parametrize("name", ["x-ratelimit-remaining-tokens", "x-request-id", "x-trace-id", "x-region"])
def test_other_headers_keep_it(name: str) -> None:
    assert header_value(name, "12") == "12"


def test_audio_is_shortened_and_nothing_else_touched() -> None:
    text = '{"audio":  "' + "QUJD" * 1000 + '", "isFinal":null }'
    assert without_audio(text) == '{"audio":  "<4000 characters of base64: QUJDQUJDQUJD…>", "isFinal":null }'
    assert without_audio('{"audio": null}') == '{"audio": null}'
