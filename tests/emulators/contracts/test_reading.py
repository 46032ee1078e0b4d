"""Reading: tolerant of every shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.emulators.contracts.reading import ABSENT, at, context_of, kind_of, parsed

KINDS = [
    ({"audio": "AA", "isFinal": None}, "audio"),
    ({"audio": None, "isFinal": True}, "final"),
    ({"is_final": True, "context_id": "d1"}, "final"),
    ({"is_final_audio_for_turn": True}, "batch end"),
    ({"message": "no", "error": "invalid_api_key", "code": 1008}, "error"),
    ({"type": "flush_done", "flush_done": True}, "message with flush_done, type"),
    ({"choices": [{"delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}, "role"),
    ({"choices": [{"delta": {"reasoning": "x", "channel": "analysis"}}]}, "reasoning"),
    ({"choices": [{"delta": {"content": "x"}}]}, "content"),
    ({"choices": [{"delta": {}, "finish_reason": "stop"}]}, "finish"),
    ({"choices": [], "usage": {}}, "usage"),
    ({"choices": [{"delta": {}}], "x_groq": {"error": "cut"}}, "error"),
    ({"choices": [{"delta": {}}]}, "empty chunk"),
    ([1], "not an object"),
    (ABSENT, "not JSON"),
]


@pytest.mark.parametrize(("message", "kind"), KINDS)
def test_the_kind_of_a_message(message: object, kind: str) -> None:
    assert kind_of(message) == kind


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda one: (
            st.lists(one)
            | st.dictionaries(
                st.sampled_from(["error", "choices", "delta", "x_groq", "audio", "isFinal", "contextId"]), one
            )
        ),
    )
)
def test_no_shape_is_too_odd(value: object) -> None:
    assert kind_of(value)
    context_of(value)


def test_paths_that_lead_nowhere_give_nothing() -> None:
    value = parsed('{"a": [{"b": 1}]}')
    assert at(value, "a", 0, "b") == 1
    assert [at(value, *path) for path in (("a", 1), ("a", "b"), ("c",), ("a", 0, "b", "c"))] == [None] * 4
    assert parsed("<html>") is ABSENT
