"""Clips cut into frames, and their times."""

from itertools import accumulate

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from speakback.emulators.content import SpokenText
from speakback.emulators.elevenlabs.alignment import Alignment, of_spoken_without_tags
from speakback.emulators.elevenlabs.pieces import Clip, cut, halved, odd
from tests.emulators.elevenlabs.voices import HELLO, HELLO_DURATIONS_MS, HELLO_STARTS_MS

DURATIONS = st.lists(st.integers(0, 400), min_size=1, max_size=60).filter(sum)


def clip_of(durations: list[int]) -> Clip:
    starts = tuple(accumulate(durations, initial=0))[:-1]
    alignment = Alignment(tuple("x" * len(durations)), starts, tuple(durations))
    return Clip(bytes(n % 251 for n in range(48 * sum(durations))), float(sum(durations)), 2, alignment)


@settings(max_examples=40)
@given(durations=DURATIONS, sync_alignment=st.booleans())
def test_the_pieces_hold_the_whole_clip(durations: list[int], sync_alignment: bool) -> None:
    clip = clip_of(durations)
    for pieces in (
        cut(clip, first_ms=2000, tail_ms=218 / 24, sync_alignment=sync_alignment),
        halved(clip, sync_alignment=sync_alignment),
    ):
        assert b"".join(piece.audio for piece in pieces) == clip.audio
        assert b"".join(piece.audio for piece in odd(pieces)) in (clip.audio, clip.audio[:-1])
        assert all(len(piece.audio) % 2 == 0 for piece in pieces)
        assert len(pieces) <= 4
        chars = [char for piece in pieces if piece.alignment for char in piece.alignment.chars]
        assert len(chars) == len(durations)


@settings(max_examples=40)
@given(durations=DURATIONS)
def test_with_sync_alignment_each_piece_spans_its_own_audio(durations: list[int]) -> None:
    for piece in cut(clip_of(durations), first_ms=2000, tail_ms=218 / 24, sync_alignment=True):
        assert piece.alignment is not None
        assert piece.alignment.starts_ms[0] == 0
        assert piece.alignment.end_ms * 48 == len(piece.audio)


@settings(max_examples=40)
@given(durations=DURATIONS)
def test_the_leading_space_takes_its_time_from_the_first_letter(durations: list[int]) -> None:
    plain = clip_of(durations).alignment
    normalized = plain.normalized()
    assert normalized.chars == (" ", *plain.chars)
    assert normalized.end_ms == plain.end_ms
    assert normalized.starts_ms[2:] == plain.starts_ms[1:]
    assert all(duration >= 0 for duration in normalized.durations_ms)


def test_the_capture() -> None:
    normalized = Alignment(tuple(HELLO), HELLO_STARTS_MS, HELLO_DURATIONS_MS).normalized()
    assert normalized.starts_ms[:3] == (0, 35, 81)


def test_tags_come_back_without_time() -> None:
    spoken = SpokenText(np.zeros(2400, np.float32), (0, 40, 60), (40, 20, 40))
    alignment = of_spoken_without_tags("a[hm] b[x]", spoken)
    assert "".join(alignment.chars) == "a[hm] b[x]"
    assert alignment.starts_ms == (0, 40, 40, 40, 40, 40, 60, 100, 100, 100)
    assert sum(alignment.durations_ms) == 100


def test_a_clip_without_audio_has_no_pieces() -> None:
    silent = Clip(b"", 0.0, 2, Alignment((".",), (0,), (0,)))
    assert cut(silent, first_ms=2000, tail_ms=9, sync_alignment=False) == []
    assert halved(silent, sync_alignment=False) == []
