"""The ElevenLabs voice for conversation: Flash v2.5 (or Turbo v2.5, Multilingual v2) over a shared socket.

Each clause is one message with a flush, on a socket without `auto_mode`: as quick as with it (the service generates
either way when the message arrives; captured: 221 and 238 ms), but clauses are not spoken as clips that know nothing of
each other, so a reply keeps its melody over its short clauses.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from random import Random

from speakback.audio.speech import SpeechChunk
from speakback.providers.adapters.elevenlabs.failures import RETRYABLE, Where
from speakback.providers.adapters.elevenlabs.feed import Feed
from speakback.providers.adapters.elevenlabs.formats import audio_format
from speakback.providers.adapters.elevenlabs.http import HttpVoice
from speakback.providers.adapters.elevenlabs.options import (
    SOCKET_MODELS,
    ElevenLabsVoiceOptions,
    check,
    socket_url,
)
from speakback.providers.adapters.elevenlabs.utterance import Manner
from speakback.providers.adapters.elevenlabs.voice import SocketVoice, Unopened
from speakback.providers.adapters.elevenlabs.wire import Dialect, Multi, Single
from speakback.providers.audio_tags import without_tags
from speakback.providers.errors import Failure, ProviderError

WARM_SOCKETS = 2
"""The shared one, and a spare for when it is lost or full. Only sockets that speak count against a plan."""
MAY_WORK_OVER_HTTP = frozenset({Failure.UNREACHABLE, Failure.BUSY, Failure.BAD_ANSWER, Failure.BROKE_OFF})
"""Of a socket that could not be opened: some networks let no WebSocket through."""


class ElevenLabs:
    """A `TextToSpeech` at ElevenLabs. To be made off the event loop (it reads the machine's certificates).

    Once it is warm it keeps so many sockets `ready`.
    Where sockets cannot be opened it speaks over HTTP, and where they stay silent it asks there for the
    reason: whoever cannot speak there either says why. Audio tags are not spoken. Raises `ProviderError` for
    options that cannot work.
    """

    def __init__(
        self,
        options: ElevenLabsVoiceOptions,
        *,
        name: str = "elevenlabs",
        ready: int = WARM_SOCKETS,
        rng: Random | None = None,
    ) -> None:
        self.name = name
        check(options, name, SOCKET_MODELS)
        sound = audio_format(options.output_format)
        assert sound is not None, "checked above"
        where = Where(name, options.region)
        manner = Manner(sound, options.patience, without_tags)
        self._http = HttpVoice(options, manner, where)
        self._sockets: SocketVoice | None = None
        if options.transport != "http":
            settings = options.settings.wire()
            dialect: Dialect = Single(settings) if options.transport == "single" else Multi(settings)
            url = socket_url(options)
            self._sockets = SocketVoice(options, url, dialect, manner, where, ready, rng or Random())

    @property
    def open_sockets(self) -> int:
        """How many are open now."""
        return 0 if self._sockets is None else self._sockets.open_sockets

    @property
    def sockets_in_use(self) -> int:
        """On how many of them an utterance is under way, or has not come to its end."""
        return 0 if self._sockets is None else self._sockets.sockets_in_use

    async def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        """See `TextToSpeech.speak`."""
        async with Feed(clauses) as feed:
            if not await feed.at_least(1):
                return
            heard = False
            try:
                if self._sockets is not None:
                    async with aclosing(self._sockets.chunks(feed)) as chunks:
                        async for chunk in chunks:
                            heard = True
                            yield chunk
                    return
            except Unopened as unopened:
                if unopened.error.failure not in MAY_WORK_OVER_HTTP:
                    raise unopened.error from None
            except ProviderError as error:
                if heard or error is feed.failure or error.failure not in RETRYABLE:
                    raise
            async with aclosing(self._http.chunks(feed)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def warm(self) -> None:
        """Open the sockets that are kept ready, and go on trying where that fails. Raises `ProviderError`."""
        if self._sockets is not None:
            await self._sockets.warm()

    async def aclose(self) -> None:
        """Close every connection and end every task."""
        if self._sockets is not None:
            await self._sockets.aclose()
        await self._http.aclose()
