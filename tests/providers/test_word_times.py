import numpy as np

from speakback.providers.adapters.pronunciation import Sound
from speakback.providers.adapters.word_times import script, shared, word_times

IDS = {symbol: number for number, symbol in enumerate(" ab,.", 1)}


def ids_of(phonemes: str) -> list[int]:
    return [IDS[symbol] for symbol in phonemes]


def test_a_script_joins_sounds_with_spaces_and_knows_who_owns_what() -> None:
    asked = script((Sound(("A",), "ab"), Sound(("B,",), "b,"), Sound(("A",), "a")), ids_of, opening=(0,), closing=(0,))
    assert asked.ids == (0, 2, 3, 1, 3, 4, 1, 2, 1, 0)
    # The first word runs on into the next and owns the space; the comma and its space are nobody's.
    assert asked.owned == ((1, 4), (4, 5), (7, 9))


def test_times_follow_the_durations_and_fill_the_audible_stretch() -> None:
    asked = script((Sound(("A",), "ab"), Sound(("B,",), "b,"), Sound(("A",), "a")), ids_of, opening=(0,), closing=(0,))
    lasts = np.array([10, 2, 3, 1, 4, 5, 1, 6, 1, 9])
    words = word_times(asked, lasts, (8, 34))
    assert [(w.text, w.start_samples, w.end_samples) for w in words] == [("A", 0, 8), ("B,", 8, 12), ("A", 18, 26)]


def test_times_are_carried_to_another_rate() -> None:
    asked = script((Sound(("A",), "a"), Sound(("B",), "b")), ids_of, opening=(), closing=())
    words = word_times(asked, np.array([10, 0, 20, 0]), (0, 60), rate_ratio=2.0)
    assert [(w.start_samples, w.end_samples) for w in words] == [(0, 20), (20, 60)]


def test_what_makes_no_sound_takes_no_time_where_it_stands() -> None:
    sounds = (Sound(("😀",), ""), Sound(("A",), "a"), Sound(("🎉",), ""), Sound(("B",), "b"))
    asked = script(sounds, ids_of, opening=(), closing=())
    words = word_times(asked, np.array([10, 0, 20, 0]), (0, 30))
    assert [(w.text, w.start_samples, w.end_samples) for w in words] == [
        ("😀", 0, 0),
        ("A", 0, 10),
        ("🎉", 10, 10),
        ("B", 10, 30),
    ]


def test_a_sound_without_a_word_continues_the_word_before() -> None:
    asked = script((Sound(("A",), "a"), Sound((), "b")), ids_of, opening=(), closing=())
    words = word_times(asked, np.array([10, 0, 20, 0]), (0, 30))
    assert [(w.text, w.start_samples, w.end_samples) for w in words] == [("A", 0, 30)]


def test_words_pronounced_together_share_their_time_by_letters_and_digits() -> None:
    words = shared(("3:30", "pm,"), (100, 150))
    assert [(w.text, w.start_samples, w.end_samples) for w in words] == [("3:30", 100, 130), ("pm,", 130, 150)]
    assert [(w.start_samples, w.end_samples) for w in shared(("—", "&"), (0, 50))] == [(0, 0), (0, 50)]
    assert shared((), (0, 50)) == []
