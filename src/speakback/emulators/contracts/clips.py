"""The audio that is uploaded: silence, and a short greeting."""

import io
import wave

import numpy as np

from speakback.audio.pcm import Samples, pcm16_from_samples
from speakback.audio.resample import resample
from speakback.emulators.content import Speaker
from speakback.timebase import EAR_HZ, VOICE_HZ

SPEECH = "Hello world."
LEAST_S = 1


async def speech_wav(speaker: Speaker) -> bytes:
    """`SPEECH`, with silence behind it up to 1 s if it is shorter. Raises `ProviderError`."""
    audio_16k = resample((await speaker.speak(SPEECH)).audio_24k, VOICE_HZ, EAR_HZ)
    return _wav(np.pad(audio_16k, (0, max(0, LEAST_S * EAR_HZ - len(audio_16k)))))


def silence_wav() -> bytes:
    """1 s of it."""
    return _wav(np.zeros(LEAST_S * EAR_HZ, np.float32))


def _wav(audio_16k: Samples) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(EAR_HZ)
        written.writeframes(pcm16_from_samples(audio_16k))
    return file.getvalue()
