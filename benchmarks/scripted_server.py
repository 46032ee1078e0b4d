"""python -m benchmarks.scripted_server: the whole server, with stand-ins of stated latencies for its providers.

They are those with which other voice frameworks were measured: text 50 ms after it is asked for; the first token after
50 ms and one more every 5 ms, four sentences of five; sound of a clause after 50 ms, 2.5 s of it as fast as it is
taken. From a turn's end to the first sound that makes 50 + 50 + 4 x 5 + 50 = 170 ms. The VAD is the real one, the
end-of-turn model the real one or none.
"""

import argparse
import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from functools import partial

import numpy as np

from speakback import weights
from speakback.audio.pcm import Samples
from speakback.audio.speech import SpeechChunk, SpokenWord
from speakback.cli.serve import Process, end_within, run, say_listening, say_ready, serve_until_stopped
from speakback.cli.stopping import by_signals
from speakback.config import Settings, load_settings
from speakback.observe.logging import configure_logging
from speakback.providers import registry
from speakback.providers.engines import Engines
from speakback.providers.llm import LlmDelta, Prompt, TextDelta, Usage
from speakback.providers.stt import Passes, Transcript
from speakback.providers.urgency import Urgency
from speakback.providers.waits import UNREPORTED, WaitsReport
from speakback.timebase import VOICE_HZ, ms_to_samples
from speakback.vad.silero import SileroVad

TEXT_AFTER_MS = 50
FIRST_TOKEN_MS, TOKEN_MS = 50, 5
SOUND_AFTER_MS = 50
CLAUSE_MS, CHUNK_MS = 2500, 500

QUESTION = "Could you tell me when the next train to London leaves?"
BACKCHANNEL = "Mm-hmm."
LOUD, AUDIBLE = 0.25, 0.02
"""Peaks: the callers of `speakback load` say backchannels softly, and all else louder than this."""
REPLY = (
    "It opens again at nine.",
    "You can come by tram.",
    "Tickets cost only eight euros.",
    "Small children need not pay.",
)
MAX_SESSIONS = 1000


class ScriptedStt:
    """A `SpeechToText` to which all that is loud is one question."""

    name = "scripted"
    passes = Passes.WHILE_SPEAKING

    async def transcribe(self, audio_16k: Samples, *, language: str) -> Transcript:
        """See `SpeechToText`."""
        await asyncio.sleep(TEXT_AFTER_MS / 1000)
        peak = float(np.abs(audio_16k).max(initial=0.0))
        if peak < AUDIBLE:
            return Transcript("", (), None, rejected="silence")
        return Transcript(QUESTION if peak >= LOUD else BACKCHANNEL, (), 0.9)

    async def aclose(self) -> None:
        """Nothing to release."""


class ScriptedLlm:
    """A `LanguageModel` with one reply."""

    name = "scripted"

    async def stream(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        """See `LanguageModel`."""
        words = " ".join(REPLY).split(" ")
        await asyncio.sleep(FIRST_TOKEN_MS / 1000)
        for index, word in enumerate(words):
            if index:
                await asyncio.sleep(TOKEN_MS / 1000)
            yield TextDelta(f" {word}" if index else word)
        yield Usage(len(prompt.messages), len(words), None, stopped_at_limit=False)

    async def warm(self, prompt: Prompt) -> None:
        """Nothing to warm."""

    async def aclose(self) -> None:
        """Nothing to release."""


class ScriptedTts:
    """A `TextToSpeech` that hums; all sessions share the sound."""

    name = "scripted"

    def __init__(self, clause_ms: int = CLAUSE_MS) -> None:
        phase = np.arange(ms_to_samples(clause_ms, VOICE_HZ)) * (2 * np.pi * 200 / VOICE_HZ)
        self._hum = (0.1 * np.sin(phase)).astype(np.float32)

    async def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        """See `TextToSpeech`."""
        position = 0
        async for clause in clauses:
            await asyncio.sleep(SOUND_AFTER_MS / 1000)
            words = _spread(clause.split(), position, len(self._hum))
            step = ms_to_samples(CHUNK_MS, VOICE_HZ)
            for start in range(0, len(self._hum), step):
                begun = tuple(word for word in words if start <= word.start_samples - position < start + step)
                yield SpeechChunk(self._hum[start : start + step], begun, clause_end=start + step >= len(self._hum))
            position += len(self._hum)

    async def warm(self) -> None:
        """Nothing to warm."""

    async def aclose(self) -> None:
        """Nothing to release."""


def _spread(words: list[str], position: int, length: int) -> list[SpokenWord]:
    """Words of equal length from `position` on."""
    step = length // max(len(words), 1)
    return [
        SpokenWord(word, position + index * step, position + (index + 1) * step) for index, word in enumerate(words)
    ]


async def scripted_engines(settings: Settings, waits: WaitsReport = UNREPORTED) -> Engines:
    """What `registry.build_engines` would give, with stand-ins. Raises `WeightsError`, `ProviderError`."""
    silero = await asyncio.to_thread(weights.resolve, "silero-vad", directory=settings.weights.directory)
    vad = SileroVad(silero / "silero_vad.onnx", partial(waits.work_began, "vad", Urgency.PAUSE))
    waits.pool_made("vad", vad.oldest_wait_s)
    return Engines(
        vad=vad,
        stt=ScriptedStt(),
        end_of_turn=await asyncio.to_thread(registry.END_OF_TURN[settings.end_of_turn.provider], settings, waits),
        llm=ScriptedLlm(),
        tts=ScriptedTts(),
    )


def main() -> None:
    """Serve until interrupted; settings are those of `speakback serve`, but for the providers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scripted_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    parser.add_argument("--max-sessions", type=int, default=MAX_SESSIONS)
    parser.add_argument("--end-of-turn", choices=sorted(registry.END_OF_TURN), default="none")
    asked = parser.parse_args()
    options = {
        "server.host": asked.host,
        "server.port": asked.port,
        "server.max_sessions": asked.max_sessions,
        "end_of_turn.provider": asked.end_of_turn,
    }
    settings = load_settings(None, os.environ, options).settings
    configure_logging("warning", "auto")
    run(_serve(settings))


async def _serve(settings: Settings) -> None:
    process = Process(by_signals(), say_listening, say_ready, end_within)
    await serve_until_stopped(settings, process, scripted_engines)


if __name__ == "__main__":
    main()
