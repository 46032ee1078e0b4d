"""Content by the models of this machine. Each part is loaded when its context is entered, and freed when it is left."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import numpy as np

from speakback import weights
from speakback.audio.pcm import Samples
from speakback.audio.speech import SpokenWord
from speakback.emulators.content import HeardText, Recogniser, Speaker, SpokenText, Writer
from speakback.emulators.scripted_content import ToneSpeaker
from speakback.providers.llm import LanguageModel, Prompt, TextDelta, ToolCall
from speakback.providers.stt import SpeechToText
from speakback.providers.tts import TextToSpeech
from speakback.timebase import VOICE_HZ, ms_to_samples, samples_to_ms

STT_WEIGHTS, LLM_WEIGHTS = "whisper-tiny.en", "qwen2.5-coder-0.5b"
LLM_FILE = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"


@asynccontextmanager
async def local_speaker() -> AsyncIterator[Speaker]:
    """The local voice. Raises `ProviderError`."""
    voice = await asyncio.to_thread(_load_voice)
    try:
        await voice.warm()
        yield VoiceSpeaker(voice)
    finally:
        await voice.aclose()


@asynccontextmanager
async def local_recogniser(weights_directory: Path | None = None) -> AsyncIterator[Recogniser]:
    """Local Whisper. Raises `WeightsError` and `ProviderError`."""
    whisper = await asyncio.to_thread(_load_whisper, weights_directory)
    try:
        yield SttRecogniser(whisper)
    finally:
        await whisper.aclose()


@asynccontextmanager
async def local_writer(weights_directory: Path | None = None) -> AsyncIterator[Writer]:
    """The local language model. Raises `WeightsError` and `ProviderError`."""
    llama = await asyncio.to_thread(_load_llama, weights_directory)
    try:
        yield ModelWriter(llama)
    finally:
        await llama.aclose()


def _load_voice() -> TextToSpeech:
    from speakback.providers.adapters.hibari import Hibari

    return Hibari()


def _load_whisper(weights_directory: Path | None) -> SpeechToText:
    from speakback.providers.adapters.whisper import Whisper

    return Whisper(weights.resolve(STT_WEIGHTS, directory=weights_directory), name=STT_WEIGHTS)


def _load_llama(weights_directory: Path | None) -> LanguageModel:
    from speakback.providers.adapters.llama import Llama

    return Llama(weights.resolve(LLM_WEIGHTS, directory=weights_directory) / LLM_FILE)


class VoiceSpeaker:
    """A `Speaker` on an English voice. Text without a letter or digit of ASCII, which it cannot say, becomes tones."""

    def __init__(self, voice: TextToSpeech) -> None:
        self._voice = voice
        self._tones = ToneSpeaker()

    async def speak(self, text: str) -> SpokenText:
        """See `Speaker`. Raises `ProviderError`."""
        if not any(char.isascii() and char.isalnum() for char in text):
            return await self._tones.speak(text)

        async def clauses() -> AsyncIterator[str]:
            yield text

        async with aclosing(self._voice.speak(clauses())) as speech:
            chunks = [chunk async for chunk in speech]
        audio = np.concatenate([np.zeros(0, np.float32), *(chunk.audio_24k for chunk in chunks)])
        audio = np.pad(audio, (0, -len(audio) % ms_to_samples(1, VOICE_HZ)))  # whole milliseconds
        words = [word for chunk in chunks for word in chunk.words]
        starts, durations = character_times(text, words, samples_to_ms(len(audio), VOICE_HZ))
        return SpokenText(audio, starts, durations)


def character_times(text: str, words: list[SpokenWord], length_ms: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """When each character starts and how long it lasts: those of a word share its time, those between words the rest.

    Together they span exactly `length_ms`. A word that is not found in the text is passed over.
    """
    places, times_ms, at = [0], [0.0], 0
    for word in words:
        found = text.find(word.text, at)
        if found < 0:
            continue
        at = found + len(word.text)
        places += [found, at]
        times_ms += [word.start_samples * 1000 / VOICE_HZ, word.end_samples * 1000 / VOICE_HZ]
    ascending = np.minimum(np.maximum.accumulate([*times_ms, float(length_ms)]), length_ms)
    edges = np.interp(np.arange(len(text) + 1), [*places, len(text)], ascending).round().astype(int)
    edges[0] = 0
    return tuple(edges[:-1].tolist()), tuple(np.diff(edges).tolist())


class SttRecogniser:
    """A `Recogniser` on an engine that hears English."""

    def __init__(self, stt: SpeechToText) -> None:
        self._stt = stt

    async def recognise(self, audio_16k: Samples) -> HeardText:
        """See `Recogniser`. Raises `ProviderError`."""
        heard = await self._stt.transcribe(audio_16k, language="en")
        return HeardText(heard.text, heard.words)


class ModelWriter:
    """A `Writer` on a language model."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    async def write(self, prompt: Prompt) -> AsyncGenerator[str | ToolCall, None]:
        """See `Writer`. Raises `ProviderError`."""
        async with aclosing(self._model.stream(prompt)) as deltas:
            async for delta in deltas:
                if isinstance(delta, TextDelta):
                    yield delta.text
                elif isinstance(delta, ToolCall):
                    yield delta
