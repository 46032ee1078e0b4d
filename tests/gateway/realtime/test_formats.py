"""gateway/realtime/formats.py"""

import numpy as np
import pytest

from speakback.audio.pcm import Samples
from speakback.gateway.realtime.formats import PCM_24K, IncomingAudio, OutgoingAudio, WireFormat

ALL = [PCM_24K, WireFormat("audio/pcm", 16_000), WireFormat("audio/pcmu", 8_000), WireFormat("audio/pcma", 8_000)]


def tone(rate_hz: int, seconds: float = 1.0) -> Samples:
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate_hz * seconds)) / rate_hz)).astype(np.float32)


def frequency_hz(samples: Samples, rate_hz: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples)))) * rate_hz / len(samples)


@pytest.mark.parametrize("format", ALL, ids=lambda format: f"{format.type}@{format.rate_hz}")
def test_a_tone_comes_in_as_the_same_tone(format: WireFormat) -> None:
    incoming = IncomingAudio(format)
    data = format.bytes_of(tone(format.rate_hz))
    step = format.rate_hz // 50 * (2 if format.is_pcm else 1)
    parts = [incoming.push(data[start : start + step]) for start in range(0, len(data), step)]
    heard = np.concatenate([*parts, incoming.flush()])
    assert abs(len(heard) - 16_000) <= 2
    assert frequency_hz(heard, 16_000) == pytest.approx(440, abs=2)
    assert np.abs(heard).max() == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("format", ALL, ids=lambda format: f"{format.type}@{format.rate_hz}")
def test_a_tone_goes_out_as_the_same_tone(format: WireFormat) -> None:
    outgoing = OutgoingAudio(format)
    spoken = tone(24_000)
    parts = [outgoing.push(spoken[start : start + 960]) for start in range(0, len(spoken), 960)]
    samples = format.samples(b"".join([*parts, outgoing.flush()]))
    assert abs(len(samples) - format.rate_hz) <= 2
    assert frequency_hz(samples, format.rate_hz) == pytest.approx(440, abs=2)


def test_half_a_sample_is_refused_and_takes_nothing() -> None:
    incoming = IncomingAudio(PCM_24K)
    with pytest.raises(ValueError, match="odd"):
        incoming.push(b"\x00\x01\x02")
    assert len(np.concatenate([incoming.push(bytes(4800)), incoming.flush()])) == 1600


def test_a_reset_stream_forgets_what_it_held() -> None:
    incoming = IncomingAudio(PCM_24K)
    incoming.push(PCM_24K.bytes_of(np.ones(240, np.float32)))
    incoming.reset()
    after = np.concatenate([incoming.push(bytes(4800)), incoming.flush()])
    assert not np.any(after)


@pytest.mark.parametrize("format", ALL, ids=lambda format: f"{format.type}@{format.rate_hz}")
def test_a_long_block_is_heard_like_many_short_ones(format: WireFormat) -> None:
    data = format.bytes_of(tone(format.rate_hz))
    step = format.rate_hz // 50 * (2 if format.is_pcm else 1)
    long, short = IncomingAudio(format), IncomingAudio(format)
    parts = [short.push(data[start : start + step]) for start in range(0, len(data), step)]
    at_once = np.concatenate([long.push(data), long.flush()])
    in_parts = np.concatenate([*parts, short.flush()])
    assert len(at_once) == len(in_parts)
    assert np.allclose(at_once, in_parts, rtol=0, atol=1e-6), "but for how its sums are rounded"
