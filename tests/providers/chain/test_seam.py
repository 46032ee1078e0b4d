"""Where one model's text goes on with another's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.providers.chain.seam import continued, has_enough, joined, unrepeated, whole_words
from speakback.providers.llm import Message, Prompt

WRITTEN = "Paris is the capital of France, and it lies"


@given(st.text())
def test_no_text_is_lost_to_whole_words(text: str) -> None:
    assert "".join(whole_words(text)) == text


@pytest.mark.parametrize(
    ("text", "out"),
    [("It lies on", "It lies "), ("done. ", "done. "), ("", ""), ("a" * 30, "a" * 30), ("你好吗", "你好吗")],
)
def test_whole_words(text: str, out: str) -> None:
    assert whole_words(text)[0] == out


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("on the river Seine.", "on the river Seine."),
        (" on the Seine.", "on the Seine."),
        ("it lies on the Seine.", "on the Seine."),
        ("and it lies on the Seine.", "on the Seine."),
        (f"{WRITTEN} on the Seine.", "on the Seine."),
        ("Paris is the capital of France; it is old.", "it is old."),
        (WRITTEN, ""),
        ("", ""),
    ],
)
def test_nothing_is_written_twice(text: str, rest: str) -> None:
    assert unrepeated(WRITTEN, text) == rest


def test_a_short_word_may_be_repeated_by_chance() -> None:
    assert unrepeated("He said that it is a", "a long way home") == "a long way home"


def test_a_continuation_that_begins_anew_is_read_until_it_is_through() -> None:
    written = " ".join(f"word{number}" for number in range(30))
    assert not has_enough(written, " ".join(written.split()[:20]))
    assert has_enough(written, written + " and more")
    assert has_enough(written, "quite another text that is long enough to tell that it is new and")
    assert not has_enough(written, "quite another text")


def test_a_continuation_is_joined_as_words_are() -> None:
    assert [joined(before, "on") for before in ("lies", "lies ", "你好", "")] == [" on", "on", "on", "on"]
    assert joined("lies", "") == ""


def test_the_prompt_of_a_continuation_grows_at_its_end() -> None:
    prompt = Prompt((Message("user", "Where?"),))
    longer = continued(prompt, "Paris is ")
    assert longer.messages[:1] == prompt.messages
    assert longer.messages[1] == Message("assistant", "Paris is")
    assert longer.messages[2].role == "system"
