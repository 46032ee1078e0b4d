"""What of a turn's audio is uploaded, and whether any. Pure.

Whisper invents words on silence, and a service asks for each request: nothing is sent that cannot hold speech.
"""

import io
import wave
from dataclasses import dataclass

import numpy as np

from speakback.audio.pcm import Samples, pcm16_from_samples
from speakback.audio.voicing import FRAME_MS, frame_levels_dbfs
from speakback.timebase import EAR_HZ, ms_to_samples, samples_to_ms

LEAST_MS = 250
LEAST_AUDIBLE_MS = 80
"""A click is shorter, a "no" is longer."""
AUDIBLE_DBFS = -60.0
KEPT_TAIL_MS = 300
"""Silence kept after the last sound: a soft last consonant lies in it."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Audio to upload; it begins where the turn's audio begins."""

    audio_16k: Samples

    @property
    def duration_ms(self) -> int:
        """How long it is."""
        return samples_to_ms(len(self.audio_16k), EAR_HZ)

    def wav(self) -> bytes:
        """As a WAV file: 16 kHz, mono, PCM16."""
        file = io.BytesIO()
        with wave.open(file, "wb") as written:
            written.setnchannels(1)
            written.setsampwidth(2)
            written.setframerate(EAR_HZ)
            written.writeframes(pcm16_from_samples(self.audio_16k))
        return file.getvalue()


def clip_of(audio_16k: Samples) -> Clip | str:
    """The audio without a long silence at its end; or, in words, why it is not worth a request."""
    if samples_to_ms(len(audio_16k), EAR_HZ) < LEAST_MS:
        return f"shorter than {LEAST_MS} ms"
    audible = np.flatnonzero(frame_levels_dbfs(audio_16k) > AUDIBLE_DBFS)
    if len(audible) * FRAME_MS < LEAST_AUDIBLE_MS:
        return "silence"
    end_ms = (int(audible[-1]) + 1) * FRAME_MS + KEPT_TAIL_MS
    return Clip(audio_16k[: ms_to_samples(end_ms, EAR_HZ)])
