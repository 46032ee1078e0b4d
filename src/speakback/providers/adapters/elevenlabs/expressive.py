"""Eleven v3 and v4, which laugh and whisper: over the dialogue sockets, the only ones that serve them in real time.

Experimental: many accounts have no access. Then every call fails at once with the reason, and a chain goes on with
a plain voice, visibly. Closing a context there flushes it and nothing takes speech back: what is cut short
is dropped on our side, and little is wasted as sentences are sent one by one.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from random import Random

from speakback.audio.speech import SpeechChunk
from speakback.providers.adapters.elevenlabs.failures import ADVICE, Where
from speakback.providers.adapters.elevenlabs.feed import Feed
from speakback.providers.adapters.elevenlabs.formats import audio_format
from speakback.providers.adapters.elevenlabs.options import (
    DIALOGUE_MODELS,
    ElevenLabsVoiceOptions,
    check,
    dialogue_url,
)
from speakback.providers.adapters.elevenlabs.utterance import Manner
from speakback.providers.adapters.elevenlabs.voice import SocketVoice, Unopened
from speakback.providers.adapters.elevenlabs.wire import Dialogue
from speakback.providers.errors import LASTING, Failure, ProviderError
from speakback.providers.tts import TextToSpeech

WARM_SOCKETS = 1
"""A dialogue socket counts against the plan as long as it is open."""


class ElevenLabsExpressive:
    """A `TextToSpeech` on a dialogue model. Audio tags are performed, and are no words. To be made off the event loop.

    A refusal that lasts (key, plan, model) is remembered: the next calls fail with it at once.
    """

    def __init__(
        self, options: ElevenLabsVoiceOptions, *, name: str = "elevenlabs-v3", rng: Random | None = None
    ) -> None:
        self.name = name
        check(options, name, DIALOGUE_MODELS)
        sound = audio_format(options.output_format)
        assert sound is not None, "checked above"
        stability = options.settings.stability
        self._dialect = Dialogue(options.voice_id, {} if stability is None else {"stability": stability})
        manner = Manner(sound, options.patience, _as_written)
        where = Where(name, options.region)
        self._sockets = SocketVoice(
            options, dialogue_url(options), self._dialect, manner, where, WARM_SOCKETS, rng or Random()
        )
        self._where = where
        self._refusal: Failure | None = None

    @property
    def open_sockets(self) -> int:
        """How many are open now."""
        return self._sockets.open_sockets

    def with_voice(self, voice_id: str) -> TextToSpeech:
        """The same in another voice, over the same sockets."""
        return _AnotherVoice(self, replace(self._dialect, voice_id=voice_id))

    def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        """See `TextToSpeech.speak`; spoken sentence by sentence."""
        return self.speak_as(clauses, self._dialect)

    async def speak_as(self, clauses: AsyncIterator[str], dialect: Dialogue) -> AsyncGenerator[SpeechChunk, None]:
        """As `speak`, in the voice of that dialect."""
        self._check_access()
        async with Feed(clauses, by_sentence=True) as feed:
            if not await feed.at_least(1):
                return
            try:
                async with aclosing(self._sockets.chunks(feed, dialect)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except Unopened as unopened:
                raise self._remembered(unopened.error) from None
            except ProviderError as error:
                if error is feed.failure:
                    raise
                raise self._remembered(error) from None

    async def warm(self) -> None:
        """Open a socket, and learn whether there is access. Raises `ProviderError`."""
        self._check_access()
        try:
            await self._sockets.warm()
        except ProviderError as error:
            raise self._remembered(error) from None

    async def aclose(self) -> None:
        """Close every connection and end every task."""
        await self._sockets.aclose()

    def _check_access(self) -> None:
        if self._refusal is not None:
            raise self._where.error(
                self._refusal, f"{ADVICE[self._refusal]} (it was refused before; restart to ask anew)"
            )

    def _remembered(self, error: ProviderError) -> ProviderError:
        if error.failure in LASTING - {Failure.QUOTA}:
            self._refusal = error.failure
            self._sockets.rest()
        return error


class _AnotherVoice:
    """See `ElevenLabsExpressive.with_voice`."""

    def __init__(self, model: ElevenLabsExpressive, dialect: Dialogue) -> None:
        self.name = model.name
        self._model = model
        self._dialect = dialect

    def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        """See `TextToSpeech.speak`."""
        return self._model.speak_as(clauses, self._dialect)

    async def warm(self) -> None:
        """See `ElevenLabsExpressive.warm`."""
        await self._model.warm()

    async def aclose(self) -> None:
        """Nothing: the sockets belong to the model."""


def _as_written(clause: str) -> str:
    """Tags included."""
    return clause
