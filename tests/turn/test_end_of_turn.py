import pytest

from speakback.turn.end_of_turn import OVER_SHARE, end_of_turn_probability, word_completeness


def words(text: str) -> float:
    completeness = word_completeness(text)
    assert completeness is not None
    return completeness


@pytest.mark.parametrize(
    "text", ["Hello?", "hello", "Hi.", "Yes.", "no", "Yes, please.", "Okay", "Thank you very much.", "I don't know."]
)
def test_short_whole_turns_are_complete(text: str) -> None:
    assert words(text) > 0.9


@pytest.mark.parametrize(
    "text",
    [
        "I went to the",
        "It was um",
        "So you work on the side and...",
        "Well, I think that my.",
        "Because,",
        "I am…",
        "A f-",
    ],
)
def test_what_cannot_end_there_is_open_whatever_the_mark(text: str) -> None:
    assert words(text) <= 0.3


def test_what_is_open_is_less_complete_than_a_list_than_a_statement_than_a_question_than_a_greeting() -> None:
    texts = ["I want to", "I want red,", "I want red", "I want red.", "Do you want red?", "Hello."]
    values = [words(text) for text in texts]
    assert values == sorted(set(values))


@pytest.mark.parametrize("text", ["My number is 555", "five five five one", "it is spelt A. B"])
def test_numbers_and_letters_may_go_on(text: str) -> None:
    assert words(text) < words("My number is written there.")


def test_a_question_may_end_in_a_preposition_but_not_after_a_hesitation() -> None:
    assert words("Where are you going to?") > 0.5
    assert words("Yes, hello, I um") < 0.2


@pytest.mark.parametrize("text", ["", "  ", "...", "?!"])
def test_no_words_is_not_zero(text: str) -> None:
    assert word_completeness(text) is None


def test_nothing_known_is_none_not_a_half() -> None:
    assert end_of_turn_probability(None, None) is None


def test_a_hello_that_the_sound_misses_is_heard_by_the_words() -> None:
    combined = end_of_turn_probability(0.04, words("Hello?"))
    assert combined is not None
    assert combined > 0.5


def test_a_final_sound_does_not_end_an_open_phrase() -> None:
    combined = end_of_turn_probability(0.8, words("I would like to book a table for the"))
    assert combined is not None
    assert combined < 0.5


def test_more_evidence_means_more_and_it_stays_a_probability() -> None:
    grid = [0.0, 0.1, 0.5, 0.9, 1.0]
    for fixed in grid:
        by_sound = [end_of_turn_probability(value, fixed) for value in grid]
        by_words = [end_of_turn_probability(fixed, value) for value in grid]
        for values in (by_sound, by_words):
            known = [value for value in values if value is not None]
            assert known == sorted(known)
            assert len(known) == len(grid)
            assert 0.0 < known[0] < known[-1] < 1.0


def test_a_missing_source_counts_as_undecided() -> None:
    assert end_of_turn_probability(0.9, None) == end_of_turn_probability(0.9, 0.5)
    assert end_of_turn_probability(None, 0.9) == end_of_turn_probability(0.5, 0.9)


def test_undecided_evidence_says_no_more_than_that_most_pauses_are_not_ends() -> None:
    undecided = end_of_turn_probability(0.5, 0.5)
    assert undecided is not None
    assert OVER_SHARE < undecided < 0.5


def test_a_listeners_answer_is_a_whole_turn_though_it_ends_like_a_hesitation() -> None:
    assert words("Mm-hmm.") > 0.9
    assert words("Uh-huh") > 0.9
    assert words("Hmm") < 0.2
    assert words("I ummm") < 0.2
