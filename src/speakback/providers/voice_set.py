"""A provider that speaks in several voices, one of which a session may choose."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping

import structlog

from speakback.providers.errors import ProviderError
from speakback.providers.tts import SpeechChunk, TextToSpeech

log = structlog.get_logger(__name__)


class VoiceSet:
    """A `TextToSpeech` in the first of its voices; `chosen` gives the others. It owns them all.

    With `warms_all` every voice is ready from the start (models of this machine, whose loading takes seconds). Else
    only the first is, and another is made ready in the background when it is first chosen (connections).
    """

    def __init__(self, name: str, voices: Mapping[str, TextToSpeech], *, warms_all: bool) -> None:
        self.name = name
        self.voices = tuple(voices)
        self._engines = dict(voices)
        self._warms_all = warms_all
        self._warm: set[str] = set()
        """Those that are ready, or about to be."""
        self._warming: set[asyncio.Task[None]] = set()

    def chosen(self, voice: str) -> TextToSpeech:
        """The provider in that voice, which nobody closes but this object. To be called on the event loop.

        Raises `KeyError` for a voice that is not in `voices`.
        """
        engine = self._engines[voice]
        if voice not in self._warm:
            task = asyncio.create_task(self._make_ready(voice), name="voice-warming")
            self._warming.add(task)
            task.add_done_callback(self._warming.discard)
        return engine

    def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        """See `TextToSpeech`; in the first voice."""
        return self._engines[self.voices[0]].speak(clauses)

    async def warm(self) -> None:
        """See `TextToSpeech`."""
        for voice in self.voices if self._warms_all else self.voices[:1]:
            await self._engines[voice].warm()
            self._warm.add(voice)

    async def aclose(self) -> None:
        """See `TextToSpeech`."""
        tasks = list(self._warming)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for engine in self._engines.values():
            await engine.aclose()

    async def _make_ready(self, voice: str) -> None:
        if voice in self._warm:
            return
        self._warm.add(voice)
        try:
            await self._engines[voice].warm()
        except ProviderError as problem:  # whoever speaks in it meets the same, and a chain stands in
            self._warm.discard(voice)
            log.warning("a voice is not ready", provider=self.name, problem=str(problem))


def in_voice(engine: TextToSpeech, voice: str | None) -> TextToSpeech:
    """The provider in that voice where it has it, else as it is."""
    if voice is None or not isinstance(engine, VoiceSet) or voice not in engine.voices:
        return engine
    return engine.chosen(voice)
