"""The audio formats of the wire, and the streams that turn them into the session's samples and back."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from speakback.audio import g711
from speakback.audio.pcm import Samples, pcm16_from_samples, samples_from_pcm16
from speakback.audio.resample import Resampler
from speakback.timebase import EAR_HZ, VOICE_HZ

_LAWS: dict[str, g711.Law] = {"audio/pcmu": "ulaw", "audio/pcma": "alaw"}


@dataclass(frozen=True, slots=True)
class WireFormat:
    """One of the protocol's audio formats; always mono."""

    type: Literal["audio/pcm", "audio/pcmu", "audio/pcma"]
    rate_hz: int

    @property
    def is_pcm(self) -> bool:
        return self.type == "audio/pcm"

    @property
    def sample_bytes(self) -> int:
        return 2 if self.is_pcm else 1

    def samples(self, data: bytes) -> Samples:
        """Bytes of the wire as samples at `rate_hz`. Raises `ValueError` for half a PCM16 sample."""
        if self.is_pcm:
            return samples_from_pcm16(data)
        return g711.decode(data, _LAWS[self.type]).astype(np.float32) / np.float32(32768.0)

    def bytes_of(self, samples: Samples) -> bytes:
        """Samples at `rate_hz` as bytes of the wire."""
        pcm16 = pcm16_from_samples(samples)
        return pcm16 if self.is_pcm else g711.encode(np.frombuffer(pcm16, "<i2"), _LAWS[self.type])


PCM_24K = WireFormat("audio/pcm", 24_000)
"""What a client sends and gets unless it says otherwise."""


class IncomingAudio:
    """The user's audio as one stream at 16 kHz, whatever blocks it comes in."""

    def __init__(self, format: WireFormat) -> None:
        self.format = format
        self._resampler = Resampler(format.rate_hz, EAR_HZ)

    def push(self, data: bytes) -> Samples:
        """The next bytes of the wire → what is ready of the stream. Raises `ValueError`, and then takes nothing."""
        return self._resampler.push(self.format.samples(data))

    def would_make(self, data_bytes: int) -> int:
        """How many samples at 16 kHz `push` would return for so many bytes."""
        return self._resampler.would_make(data_bytes // self.format.sample_bytes)

    def flush(self) -> Samples:
        """What the filter still held; the stream goes on from silence."""
        rest = self._resampler.flush()
        self.reset()
        return rest

    def reset(self) -> None:
        """Forget what the filter holds: what follows does not belong to what came before."""
        self._resampler = Resampler(self.format.rate_hz, EAR_HZ)


class OutgoingAudio:
    """The audio of one reply message; a new one for each, so that nothing of an old reply is in the next."""

    def __init__(self, format: WireFormat) -> None:
        self.format = format
        self._resampler = Resampler(VOICE_HZ, format.rate_hz)

    def push(self, audio_24k: Samples) -> bytes:
        """The next stretch → the bytes that are ready, perhaps none."""
        return self.format.bytes_of(self._resampler.push(audio_24k))

    def flush(self) -> bytes:
        """The last bytes. Nothing may follow."""
        return self.format.bytes_of(self._resampler.flush())
