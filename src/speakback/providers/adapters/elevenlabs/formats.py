"""The audio that the service sends, as samples at 24 kHz."""

import re
from dataclasses import dataclass

import numpy as np

from speakback.audio.g711 import Law, decode
from speakback.audio.pcm import Samples, samples_from_pcm16
from speakback.audio.resample import Resampler
from speakback.timebase import VOICE_HZ

_FULL_SCALE = np.float32(32768.0)
_FORMATS = re.compile(r"pcm_(8000|16000|24000|32000|48000)|([ua]law)_(8000)")
"""Without a header and in a small ratio to 24 kHz, so that they are converted as they come."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """`law` None is PCM16, little-endian."""

    rate_hz: int
    law: Law | None

    @property
    def bytes_per_sample(self) -> int:
        return 2 if self.law is None else 1


def audio_format(name: str) -> AudioFormat | None:
    """The format of that name; None for those that are not understood here."""
    match = _FORMATS.fullmatch(name)
    if match is None:
        return None
    if match[1]:
        return AudioFormat(int(match[1]), None)
    return AudioFormat(int(match[3]), "ulaw" if match[2] == "ulaw" else "alaw")


class AudioDecoder:
    """Turns the bytes of one utterance into samples at 24 kHz, however they are cut.

    A byte that is half a sample waits for the next piece. `position` is the place of the next byte's
    sample, at 24 kHz: what the times of an alignment count from.
    """

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._resampler = Resampler(audio_format.rate_hz, VOICE_HZ)
        self._half = b""
        self._received = 0

    @property
    def position(self) -> int:
        """Samples at 24 kHz that the bytes so far stand for."""
        return self._received // self._format.bytes_per_sample * VOICE_HZ // self._format.rate_hz

    def push(self, data: bytes) -> Samples:
        """What is ready of the samples so far."""
        self._received += len(data)
        data = self._half + data
        whole = len(data) - len(data) % self._format.bytes_per_sample
        self._half = data[whole:]
        return self._resampler.push(self._samples(data[:whole]))

    def finish(self) -> Samples:
        """The rest. Half a sample at the end is nothing."""
        return self._resampler.flush()

    def _samples(self, data: bytes) -> Samples:
        if self._format.law is None:
            return samples_from_pcm16(data)
        return decode(data, self._format.law).astype(np.float32) / _FULL_SCALE
