"""What the local voices share: from clauses to chunks, with the work on threads of their own.

An engine (`Engine`) is all that differs between Hibari and Piper: plan a clause, say a phrase.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Generic, Protocol, TypeVar

import numpy as np

from speakback.audio.pcm import Samples
from speakback.audio.phrase import break_before_ms
from speakback.audio.speech import SpeechChunk, SpokenWord
from speakback.providers.adapters.pronunciation import BREAK_MARKS, Sound
from speakback.providers.errors import ProviderError
from speakback.providers.waits import UNREPORTED, WaitsReport
from speakback.providers.workers import Workers
from speakback.timebase import VOICE_HZ, ms_to_samples

WORKERS = 2
"""Threads of one voice. A session waits for one phrase at a time, so the queue is as long as there are sessions."""

WARM_UP = ("Sure.", "Hello there, how are you?", "I can help you with that today, at 3:30 pm.", "Zyxwick.")
"""Spoken at start, at several lengths, so that no caller waits for first allocations. The last is in no
lexicon: it loads the network that reads unknown words."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase as spoken: audio at 24 kHz with soft edges, and its words' times from the audio's start."""

    audio_24k: Samples
    words: tuple[SpokenWord, ...]


class Engine(Protocol):
    """A loaded voice. Both methods run on worker threads, several at once."""

    def plan(self, clause: str) -> tuple[tuple[Sound, ...], ...]: ...

    def say(self, sounds: tuple[Sound, ...]) -> Phrase: ...


E = TypeVar("E", bound=Engine)


class PhraseVoice(Generic[E]):
    """A `TextToSpeech` over an engine that is loaded on first use, on a worker.

    A clause without a letter or digit is passed over. One that has some, but nothing that the voice
    can pronounce, is a `ProviderError`: a reply must not end unspoken without a word to anyone.
    Words it cannot pronounce among others that it can take no time and are not heard.
    """

    def __init__(self, name: str, load: Callable[[], E], *, waits: WaitsReport = UNREPORTED) -> None:
        self.name = name
        self._load = load
        self._engine: E | None = None
        self._loading = Lock()
        self._workers = Workers("tts", name, threads=WORKERS, waits=waits)

    async def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        """See `TextToSpeech.speak`: one chunk a phrase. A break stands before a phrase, never after the last."""
        position = 0
        closing_mark: str | None = None
        async for clause in clauses:
            phrases = await self._workers.run(partial(self._plan, clause))
            for number, sounds in enumerate(phrases, 1):
                phrase = await self._workers.run(partial(self._say, sounds))
                pause = 0 if closing_mark is None else ms_to_samples(break_before_ms(closing_mark), VOICE_HZ)
                chunk = _chunk(phrase, position, pause, clause_end=number == len(phrases))
                position += len(chunk.audio_24k)
                closing_mark = closing_mark_of(sounds)
                yield chunk

    async def warm(self) -> None:
        """Load the voice and say a few clauses of different lengths on each worker."""

        async def rehearsal() -> AsyncIterator[str]:
            for clause in WARM_UP:
                yield clause

        async def rehearse() -> None:
            async for _ in self.speak(rehearsal()):
                pass

        await asyncio.gather(*(rehearse() for _ in range(WORKERS)))

    async def aclose(self) -> None:
        """Drop what is queued, wait for what is being said, and release the model."""
        await self._workers.aclose()
        self._engine = None

    def _loaded(self) -> E:
        with self._loading:
            if self._engine is None:
                try:
                    self._engine = self._load()
                except ProviderError:
                    raise
                except Exception as error:
                    raise ProviderError("tts", self.name, f"could not be loaded: {error}") from error
            return self._engine

    def _say(self, sounds: tuple[Sound, ...]) -> Phrase:
        return self._loaded().say(sounds)

    def _plan(self, clause: str) -> tuple[tuple[Sound, ...], ...]:
        phrases = self._loaded().plan(clause)
        if not phrases and any(map(str.isalnum, clause)):
            reason = f"this voice speaks English and can pronounce nothing in a clause of {len(clause)} characters"
            raise ProviderError("tts", self.name, reason)
        return phrases


def closing_mark_of(sounds: tuple[Sound, ...]) -> str:
    """The break mark that a phrase ends with, behind quotes and brackets; "" if it ends with none."""
    ending = "".join(sound.phonemes for sound in sounds).rstrip('"“”() ')
    return ending[-1] if ending and ending[-1] in BREAK_MARKS else ""


def _chunk(phrase: Phrase, position: int, pause: int, *, clause_end: bool) -> SpeechChunk:
    start = position + pause
    words = tuple(SpokenWord(w.text, start + w.start_samples, start + w.end_samples) for w in phrase.words)
    audio = np.concatenate((np.zeros(pause, np.float32), phrase.audio_24k))
    return SpeechChunk(audio, words, clause_end)
