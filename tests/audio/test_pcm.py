import numpy as np
import pytest

from speakback.audio.pcm import pcm16_from_samples, rms, samples_from_pcm16


def test_every_pcm16_value_survives_the_round_trip() -> None:
    data = np.arange(-32768, 32768).astype("<i2").tobytes()
    assert pcm16_from_samples(samples_from_pcm16(data)) == data


def test_bytes_are_little_endian_and_scaled_to_one() -> None:
    samples = samples_from_pcm16(b"\x00\x40\x00\x80")
    assert samples.tolist() == [0.5, -1.0]
    assert samples.dtype == np.float32


def test_samples_are_rounded_and_clipped_never_wrapped() -> None:
    samples = np.array([1.0, 7.5, -1.0, -7.5, 0.6 / 32768, -0.6 / 32768], np.float32)
    assert np.frombuffer(pcm16_from_samples(samples), "<i2").tolist() == [32767, 32767, -32768, -32768, 1, -1]


def test_an_odd_number_of_bytes_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"two bytes a sample.*odd number of bytes \(3\)"):
        samples_from_pcm16(b"abc")


def test_the_level_is_that_of_a_constant_of_the_same_power() -> None:
    assert rms(np.full(7, -0.25, np.float32)) == pytest.approx(0.25)
    assert rms(np.array([0.3, 0.0, 0.0, 0.0], np.float32)) == pytest.approx(0.15)


def test_nothing_is_nothing() -> None:
    assert len(samples_from_pcm16(b"")) == 0
    assert pcm16_from_samples(np.zeros(0, np.float32)) == b""
