"""API keys: who is let in, and in which forms a key may be presented."""

import hmac

import pytest

from speakback.config.api_keys import key_hash, new_api_key
from speakback.gateway.auth import KeyRing, offered_subprotocols, presented_key

KEYS = [new_api_key() for _ in range(3)]
RING = KeyRing(tuple(key_hash(key) for key in KEYS))


@pytest.mark.parametrize("key", KEYS, ids=["first", "second", "third"])
def test_every_key_of_the_ring_is_accepted(key: str) -> None:
    assert RING.accepts(key)


WRONG = {
    "none": None,
    "empty": "",
    "a space": " ",
    "too short": KEYS[0][:-1],
    "too long": KEYS[0] + "x",
    "capitals": KEYS[0].upper(),
    "its hash": key_hash(KEYS[0]),
    "letters of another script": "ключ",
    "half a character": "\udcff",
    "zero": "\x00",
}


@pytest.mark.parametrize("presented", WRONG.values(), ids=WRONG)
def test_anything_else_is_refused(presented: str | None) -> None:
    assert not RING.accepts(presented)


def test_an_empty_ring_is_open() -> None:
    ring = KeyRing()
    assert ring.is_open
    assert ring.accepts(None)
    assert ring.accepts("anything")
    assert not RING.is_open


def test_an_owner_is_known_as_long_as_the_key_is() -> None:
    assert RING.knows(key_hash(KEYS[0]))
    assert not RING.knows(key_hash("another"))
    assert not RING.knows("")
    assert KeyRing().knows("")
    assert not KeyRing().knows(key_hash(KEYS[0]))


def test_every_hash_is_compared_whichever_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def compare(digest: str, known: str) -> bool:
        compared.append(known)
        return digest == known

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert RING.accepts(KEYS[0])
    assert compared == list(RING.hashes)


@pytest.mark.parametrize(
    ("authorization", "subprotocols", "key"),
    [
        ("Bearer sk-1", None, "sk-1"),
        ("bearer  sk-1", None, "sk-1"),
        ("Bearer", None, None),
        ("Bearer a b", None, None),
        ("Basic sk-1", None, None),
        ("", None, None),
        (None, None, None),
        (None, "realtime", None),
        (None, "realtime, openai-insecure-api-key.sk-1", "sk-1"),
        (None, "realtime,openai-insecure-api-key.sk-1,openai-beta.realtime-v1", "sk-1"),
        (None, "openai-insecure-api-key.", None),
        (None, "openai-insecure-api-key.a, openai-insecure-api-key.b", None),
        ("Bearer sk-1", "realtime, openai-insecure-api-key.sk-2", "sk-1"),
        ("Basic sk-1", "realtime, openai-insecure-api-key.sk-2", None),
    ],
)
def test_the_forms_of_presenting_a_key(authorization: str | None, subprotocols: str | None, key: str | None) -> None:
    assert presented_key(authorization, subprotocols) == key


def test_offered_subprotocols_keep_their_order() -> None:
    assert offered_subprotocols(" realtime ,, b") == ["realtime", "b"]
    assert offered_subprotocols(None) == []


def test_a_ring_does_not_hold_keys() -> None:
    assert not any(key in repr(RING) for key in KEYS)
