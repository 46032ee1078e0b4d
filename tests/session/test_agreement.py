import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.session.agreement import AgreedWords, same_words


def agreed(*passes: str) -> tuple[list[str], str]:
    """What each pass added, and the text in the end."""
    words = AgreedWords()
    return [words.push(text) for text in passes], words.text


@pytest.mark.parametrize(
    ("passes", "added", "text"),
    [
        ((), [], ""),
        (("What time",), [""], ""),
        (("What", "What time", "What time is"), ["", "What", " time"], "What time"),
        (("what time.", "What time is"), ["", "What time"], "What time"),
        (("What dime", "What time", "What time"), ["", "What", " time"], "What time"),
        (("What time", "What time", "That"), ["", "What time", ""], "What time"),
        (("What time", "", "What time", "What time is"), ["", "", "", "What time"], "What time"),
    ],
)
def test_two_passes_in_a_row_must_agree(passes: tuple[str, ...], added: list[str], text: str) -> None:
    assert agreed(*passes) == (added, text)


PASSES = st.lists(st.sampled_from(["what", "What,", "time", "is", "it?"]), max_size=5).map(" ".join)


@given(st.lists(PASSES, max_size=6))
def test_what_was_added_is_the_text_and_is_never_taken_back(passes: list[str]) -> None:
    words = AgreedWords()
    before = ""
    for text in passes:
        added = words.push(text)
        assert words.text == before + added
        before = words.text


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [("What's up?", "what's UP", True), ("", "", True), ("whats up", "what's up", False), ("up", "up up", False)],
)
def test_case_and_punctuation_do_not_matter(left: str, right: str, same: bool) -> None:
    assert same_words(left, right) is same
