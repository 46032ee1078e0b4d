import numpy as np
import pytest

from speakback.audio.splitting import split_at_quiet
from speakback.timebase import EAR_HZ

RNG = np.random.default_rng(3)


def test_short_audio_is_left_whole() -> None:
    audio = RNG.standard_normal(EAR_HZ).astype(np.float32)
    assert [piece is audio for piece in split_at_quiet(audio, 1000)] == [True]


def test_the_cut_lies_in_the_pause() -> None:
    audio = RNG.standard_normal(3 * EAR_HZ).astype(np.float32) * 0.1
    audio[int(1.4 * EAR_HZ) : int(1.8 * EAR_HZ)] *= 0.01

    pieces = split_at_quiet(audio, 2000)

    assert len(pieces) == 2
    assert 1.4 * EAR_HZ < len(pieces[0]) < 1.8 * EAR_HZ


@pytest.mark.parametrize("seconds", [0.0, 2.5, 17.3])
def test_nothing_is_lost_and_no_piece_is_too_long(seconds: float) -> None:
    audio = RNG.standard_normal(int(seconds * EAR_HZ)).astype(np.float32)
    pieces = split_at_quiet(audio, 2000)
    np.testing.assert_array_equal(np.concatenate(pieces), audio)
    assert all(len(piece) <= 2 * EAR_HZ for piece in pieces)
