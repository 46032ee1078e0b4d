"""What Chromium is given as its microphone, and what it was heard to play."""

from collections.abc import AsyncIterator
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import soundfile

from speakback import weights
from speakback.audio.pcm import Samples
from speakback.audio.resample import resample
from speakback.providers.adapters.piper import Piper
from speakback.providers.adapters.whisper import Whisper
from speakback.timebase import EAR_HZ, VOICE_HZ, ms_to_samples

MICROPHONE_HZ = 48_000
AFTER_MS = 200
AUDIBLE = 0.003
"""-50 dB: what the page itself calls audible."""
MARGINS_MS = (0, 300)
"""Silences put around what is listened to. Whisper-base gives up a short sentence halfway at some of them ("There are
seven." of 1.9 s with seven words in it), and is then less sure than at others."""


def silence(ms: int) -> Samples:
    """Nobody speaks; 24 kHz."""
    return np.zeros(ms_to_samples(ms, VOICE_HZ), np.float32)


def write_wav(path: Path, *parts_24k: Samples) -> Path:
    """The parts one after the other, as Chromium takes them for its microphone. Blocks.

    It gives the last few milliseconds again and again when all is played, so those are silent.
    """
    audio_24k = np.concatenate([*parts_24k, silence(AFTER_MS)])
    soundfile.write(path, resample(audio_24k, VOICE_HZ, MICROPHONE_HZ), MICROPHONE_HZ, subtype="PCM_16")
    return path


class Speaker:
    """A person's voice, which is not the server's. Each sentence is spoken once in a run of the tests."""

    def __init__(self) -> None:
        self.voice = Piper()
        self._spoken: dict[str, Samples] = {}

    async def say(self, text: str) -> Samples:
        """The sentence, at 24 kHz."""

        async def clauses() -> AsyncIterator[str]:
            yield text

        if text not in self._spoken:
            chunks = [chunk.audio_24k async for chunk in self.voice.speak(clauses())]
            self._spoken[text] = np.concatenate(chunks)
        return self._spoken[text]

    async def aclose(self) -> None:
        await self.voice.aclose()


class Listener:
    """Writes down what was played, by another model than the server's own."""

    def __init__(self) -> None:
        self._ear = Whisper(weights.resolve("whisper-base"), name="listener")

    async def words(self, audio_24k: Samples) -> list[str]:
        """What was said, in lower case and without punctuation: of all margins as it is surest of it."""
        audio_16k = resample(audio_24k, VOICE_HZ, EAR_HZ)
        tries = [np.pad(audio_16k, ms_to_samples(margin_ms, EAR_HZ)) for margin_ms in MARGINS_MS]
        heard = [await self._ear.transcribe(audio, language="en") for audio in tries]
        return words_of(max(heard, key=lambda transcript: transcript.confidence or 0.0).text)

    async def aclose(self) -> None:
        await self._ear.aclose()


def closed_up(audio_24k: Samples, longest_ms: int = 300) -> Samples:
    """The same without what of a silence goes beyond that: a slow machine's gaps, at which a listener may give up."""
    block = ms_to_samples(10, VOICE_HZ)
    blocks = audio_24k[: len(audio_24k) // block * block].reshape(-1, block)
    kept: list[Samples] = []
    silent_ms = 0
    for one in blocks:
        silent_ms = 0 if float(np.abs(one).max()) > AUDIBLE else silent_ms + 10
        if silent_ms <= longest_ms:
            kept.append(one)
    return np.concatenate([silence(0), *kept])


def words_of(text: str) -> list[str]:
    """Lower case, without punctuation."""
    return "".join(letter if letter.isalnum() or letter == "'" else " " for letter in text.lower()).split()


def likeness(heard: list[str], said: list[str]) -> float:
    """From 0, nothing alike, to 1, the same words."""
    return SequenceMatcher(None, heard, said).ratio()
