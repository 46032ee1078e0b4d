"""gateway/admission.py"""

import pytest

from speakback.config.api_keys import key_hash
from speakback.gateway.admission import Knock, page_turned_away, turned_away
from speakback.gateway.auth import KeyRing

KEYED = KeyRing((key_hash("sk-sb-good"),))
OPEN = KeyRing()


def knock(
    authorization: str | None = None,
    subprotocols: str | None = None,
    origin: str | None = None,
    host: str | None = "voice.example:8765",
) -> Knock:
    return Knock(authorization, subprotocols, origin, host)


@pytest.mark.parametrize(
    ("who", "keys"),
    [
        (knock(), OPEN),
        (knock("Bearer anything"), OPEN),
        (knock("Bearer sk-sb-good"), KEYED),
        (knock(None, "realtime, openai-insecure-api-key.sk-sb-good"), KEYED),
        (knock("Bearer sk-sb-good", origin="http://localhost:3000"), KEYED),
        (knock("Bearer sk-sb-good", origin="http://voice.example:8765"), KEYED),
        (knock(origin="http://127.0.0.1:3000"), OPEN),
        (knock(origin="http://[::1]:3000"), OPEN),
    ],
)
def test_these_are_let_in(who: Knock, keys: KeyRing) -> None:
    assert turned_away(who, keys) is None


@pytest.mark.parametrize(
    ("who", "keys", "status"),
    [
        (knock(), KEYED, 401),
        (knock("Bearer wrong"), KEYED, 401),
        (knock("Basic sk-sb-good"), KEYED, 401),
        (knock("Bearer sk-sb-good", origin="https://evil.example"), KEYED, 403),
        (knock("Bearer sk-sb-good", origin="null"), KEYED, 403),
        (knock("Bearer sk-sb-good", origin="http://localhost.evil.example"), KEYED, 403),
        (knock(None, "openai-insecure-api-key.sk-sb-good"), KEYED, 400),
    ],
)
def test_these_are_turned_away(who: Knock, keys: KeyRing, status: int) -> None:
    refusal = turned_away(who, keys)
    assert refusal is not None
    assert refusal.status == status
    assert "sk-sb-good" not in refusal.message


def test_an_open_server_does_not_trust_a_name_that_was_pointed_at_it() -> None:
    refusal = turned_away(knock(origin="http://rebound.example:8765", host="rebound.example:8765"), OPEN)
    assert refusal is not None
    assert refusal.status == 403


@pytest.mark.parametrize("keys", [OPEN, KEYED])
def test_a_page_with_a_token_needs_no_key_but_must_say_where_it_comes_from(keys: KeyRing) -> None:
    assert page_turned_away(knock(origin="http://127.0.0.1:8765"), keys) is None
    assert page_turned_away(knock(None, "realtime, speakback-page.x", origin="http://localhost"), keys) is None
    for origin in (None, "null", "https://evil.example"):
        refusal = page_turned_away(knock("Bearer sk-sb-good", origin=origin), keys)
        assert refusal is not None
        assert refusal.status == 403
    refusal = page_turned_away(knock(None, "speakback-page.x", origin="http://localhost"), keys)
    assert refusal is not None
    assert refusal.status == 400
