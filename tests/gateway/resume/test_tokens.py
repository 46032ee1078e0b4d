"""gateway/resume/tokens.py"""

import pytest

from speakback.config.api_keys import key_hash
from speakback.gateway.auth import KeyRing
from speakback.gateway.resume.tokens import new_token, owner_of, presented_token, record_key

KEYS = KeyRing((key_hash("sk-sb-a"),))


def test_a_token_has_128_random_bits_in_letters_that_any_header_carries() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {22}
    assert all(token.replace("-", "").replace("_", "").isalnum() for token in tokens)


def test_a_key_tells_nothing_of_the_token_and_depends_on_whose_it_is() -> None:
    assert record_key("t", "a") != record_key("t", "b") != record_key("u", "b")
    assert len(record_key("t", "")) == 64
    assert record_key("t", "a") == record_key("t", "a")
    assert len(record_key("\udcff", "")) == 64


@pytest.mark.parametrize(
    ("header", "subprotocols", "token"),
    [
        (None, None, None),
        (None, "realtime", None),
        (" abc ", None, "abc"),
        ("", None, ""),
        (None, "realtime, speakback-resume.abc", "abc"),
        (None, "speakback-resume.", ""),
        ("abc", "realtime, speakback-resume.def", "abc"),
    ],
)
def test_a_token_comes_in_a_header_or_a_subprotocol(
    header: str | None, subprotocols: str | None, token: str | None
) -> None:
    assert presented_token(header, subprotocols) == token


def test_a_conversation_belongs_to_its_api_key() -> None:
    assert owner_of(KEYS, "Bearer sk-sb-a", None) == key_hash("sk-sb-a")
    assert owner_of(KEYS, None, "realtime, openai-insecure-api-key.sk-sb-a") == key_hash("sk-sb-a")
    assert owner_of(KeyRing(), "Bearer whatever", None) == ""
