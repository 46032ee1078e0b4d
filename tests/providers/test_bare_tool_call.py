"""A call written as plain text is found, and speech that only looks like one is given back whole."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speakback.providers.bare_tool_call import MAX_HELD_CHARACTERS, BareToolCall, BareToolCallReader

CALL = '{"name": "weather", "arguments": {"city": "Paris"}}'


def read(*pieces: str, tools: tuple[str, ...] = ("weather",)) -> tuple[str, BareToolCall | None]:
    reader = BareToolCallReader(frozenset(tools))
    text = ""
    for piece in pieces:
        match reader.push(piece):
            case BareToolCall() as call:
                return text, call
            case str(known):
                text += known
    return text + reader.finish(), None


@pytest.mark.parametrize(
    "written",
    [CALL, f"\n {CALL}", f"```json\n{CALL}\n```", f"```\n{CALL}", f"<tool_call>\n{CALL}", CALL + ".json\n" + CALL],
)
def test_a_call_is_found_however_it_is_dressed_and_split(written: str) -> None:
    expected = ("", BareToolCall("weather", '{"city": "Paris"}'))
    assert read(written) == expected
    assert read(*written) == expected


@pytest.mark.parametrize(
    "written",
    [
        "It is sunny.",
        '{"name": "unknown", "arguments": {}}',
        '{"name": "weather", "arguments": "Paris"}',
        '{"name": "weather"}',
        '{"name": "weather", "arg',
        "{curly} talk",
        "```python\nprint()",
        f"First: {CALL}",
        "{" * (MAX_HELD_CHARACTERS + 1),
        "",
    ],
)
def test_what_is_no_call_is_text(written: str) -> None:
    assert read(written) == (written, None)
    assert read(*written) == (written, None)


def test_without_tools_nothing_is_held_back() -> None:
    reader = BareToolCallReader(frozenset())
    assert reader.push("{") == "{"


def test_speech_is_not_held_back() -> None:
    reader = BareToolCallReader(frozenset({"weather"}))
    assert reader.push("It") == "It"


@settings(deadline=None)
@given(st.text(alphabet='{}"`json<tool_call>na:, \n', max_size=60))
def test_no_text_is_lost_at_any_split(written: str) -> None:
    assert read(*written) == read(written) == (written, None)
