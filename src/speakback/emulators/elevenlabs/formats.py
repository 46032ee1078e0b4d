"""The audio formats: their names, and speech encoded in them."""

import io
import re
from dataclasses import dataclass
from enum import Enum

import numpy as np
import soundfile

from speakback.audio.g711 import encode as encode_g711
from speakback.audio.pcm import Samples, pcm16_from_samples
from speakback.audio.resample import resample

CONTENT_HZ = 24_000
_NAME = re.compile(r"([a-z0-9]+?)_(\d+)(?:_(\d+))?")


class Codec(Enum):
    PCM = "pcm"
    ULAW = "ulaw"
    ALAW = "alaw"
    MP3 = "mp3"
    OPUS = "opus"
    WAV = "wav"


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """One of the formats that the service has, as `codec_samplerate[_bitrate]`."""

    name: str
    codec: Codec
    rate_hz: int
    kbps: int | None

    @property
    def unit_bytes(self) -> int:
        """A sample; 1 where a sample has no bytes of its own."""
        return 2 if self.codec is Codec.PCM else 1

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES[self.codec]


_CONTENT_TYPES = {
    Codec.PCM: "audio/pcm",
    Codec.ULAW: "audio/basic",  # unverified -
    Codec.ALAW: "audio/basic",
    Codec.MP3: "audio/mpeg",
    Codec.OPUS: "audio/opus",
    Codec.WAV: "audio/wav",
}


def _named(name: str) -> AudioFormat:
    match = _NAME.fullmatch(name)
    assert match is not None, name
    codec, rate, kbps = match.groups()
    return AudioFormat(name, Codec(codec), int(rate), int(kbps) if kbps else None)


_RATES = ("8000", "16000", "22050", "24000", "32000", "44100", "48000")
STREAMED = {
    name: _named(name)
    for name in (
        *("mp3_22050_32", "mp3_24000_48", "mp3_44100_32", "mp3_44100_64", "mp3_44100_96", "mp3_44100_128"),
        *("mp3_44100_192", "ulaw_8000", "alaw_8000"),
        *(f"pcm_{rate}" for rate in _RATES),
        *(f"opus_48000_{kbps}" for kbps in (32, 64, 96, 128, 192)),
    )
}
WHOLE = {**STREAMED, **{f"wav_{rate}": _named(f"wav_{rate}") for rate in _RATES}}
"""Of the endpoints that answer all at once."""
DEFAULT = "mp3_44100_128"


def encode(audio_24k: Samples, target: AudioFormat) -> bytes:
    """Speech in the target's bytes. MP3 at a constant bit rate; Opus, in Ogg, about at its bit rate.

    Takes its time with the compressed formats: call it in a thread. Of no audio, no bytes.
    """
    if not len(audio_24k):
        return b""
    samples = resample(audio_24k, CONTENT_HZ, target.rate_hz)
    if target.codec is Codec.PCM:
        return pcm16_from_samples(samples)
    if target.codec is Codec.ULAW or target.codec is Codec.ALAW:
        pcm16 = np.frombuffer(pcm16_from_samples(samples), "<i2")
        return encode_g711(pcm16.astype(np.int16), "ulaw" if target.codec is Codec.ULAW else "alaw")
    file = io.BytesIO()
    if target.codec is Codec.WAV:
        soundfile.write(file, samples, target.rate_hz, format="WAV", subtype="PCM_16")
    elif target.codec is Codec.MP3:
        level = _mp3_level(target)
        soundfile.write(file, samples, target.rate_hz, format="MP3", compression_level=level, bitrate_mode="CONSTANT")
    else:
        level = _opus_level(target)
        soundfile.write(file, samples, target.rate_hz, format="OGG", subtype="OPUS", compression_level=level)
    return file.getvalue()


def _mp3_level(target: AudioFormat) -> float:
    """libsndfile spreads its levels from 0 to 1 over LAME's bit rates, which begin lower for low sample rates."""
    highest, lowest = (320, 32) if target.rate_hz >= 32_000 else (160, 8)
    return (highest - (target.kbps or 0)) / (highest - lowest)


def _opus_level(target: AudioFormat) -> float:
    """The same over Opus' 6 to 256 kbit/s."""
    return (256 - (target.kbps or 0)) / (256 - 6)
