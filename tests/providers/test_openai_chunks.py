import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from speakback.providers.adapters.openai_chunks import ChunkReader, NotAChunk, StreamCut
from speakback.providers.llm import LlmDelta, TextDelta, ToolCall


def read(reader: ChunkReader, *chunks: object) -> list[LlmDelta]:
    """As the SDK makes them, which checks nothing."""
    made = [ChatCompletionChunk.construct(**json.loads(json.dumps(chunk))) for chunk in chunks]
    return [delta for chunk in made for delta in reader.read(chunk)]


def choice(delta: dict[str, object], finish: str | None = None) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def test_a_reply_with_words_and_a_call() -> None:
    reader = ChunkReader()
    piece = {"index": 0, "id": "a", "function": {"name": "time", "arguments": "{"}}
    rest = {"index": 0, "function": {"arguments": "}"}}
    told = read(
        reader,
        choice({"content": "One"}),
        choice({"tool_calls": [piece]}),
        choice({"tool_calls": [rest]}),
        choice({}, "tool_calls"),
    )
    assert told == [TextDelta("One"), ToolCall("a", "time", "{}")]
    assert (reader.finished, reader.at_limit, reader.has_content) == (True, False, True)


def test_the_services_name_of_the_request_is_kept() -> None:
    reader = ChunkReader()
    read(reader, {**choice({}), "x_groq": {"id": "req_01a"}}, {**choice({}), "x_groq": {"usage": {}}})
    assert reader.request_id == "req_01a"


def test_a_stream_that_was_cut_is_not_finished() -> None:
    reader = ChunkReader()
    with pytest.raises(StreamCut):
        read(reader, {**choice({}, "stop"), "x_groq": {"error": "private"}})
    assert not reader.finished


_KEYS = ("choices", "delta", "content", "channel", "tool_calls", "index", "function", "arguments", "finish_reason")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from((*_KEYS, "usage", "prompt_tokens_details", "x_groq", "id")), inner, max_size=5
        )
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(("choices", "usage", "x_groq", "model_extra")), _JSON))
def test_no_chunk_breaks_the_reading(chunk: dict[str, object]) -> None:
    try:
        for delta in read(ChunkReader(), chunk):
            assert not isinstance(delta, TextDelta) or isinstance(delta.text, str)
    except (NotAChunk, StreamCut):
        pass
