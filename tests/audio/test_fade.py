import numpy as np
import pytest

from speakback.audio.fade import fade_in, fade_out


def ones(n: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.ones(n, np.float32)


def test_a_fade_out_ends_near_silence_and_leaves_the_rest_and_the_original_alone() -> None:
    original = ones(100)
    faded = fade_out(original, 40)
    assert (faded[:60] == 1).all()
    assert (np.diff(faded[60:]) < 0).all()
    assert 0 < faded[-1] < 0.001
    assert (original == 1).all()


def test_a_fade_in_is_the_fade_out_backwards() -> None:
    assert (fade_in(ones(50), 20) == fade_out(ones(50), 20)[::-1]).all()


def test_fading_from_a_sound_to_itself_leaves_it_as_it_was() -> None:
    np.testing.assert_allclose(fade_in(ones(33), 33) + fade_out(ones(33), 33), 1, atol=1e-6)


@pytest.mark.parametrize("n", [0, 1, 7, 8, 100])
def test_a_fade_longer_than_the_sound_fades_all_of_it(n: int) -> None:
    faded = fade_out(ones(8), n)
    assert (faded < 1).sum() == min(n, 8)
    assert len(fade_in(ones(0), n)) == 0


def test_a_negative_length_is_refused() -> None:
    with pytest.raises(ValueError, match="0 samples or more"):
        fade_out(ones(8), -1)
