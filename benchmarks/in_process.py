"""Real chains over the real adapters of services, in this process; what adapters raise is noted where it is raised."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np
from aiohttp import web

from speakback.audio.pcm import Samples
from speakback.audio.speech import SpeechChunk
from speakback.emulators.elevenlabs.options import DEV_KEY as ELEVENLABS_KEY
from speakback.emulators.groq.app import DEV_KEY as GROQ_KEY
from speakback.emulators.groq.app import PREFIX
from speakback.emulators.testing import served_in_thread
from speakback.providers.adapters.elevenlabs.flash import ElevenLabs
from speakback.providers.adapters.elevenlabs.options import ElevenLabsVoiceOptions, Patience
from speakback.providers.adapters.groq.chat import groq_chat
from speakback.providers.adapters.groq.speech_to_text import GroqSpeechToText, GroqSttOptions
from speakback.providers.adapters.openai_chat import OpenAiChat
from speakback.providers.chain.breaker import BreakerOptions
from speakback.providers.chain.options import ChainOptions
from speakback.providers.errors import ProviderError
from speakback.providers.llm import LanguageModel, LlmDelta, Prompt
from speakback.providers.rate_limit import Plan, RateLimit, Turnstile
from speakback.providers.stt import Passes, SpeechToText, Transcript
from speakback.providers.tts import TextToSpeech

MODEL = "openai/gpt-oss-20b"
VOICE_ID = "JBFqnCBsd6RMkjVDRZzb"
LOUD = 0.05
"""Above this level a frame is speech."""


HURRY = 100
"""So much faster run the clocks of rate limits, at the service and here: waits of minutes become seconds."""


def hurried_s() -> float:
    """Such a clock."""
    return HURRY * time.monotonic()


def forgiving(options: ChainOptions, last_patience_ms: float | None = None) -> ChainOptions:
    """The same, but a circuit opens only for a moment: a service that fails is asked again, as to fail is its part."""
    options = options if last_patience_ms is None else replace(options, last_patience_ms=last_patience_ms)
    breaker = BreakerOptions(failures=5, open_ms=300, longest_open_ms=600, lasting_open_ms=600)
    return replace(options, breaker=breaker, hedge_with="same")


@asynccontextmanager
async def served(apps: Mapping[str, web.Application]) -> AsyncIterator[Mapping[str, str]]:
    """Serve emulators in a thread; gives their addresses. To begin and to end does not block the event loop."""
    serving = served_in_thread(apps)
    addresses = await asyncio.to_thread(serving.__enter__)
    try:
        yield addresses
    finally:
        await asyncio.to_thread(serving.__exit__, None, None, None)


# ---- the services ---------------------------------------------------------------------------------
# To be made off the event loop: they read this machine's certificates.


def groq_stt(address: str) -> GroqSpeechToText:
    """Groq's Whisper, at an emulator."""
    options = GroqSttOptions(api_key=GROQ_KEY, base_url=f"{address}{PREFIX}")
    return GroqSpeechToText(options, _turnstile())


def groq_llm(address: str) -> OpenAiChat:
    """Groq's language model, at an emulator."""
    return OpenAiChat(f"{address}{PREFIX}", MODEL, GROQ_KEY, groq_chat(MODEL), _turnstile())


def _turnstile() -> Turnstile:
    return Turnstile(RateLimit(Plan()), clock=hurried_s)


def elevenlabs(address: str, seed: int, patience: Patience | None = None) -> ElevenLabs:
    """ElevenLabs' Flash, at an emulator; with the usual patience, unless another is given."""
    options = ElevenLabsVoiceOptions(
        api_key=ELEVENLABS_KEY, voice_id=VOICE_ID, base_url=address, patience=patience or Patience()
    )
    return ElevenLabs(options, rng=Random(seed))


# ---- witnesses ------------------------------------------------------------------------------------


@dataclass
class Raised:
    """What adapters raised in answer to sessions; probes and warming are not asked by any."""

    failures: list[str] = field(default_factory=list)
    """As they read: the exceptions themselves would hold on to all that was under way."""
    under_way: int = 0
    requests: int = 0

    @contextmanager
    def witnessing(self) -> Iterator[None]:
        """Count a request while the context lasts, and note its failure."""
        self.requests += 1
        self.under_way += 1
        try:
            yield
        except ProviderError as problem:
            self.failures.append(str(problem))
            raise
        finally:
            self.under_way -= 1


class WitnessedStt:
    """A `SpeechToText` whose failures are noted."""

    def __init__(self, inner: SpeechToText, raised: Raised) -> None:
        self.name = inner.name
        self._inner = inner
        self._raised = raised

    @property
    def passes(self) -> Passes:
        return self._inner.passes

    async def transcribe(self, audio_16k: Samples, *, language: str) -> Transcript:
        with self._raised.witnessing():
            return await self._inner.transcribe(audio_16k, language=language)

    async def aclose(self) -> None:
        await self._inner.aclose()


class WitnessedLlm:
    """A `LanguageModel` whose failures are noted."""

    def __init__(self, inner: LanguageModel, raised: Raised) -> None:
        self.name = inner.name
        self._inner = inner
        self._raised = raised

    async def stream(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        with self._raised.witnessing():
            async with aclosing(self._inner.stream(prompt)) as deltas:
                async for delta in deltas:
                    yield delta

    async def warm(self, prompt: Prompt) -> None:
        await self._inner.warm(prompt)

    async def aclose(self) -> None:
        await self._inner.aclose()


class WitnessedTts:
    """A `TextToSpeech` whose failures are noted."""

    def __init__(self, inner: TextToSpeech, raised: Raised) -> None:
        self.name = inner.name
        self._inner = inner
        self._raised = raised

    async def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        with self._raised.witnessing():
            async with aclosing(self._inner.speak(clauses)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def warm(self) -> None:
        await self._inner.warm()

    async def aclose(self) -> None:
        await self._inner.aclose()


# ---- this machine's ears --------------------------------------------------------------------------


class _LevelStream:
    def __init__(self, on_score: Callable[[float], None]) -> None:
        self._on_score = on_score
        self._is_closed = False

    def push(self, frame_16k: Samples) -> None:
        is_loud = float(np.abs(frame_16k).max()) > LOUD
        asyncio.get_running_loop().call_soon(self._deliver, 0.95 if is_loud else 0.02)

    def close(self) -> None:
        self._is_closed = True

    def _deliver(self, probability: float) -> None:
        if not self._is_closed:
            self._on_score(probability)


class LevelVad:
    """A `VadScorer` to which what is loud is speech."""

    def open_stream(self, on_score: Callable[[float], None]) -> _LevelStream:
        """See `VadScorer`."""
        return _LevelStream(on_score)

    async def aclose(self) -> None:
        """Nothing to release."""


class LocalEar:
    """A `SpeechToText` that stands for this machine's: it hears the same in everything."""

    name = "local-ear"
    passes = Passes.AT_PAUSES

    async def transcribe(self, audio_16k: Samples, *, language: str) -> Transcript:
        """See `SpeechToText`."""
        return Transcript("How far is it to the station?", (), 0.9, rejected=None)

    async def aclose(self) -> None:
        """Nothing to release."""
