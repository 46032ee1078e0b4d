import numpy as np
import pytest

from speakback.audio.voicing import frame_levels_dbfs, measure_voicing
from speakback.timebase import EAR_HZ
from tests.providers.noises import KINDS, noise

SECOND = np.arange(EAR_HZ) / EAR_HZ


def gliding_voice() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """A buzz whose pitch falls from 180 to 120 Hz."""
    phase = 2 * np.pi * (180 * SECOND - 30 * SECOND**2)
    return np.asarray(np.sum([0.1 / k * np.sin(k * phase) for k in range(1, 8)], axis=0), np.float32)


def test_a_gliding_buzz_is_a_voice() -> None:
    voicing = measure_voicing(gliding_voice())
    assert voicing.duration_ms == 1000
    assert voicing.voiced_ms > 900
    assert voicing.gliding_ms > 600


@pytest.mark.parametrize("kind", KINDS)
def test_no_noise_is_mostly_a_voice(kind: str) -> None:
    for seed in range(6):
        voicing = measure_voicing(noise(kind, seed, 1.5))
        assert voicing.gliding_ms < 0.2 * voicing.duration_ms


def test_pitch_that_stands_still_does_not_glide() -> None:
    voicing = measure_voicing((0.3 * np.sin(2 * np.pi * 220 * SECOND)).astype(np.float32))
    assert voicing.voiced_ms > 900
    assert voicing.gliding_ms == 0


def test_levels() -> None:
    levels = frame_levels_dbfs(np.full(1650, 0.1, np.float32))
    assert len(levels) == 10
    assert levels == pytest.approx(np.full(10, -20.0), abs=0.01)


@pytest.mark.parametrize("samples", [0, 1, 159, 160, 639])
def test_scraps_are_never_voiced(samples: int) -> None:
    assert measure_voicing(np.ones(samples, np.float32)).voiced_ms == 0
