"""Audio in whole words."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from speakback.audio.pcm import Samples
from speakback.audio.speech import SpeechChunk, SpokenWord
from speakback.providers.chain.clause_tape import Place
from speakback.providers.chain.progress import Progress
from speakback.providers.chain.whole_words import FADE_SAMPLES, WholeWords, moved

WORDS = (SpokenWord("one", 1000, 5000), SpokenWord("two", 6000, 9000))


def chunk(start: int, end: int, *, clause_end: bool = False) -> SpeechChunk:
    words = tuple(word for word in WORDS if start <= word.start_samples < end)
    return SpeechChunk(np.arange(start, end, dtype=np.float32), words, clause_end)


def test_the_audio_of_a_word_waits_for_its_end() -> None:
    out = WholeWords()
    assert len(out.push(chunk(0, 3000)).audio_24k) == 1000 - FADE_SAMPLES
    assert out.held_words() == 1
    released = out.push(chunk(3000, 7000))
    assert (released.words, len(released.audio_24k)) == (WORDS[:1], 5000)
    assert len(out.push(chunk(7000, 9500, clause_end=True)).audio_24k) == 9500 - 6000 + FADE_SAMPLES


def test_what_is_cut_ends_softly_before_the_word() -> None:
    out = WholeWords()
    out.push(chunk(0, 7000))
    tail = out.cut()
    assert (len(tail.audio_24k), tail.words) == (FADE_SAMPLES, ())
    assert abs(tail.audio_24k[-1]) < 2
    assert out.held_words() == 0


def test_a_clause_end_does_not_let_out_the_next_clauses_cut_word() -> None:
    out = WholeWords()
    released = out.push(chunk(0, 7000, clause_end=True))
    assert released.clause_end
    assert len(released.audio_24k) == 6000 - FADE_SAMPLES


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=20), st.integers(0, 20))
def test_no_sample_is_lost_or_moved(sizes: list[int], clause_end_at: int) -> None:
    out, position = WholeWords(), 0
    parts: list[Samples] = []
    words: list[SpokenWord] = []
    for number, size in enumerate(sizes):
        released = out.push(chunk(position, position + size, clause_end=number == clause_end_at))
        parts.append(released.audio_24k)
        words += released.words
        position += size
        sent = sum(map(len, parts))
        assert all(word.end_samples <= position for word in words)
        assert all(word.start_samples < sent for word in words)
    rest = out.finish()
    assert np.array_equal(np.concatenate([*parts, rest.audio_24k]), np.arange(position))
    assert (*words, *rest.words) == tuple(word for word in WORDS if word.start_samples < position)


def test_words_move_with_their_audio() -> None:
    assert moved(chunk(0, 2000), 500).words == (SpokenWord("one", 1500, 5500),)


def test_progress_counts_words_and_believes_clause_ends() -> None:
    progress = Progress(Place(2, 1))
    progress.gave(2, 2)
    progress.gave(4, 3)
    assert progress.place(0) == Place(2, 1)
    progress.spoke(chunk(0, 5500))
    assert (progress.place(0), progress.place(1)) == (Place(2, 2), Place(2, 1))
    progress.spoke(SpeechChunk(np.zeros(9, np.float32), (), clause_end=True))
    assert progress.place(0) == Place(4, 0)
    progress.spoke(SpeechChunk(np.zeros(9, np.float32), (), clause_end=False))
    assert (progress.place(0), progress.has_sound_of_clause) == (Place(4, 0), True)
    progress.spoke(SpeechChunk(np.zeros(9, np.float32), (), clause_end=True))
    assert progress.place(0) == Place(5, 0)


def test_progress_before_anything_was_given() -> None:
    assert Progress(Place(3, 2)).place(0) == Place(3, 2)
