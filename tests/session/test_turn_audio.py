import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.session.turn_audio import BLOCK_SAMPLES, TurnAudio


def counted(*lengths: int) -> TurnAudio:
    """Blocks of these lengths; each sample's value is its position."""
    audio = TurnAudio()
    for length in lengths:
        audio.append(np.arange(audio.end, audio.end + length, dtype=np.float32))
    return audio


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 9, range(9)),
        (0, 0, range(0)),
        (3, 3, range(0)),
        (1, 2, range(1, 2)),
        (2, 6, range(2, 6)),
        (4, 5, range(4, 5)),
        (-7, 99, range(9)),
        (9, 12, range(0)),
        (6, 2, range(0)),
    ],
)
def test_a_slice_crosses_blocks_and_stays_within_what_is_kept(start: int, end: int, expected: range) -> None:
    assert counted(4, 0, 1, 4).slice(start, end).tolist() == list(expected)


def test_whole_blocks_are_forgotten_and_positions_stay() -> None:
    audio, size = counted(BLOCK_SAMPLES, BLOCK_SAMPLES, BLOCK_SAMPLES), BLOCK_SAMPLES
    audio.forget_before(2 * size - 1)
    assert (audio.start, audio.end) == (size, 3 * size)
    assert audio.slice(0, 9999).tolist() == list(range(size, 3 * size))
    audio.forget_before(audio.end)
    assert (audio.start, audio.end) == (3 * size, 3 * size)
    assert audio.slice(0, 9999).tolist() == []
    audio.append(np.array([7.0], np.float32))
    assert audio.slice(3 * size, 3 * size + 1).tolist() == [7.0]


def test_however_small_the_stretches_are_few_blocks_are_kept() -> None:
    audio = counted(*[16] * 1000)
    assert len(audio._blocks) == -(-16 * 1000 // BLOCK_SAMPLES)
    assert audio.slice(0, 16_000).tolist() == list(range(16_000))


def test_forgetting_before_the_beginning_forgets_nothing() -> None:
    audio = counted(4)
    audio.forget_before(-5)
    audio.forget_before(3)
    assert (audio.start, audio.end) == (0, 4)


@given(st.lists(st.integers(0, 700), max_size=8), st.integers(0, 4000), st.integers(-5, 4000), st.integers(-5, 4000))
def test_a_slice_is_what_was_appended(lengths: list[int], forgotten: int, start: int, end: int) -> None:
    audio = counted(*lengths)
    audio.forget_before(forgotten)
    assert audio.start <= max(forgotten, 0)
    assert audio.slice(start, end).tolist() == list(range(max(start, audio.start), min(end, sum(lengths))))
