import numpy as np
import pytest
from numpy.typing import NDArray

from speakback.audio.pcm import Samples
from speakback.audio.resample import DELAY_MS, Resampler, resample

RATES = [(24_000, 16_000), (8_000, 16_000), (24_000, 8_000), (8_000, 24_000), (16_000, 24_000), (48_000, 16_000)]


def tone(tone_hz: float, rate_hz: int, seconds: float = 1.0) -> Samples:
    t: NDArray[np.float64] = np.arange(round(rate_hz * seconds)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * tone_hz * t)).astype(np.float32)


def streamed(samples: Samples, from_hz: int, to_hz: int, block: int) -> Samples:
    resampler = Resampler(from_hz, to_hz)
    parts = [resampler.push(samples[i : i + block]) for i in range(0, len(samples), block)]
    return np.concatenate([*parts, resampler.flush()])


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_a_tone_keeps_its_shape_its_moment_and_its_length(from_hz: int, to_hz: int) -> None:
    converted = streamed(tone(1_000, from_hz), from_hz, to_hz, from_hz // 50)
    assert len(converted) == to_hz
    inner = slice(to_hz // 10, -to_hz // 10)
    np.testing.assert_allclose(converted[inner], tone(1_000, to_hz)[inner], atol=0.002)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(24_000, 16_000), (24_000, 8_000), (48_000, 16_000)])
def test_what_the_lower_rate_cannot_hold_is_kept_out(from_hz: int, to_hz: int) -> None:
    alias = streamed(tone(to_hz / 2 + 100, from_hz), from_hz, to_hz, from_hz // 50)
    assert np.abs(alias[to_hz // 10 : -to_hz // 10]).max() < 0.5 * 10 ** (-55 / 20)


@pytest.mark.parametrize("block", [1, 7, 160, 163, 1000, 100_000])
def test_how_the_stream_is_cut_changes_nothing(block: int) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 5_003).astype(np.float32)
    whole = streamed(sound, 24_000, 16_000, len(sound))
    np.testing.assert_allclose(streamed(sound, 24_000, 16_000, block), whole, atol=1e-6)
    assert len(whole) == -(-5_003 * 2 // 3)


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_the_stream_never_lags_by_more_than_its_delay(from_hz: int, to_hz: int) -> None:
    resampler = Resampler(from_hz, to_hz)
    made = 0
    for pushed in range(1, 51):
        made += len(resampler.push(np.zeros(from_hz // 50, np.float32)))
        assert pushed * 20 - made * 1000 / to_hz <= DELAY_MS + 0.2


def test_equal_rates_pass_through_untouched() -> None:
    sound = tone(440, 16_000)
    resampler = Resampler(16_000, 16_000)
    assert resampler.push(sound) is sound
    assert len(resampler.flush()) == 0


def test_nothing_in_nothing_out() -> None:
    resampler = Resampler(24_000, 16_000)
    assert len(resampler.push(np.zeros(0, np.float32))) == 0
    assert len(resampler.flush()) == 0


def test_a_flushed_stream_is_over() -> None:
    resampler = Resampler(24_000, 16_000)
    resampler.flush()
    with pytest.raises(ValueError, match="flushed"):
        resampler.push(np.zeros(10, np.float32))


def test_rates_without_a_small_ratio_are_refused_for_live_sound() -> None:
    with pytest.raises(ValueError, match="44100 to 16000 Hz"):
        Resampler(44_100, 16_000)
    with pytest.raises(ValueError, match="positive"):
        Resampler(0, 16_000)


def test_a_recording_is_converted_at_any_rates() -> None:
    converted = resample(tone(1_000, 44_100), 44_100, 16_000)
    assert len(converted) == 16_000
    assert converted.dtype == np.float32
    np.testing.assert_allclose(converted[1_000:-1_000], tone(1_000, 16_000)[1_000:-1_000], atol=0.001)
    same = tone(440, 8_000)
    assert resample(same, 8_000, 8_000) is same
