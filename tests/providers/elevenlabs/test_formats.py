import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.audio.g711 import encode
from speakback.audio.pcm import pcm16_from_samples
from speakback.providers.adapters.elevenlabs.formats import AudioDecoder, AudioFormat, audio_format

SINE = (np.sin(np.arange(24_000) / 24_000 * 2 * np.pi * 440) * 0.5).astype(np.float32)


def decoded(name: str, data: bytes, cut: int = 999) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    sound = audio_format(name)
    assert sound is not None
    decoder = AudioDecoder(sound)
    pieces = [decoder.push(data[at : at + cut]) for at in range(0, len(data), cut)]
    whole: np.ndarray[tuple[int], np.dtype[np.float32]] = np.concatenate((*pieces, decoder.finish()))
    assert decoder.position == len(whole)
    return whole


def test_names() -> None:
    assert audio_format("pcm_16000") == AudioFormat(16_000, None)
    assert audio_format("ulaw_8000") == AudioFormat(8000, "ulaw")
    assert audio_format("alaw_8000") == AudioFormat(8000, "alaw")
    for unknown in ("mp3_44100_128", "pcm_22050", "pcm_44100", "ulaw_16000", ""):
        assert audio_format(unknown) is None


@given(st.lists(st.integers(1, 7), min_size=1, max_size=50))
def test_gotcha_01_a_sample_may_be_cut_anywhere(cuts: list[int]) -> None:
    data = pcm16_from_samples(SINE[:100])
    decoder = AudioDecoder(AudioFormat(24_000, None))
    edges = [0, *np.cumsum(cuts).tolist(), 200]
    pieces = [decoder.push(data[start:end]) for start, end in zip(edges, edges[1:], strict=False)]
    assert pcm16_from_samples(np.concatenate(pieces)) == data


def test_half_a_sample_at_the_end_is_nothing() -> None:
    assert len(decoded("pcm_24000", pcm16_from_samples(SINE[:10]) + b"x")) == 10


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 24_000, 32_000, 48_000])
def test_every_rate_becomes_24_khz(rate_hz: int) -> None:
    sine = (np.sin(np.arange(rate_hz) / rate_hz * 2 * np.pi * 440) * 0.5).astype(np.float32)
    made = decoded(f"pcm_{rate_hz}", pcm16_from_samples(sine))
    assert len(made) == 24_000
    assert np.abs(made[500:-500] - SINE[500:-500]).max() < 0.01


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_telephone_audio(law: str) -> None:
    sine = np.rint(np.sin(np.arange(8000) / 8000 * 2 * np.pi * 440) * 16_384).astype(np.int16)
    made = decoded(f"{law}_8000", encode(sine, "ulaw" if law == "ulaw" else "alaw"))
    assert len(made) == 24_000
    assert np.abs(made[500:-500] - SINE[500:-500]).max() < 0.03
