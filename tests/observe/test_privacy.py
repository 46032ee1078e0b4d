"""Nothing that holds speech or secrets passes into a log line."""

from enum import Enum
from pathlib import Path

import pytest

from speakback.observe.privacy import HIDDEN, HIDDEN_KEYS, clean_traceback, without_speech_or_secrets
from speakback.providers.errors import ProviderError
from speakback.providers.llm import TextDelta

SPEECH = "my card number is"


def cleaned(**event: object) -> dict[str, object]:
    return dict(without_speech_or_secrets(None, "info", dict(event)))


@pytest.mark.parametrize("key", sorted(HIDDEN_KEYS))
def test_known_keys_are_hidden_at_any_depth_and_in_any_spelling(key: str) -> None:
    event = {key: SPEECH, key.upper(): SPEECH, f"user_{key}": SPEECH, f"X-{key.replace('_', '-')}": SPEECH}
    result = cleaned(**event, nested={"list": [event]})
    assert SPEECH not in str(result)
    assert result[key] == HIDDEN


def test_measures_of_hidden_things_are_shown() -> None:
    event: dict[str, object] = {"audio_ms": 20, "max_tokens": 3, "text_chars": 7, "content_type": "a/b", "event": "x"}
    assert cleaned(**event) == event


def test_values_of_unknown_types_show_only_their_type() -> None:
    class Carrier:
        def __repr__(self) -> str:
            return SPEECH

    result = cleaned(a=Carrier(), b=[Carrier()], c=TextDelta(SPEECH), d=SPEECH.encode(), e={"f": (bytearray(b"x"),)})
    assert SPEECH not in str(result)
    assert result["a"] == "<Carrier>"
    assert result["c"] == "<TextDelta>"
    assert result["e"] == {"f": ["<bytearray>"]}


def test_plain_values_stay() -> None:
    class State(Enum):
        IDLE = 1

    assert cleaned(a=None, b=True, c=1.5, d=Path("x/y"), e=State.IDLE) == {
        "a": None, "b": True, "c": 1.5, "d": "x/y", "e": "State.IDLE",
    }  # fmt: skip


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    with pytest.raises(type(error)) as caught:
        raise error from cause
    return caught.value


def test_a_traceback_says_where_but_not_what_others_quoted() -> None:
    inner = raised(ValueError(SPEECH))
    text = clean_traceback(raised(ProviderError("llm", "openai", "refused the request"), inner))
    assert SPEECH not in text
    assert "ValueError: [message hidden]" in text
    assert "refused the request" in text
    assert text.index("ValueError") < text.index("ProviderError")
    assert "in raised" in text


def test_groups_and_loops_of_exceptions_are_walked_once() -> None:
    first, second = raised(ValueError(SPEECH)), raised(KeyError(SPEECH))
    first.__context__, second.__context__ = second, first
    first.__suppress_context__ = second.__suppress_context__ = False
    text = clean_traceback(ExceptionGroup("several", [first, second]))
    assert (text.count("ValueError"), text.count("KeyError"), text.count(SPEECH)) == (1, 1, 0)


def test_exceptions_as_values_and_as_exc_info() -> None:
    error = raised(ValueError(SPEECH))
    result = cleaned(error=error, exc_info=(ValueError, error, None))
    assert result["error"] == "ValueError: [message hidden]"
    assert "exc_info" not in result
    assert SPEECH not in str(result)
    assert "exception" not in cleaned(exc_info=None)
    assert "exception" not in cleaned(exc_info=(None, None, None))


def test_system_errors_keep_their_message() -> None:
    assert "No such file" in clean_traceback(FileNotFoundError(2, "No such file or directory"))
