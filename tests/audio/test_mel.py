import numpy as np
import pytest

from speakback.audio.mel import BANDS, HOP_SAMPLES, log_mel
from speakback.timebase import EAR_HZ

RNG = np.random.default_rng(5)
EXPECTED = {
    (0, 0): 1.05495,
    (5, 3): 1.05933,
    (10, 10): 0.85385,
    (20, 40): -0.66397,
    (30, 50): -0.57665,
    (40, 60): -0.30343,
    (60, 90): -0.66397,
    (79, 99): -0.48508,
    (79, 0): -0.36426,
}
EXPECTED_MEAN = -0.48474


def tone(hz: float, samples: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(samples) / EAR_HZ)).astype(np.float32)


def test_numbers_are_those_of_the_reference_implementation() -> None:
    """The expected values were computed by Whisper's own feature extractor, in float64, from this sweep."""
    t = np.arange(EAR_HZ) / EAR_HZ
    sweep = (0.3 * np.sin(2 * np.pi * (200 * t + 1500 * t**2))).astype(np.float32)

    features = log_mel(sweep)

    assert features.shape == (BANDS, 100)
    for (band, frame), expected in EXPECTED.items():
        assert features[band, frame] == pytest.approx(expected, abs=2e-4)
    assert float(features.mean()) == pytest.approx(EXPECTED_MEAN, abs=2e-4)


def test_silence_after_the_clip_is_filled_in_as_if_it_had_been_computed() -> None:
    clip = RNG.standard_normal(12_345).astype(np.float32) * 0.1
    padded = np.concatenate((clip, np.zeros(30_000 - 12_345 + 15_360, np.float32)))
    frames = len(padded) // HOP_SAMPLES

    np.testing.assert_allclose(log_mel(clip, frames), log_mel(padded)[:, :frames], atol=1e-5)


@pytest.mark.parametrize("samples", [201, 400, 1601, 40_000])
def test_any_length(samples: int) -> None:
    assert log_mel(tone(440, samples)).shape == (BANDS, samples // HOP_SAMPLES)
    assert log_mel(tone(440, samples), 300).shape == (BANDS, 300)


def test_a_higher_tone_lies_in_a_higher_band() -> None:
    loudest = [int(np.argmax(log_mel(tone(hz, EAR_HZ)).mean(axis=1))) for hz in (150, 400, 1000, 3000, 7000)]
    assert loudest == sorted(set(loudest))


def test_digital_silence_is_flat() -> None:
    assert np.ptp(log_mel(np.zeros(EAR_HZ, np.float32))) == 0.0


def test_too_short_and_too_long() -> None:
    with pytest.raises(ValueError, match="more than 200"):
        log_mel(np.zeros(200, np.float32))
    with pytest.raises(ValueError, match="do not fit"):
        log_mel(np.zeros(1601, np.float32), 10)
