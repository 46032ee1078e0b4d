"""Which word is where, whatever the service says of it."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from speakback.audio.speech import SpokenWord
from speakback.providers.adapters.elevenlabs.alignment import TimedCharacter
from speakback.providers.adapters.elevenlabs.words import CHARACTER_SAMPLES, WordTimer

STEP = 1000


def timed(text: str, at: int = 0) -> tuple[TimedCharacter, ...]:
    """Each character lasts `STEP` samples."""
    return tuple(TimedCharacter(one, at + STEP * k, at + STEP * (k + 1)) for k, one in enumerate(text))


def texts(words: Sequence[SpokenWord]) -> list[str]:
    return [word.text for word in words]


def timer_of(*clauses: str) -> WordTimer:
    timer = WordTimer()
    for clause in clauses:
        timer.expect(clause)
    return timer


def test_words_for_which_there_is_no_audio_were_not_said_under_another_spelling() -> None:
    timer = timer_of("Hello there my friend.")
    timer.align(timed("Hello there "))
    assert not timer.may_be_complete(12 * STEP), "the audio ends behind the words that came"
    assert timer.may_be_complete(24 * STEP)


def test_words_come_with_the_audio_they_begin_in() -> None:
    timer = timer_of("Hi there.")
    timer.align(timed("Hi there. "))
    assert timer.take(2000) == ((SpokenWord("Hi", 0, 2000),), 0)
    assert timer.take(10_000) == ((SpokenWord("there.", 3000, 9000),), 1)
    assert timer.unended_clauses == 0


def test_gotcha_15_leading_spaces_are_no_word_and_the_last_needs_no_space_behind_it() -> None:
    timer = timer_of("Hi there.")
    timer.align(timed(" Hi there."))
    assert timer.take(10_000) == ((SpokenWord("Hi", 1000, 3000), SpokenWord("there.", 4000, 10_000)), 1)


def test_a_word_that_is_cut_by_a_frame_is_told_with_its_beginning() -> None:
    timer = timer_of("Hello world.")
    timer.align(timed("Hel"))
    words, _ = timer.take(3000)
    assert words == (SpokenWord("Hello", 0, 3000 + 2 * CHARACTER_SAMPLES),)
    timer.align(timed("lo world. ", 3000))
    words, ends = timer.take(13_000)
    assert (texts(words), ends) == (["world."], 1)


def test_a_clause_ends_with_the_word_that_a_frame_cut() -> None:
    timer = timer_of("Hello.")
    timer.align(timed("Hel"))
    assert timer.take(3000)[1] == 0
    assert not timer.is_owed(3000)
    timer.align(timed("lo.", 3000))
    assert timer.take(6000) == ((), 1)


def test_words_that_are_spelled_out_keep_the_time_between_their_neighbours() -> None:
    timer = timer_of("It is 23 now.")
    timer.align(timed("It is twenty three now. "))
    words, ends = timer.take(24_000)
    assert texts(words) == ["It", "is", "23", "now."]
    assert (words[2].start_samples, words[2].end_samples) == (5000, 19_000)
    assert ends == 1


def test_tags_among_the_characters_are_no_words() -> None:
    timer = timer_of("Oh wow. Yes.")
    timer.align(timed("Oh wow. [laughs] Yes. "))
    assert texts(timer.take(30_000)[0]) == ["Oh", "wow.", "Yes."]


def test_a_tag_may_be_cut_by_a_frame() -> None:
    timer = timer_of("Oh wow.")
    timer.align(timed("Oh [lau"))
    timer.align(timed("ghs] wow. ", 7000))
    assert texts(timer.take(30_000)[0]) == ["Oh", "wow."]


def test_without_any_times_words_are_said_at_an_ordinary_pace() -> None:
    timer = timer_of("Hi there.")
    timer.guess(4 * CHARACTER_SAMPLES)
    words, _ = timer.take(4 * CHARACTER_SAMPLES)
    assert words[0] == SpokenWord("Hi", 0, 3 * CHARACTER_SAMPLES)
    timer.spread(5 * CHARACTER_SAMPLES)
    rest, ends = timer.take(5 * CHARACTER_SAMPLES, finished=True)
    assert texts((*words, *rest)) == ["Hi", "there."]
    assert ends == 1


def test_gotcha_30_what_is_said_again_though_all_was_said_is_a_repetition() -> None:
    timer = timer_of("Hi.")
    assert not timer.is_repetition(timed("Hi. "))
    timer.align(timed("Hi."))
    assert not timer.is_repetition(timed(" "))
    assert timer.is_repetition(timed("Hi. "))
    timer.expect("Hi.")
    assert not timer.is_repetition(timed("Hi. "))


def test_audio_is_owed_while_words_have_no_place_or_one_behind_it() -> None:
    timer = timer_of("Hi there.", "Bye.")
    timer.align(timed("Hi there. "))
    assert timer.is_owed(10_000)
    before = timer.last_clause_begun
    timer.align(timed("Bye. ", 10_000))
    assert (before, timer.last_clause_begun) == (False, True)
    assert timer.is_owed(4000)
    assert not timer.is_owed(14_000)


def test_a_last_clause_of_which_nothing_was_said_is_missing_however_short() -> None:
    timer = timer_of("Hi there.", "Bye.")
    timer.align(timed("Hi there. "))
    assert not timer.may_be_complete(10_000)
    timer.align(timed("Good-bye. ", 10_000))
    assert timer.may_be_complete(20_000)


WORDS = st.lists(st.sampled_from(("a", "bb", "c.", "ddd?")), min_size=1, max_size=5)
SAID = st.lists(st.sampled_from(("a", "bb", "c.", "ddd?", "zz", "[x]", "", "[")), max_size=20)


@given(st.lists(WORDS.map(" ".join), max_size=4), SAID.map(" ".join), st.lists(st.integers(1, 12), max_size=20))
def test_whatever_comes_back_the_words_are_those_that_were_sent_in_order(
    clauses: list[str], said: str, cuts: list[int]
) -> None:
    timer = timer_of(*clauses)
    words: list[SpokenWord] = []
    ends = at = position = 0
    for cut in (*cuts, len(said)):
        timer.align(timed(said[at : at + cut], position))
        before, at, position = position, at + cut, position + STEP * cut
        new, ended = timer.take(position)
        assert all(before <= word.start_samples < position for word in new)
        words, ends = [*words, *new], ends + ended
    timer.spread(position)
    new, ended = timer.take(position, finished=True)
    words, ends = [*words, *new], ends + ended
    assert texts(words) == " ".join(clauses).split()
    assert ends == sum(bool(clause.split()) for clause in clauses)
    starts = [word.start_samples for word in words]
    assert starts == sorted(starts)
    assert all(word.start_samples <= word.end_samples for word in words)
