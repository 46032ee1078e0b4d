"""Each stage of a reply, run once for real and timed."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TypeVar

import numpy as np

from speakback.audio.pcm import Samples
from speakback.audio.resample import resample
from speakback.cli.checkup import Finding
from speakback.providers.chain.chain import Chain
from speakback.providers.engines import Engines
from speakback.providers.errors import ProviderError
from speakback.providers.llm import LanguageModel, Message, Prompt, TextDelta, Usage
from speakback.providers.stt import SpeechToText
from speakback.providers.tts import TextToSpeech
from speakback.timebase import EAR_HZ, VOICE_HZ
from speakback.vad.hysteresis import FRAME_SAMPLES

C = TypeVar("C", SpeechToText, LanguageModel, TextToSpeech)
CLAUSE = "The quick brown fox jumps over the lazy dog."
VAD_FRAMES = 50
"""One frame takes a fraction of a millisecond: so many are timed, one after the other."""
PROMPT = Prompt(
    (
        Message("system", "You are a friendly voice assistant. Answer in one or two short spoken sentences."),
        Message("user", "What is a good name for a small grey cat?"),
    ),
    max_tokens=48,
)


async def stage_times(engines: Engines, language: str) -> list[Finding]:
    """A line for each stage; one that fails says why. The voice comes first: the ears listen to it."""
    audio_16k = np.zeros(2 * EAR_HZ, np.float32)
    findings: list[Finding] = []

    async def voice(tts: TextToSpeech) -> str:
        nonlocal audio_16k
        first_ms, audio_24k = await _speak(tts)
        audio_16k = resample(audio_24k, VOICE_HZ, EAR_HZ)
        return f"first audio after {first_ms:.0f} ms, for {len(audio_24k) / VOICE_HZ:.1f} s of speech"

    async def heard(stt: SpeechToText) -> str:
        return await _transcribe(stt, audio_16k, language)

    stages: list[tuple[str, Callable[[], Awaitable[str]]]] = [
        *((f"voice ({name})", partial(voice, tts)) for name, tts in _each(engines.tts)),
        ("voice activity", lambda: _score_frames(engines, audio_16k)),
        *((f"transcription ({name})", partial(heard, stt)) for name, stt in _each(engines.stt)),
        *((f"language model ({name})", partial(_write, llm)) for name, llm in _each(engines.llm)),
    ]
    end_of_turn = engines.end_of_turn
    if end_of_turn is not None:

        async def score() -> str:
            started_s = time.perf_counter()
            probability = await end_of_turn.score(audio_16k)
            return f"{_ms_since(started_s):.0f} ms (probability {probability:.2f})"

        stages.append((f"end of turn ({end_of_turn.name})", score))
    for name, stage in stages:
        try:
            findings.append(Finding(name, await stage()))
        except ProviderError as problem:
            findings.append(Finding(name, "failed", str(problem)))
    return findings


def _each(engine: C) -> list[tuple[str, C]]:
    """By name, all who may serve this role: of a chain each alone, lest one stand in for another that is unwell."""
    if isinstance(engine, Chain):
        return [(entry.name, entry.engine) for entry in engine.entries]
    return [(engine.name, engine)]


async def _speak(tts: TextToSpeech) -> tuple[float, Samples]:
    async def one_clause() -> AsyncIterator[str]:
        yield CLAUSE

    started_s = time.perf_counter()
    first_ms: float | None = None
    parts: list[Samples] = []
    async for chunk in tts.speak(one_clause()):
        first_ms = _ms_since(started_s) if first_ms is None else first_ms
        parts.append(chunk.audio_24k)
    if first_ms is None:
        raise ProviderError("tts", tts.name, "made no sound")
    return first_ms, np.concatenate(parts)


async def _score_frames(engines: Engines, audio_16k: Samples) -> str:
    scored = asyncio.Event()
    stream = engines.vad.open_stream(lambda _: scored.set())
    times_ms: list[float] = []
    for frame in audio_16k[: len(audio_16k) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)[:VAD_FRAMES]:
        scored.clear()
        started_s = time.perf_counter()
        stream.push(frame)
        await scored.wait()
        times_ms.append(_ms_since(started_s))
    stream.close()
    return f"{np.median(times_ms):.2f} ms a frame of {FRAME_SAMPLES * 1000 // EAR_HZ} ms (median of {len(times_ms)})"


async def _transcribe(stt: SpeechToText, audio_16k: Samples, language: str) -> str:
    started_s = time.perf_counter()
    transcript = await stt.transcribe(audio_16k, language=language)
    sure = "" if transcript.confidence is None else f", confidence {transcript.confidence:.0%}"
    return f"{_ms_since(started_s):.0f} ms for {len(audio_16k) / EAR_HZ:.1f} s of speech{sure}"


async def _write(llm: LanguageModel) -> str:
    started_s = time.perf_counter()
    first_ms: float | None = None
    tokens: int | None = None
    async for delta in llm.stream(PROMPT):
        if isinstance(delta, TextDelta) and first_ms is None:
            first_ms = _ms_since(started_s)
        elif isinstance(delta, Usage):
            tokens = delta.completion_tokens
    if first_ms is None:
        raise ProviderError("llm", llm.name, "wrote nothing")
    rest_s = (_ms_since(started_s) - first_ms) / 1000
    rate = f", then {(tokens - 1) / rest_s:.0f} tokens/s" if tokens is not None and tokens > 1 and rest_s > 0 else ""
    return f"first token after {first_ms:.0f} ms{rate}"


def _ms_since(started_s: float) -> float:
    return (time.perf_counter() - started_s) * 1000
