"""What both ElevenLabs voices share: a pool of sockets, and one more attempt where nothing was heard yet."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from random import Random

from speakback.audio.speech import SpeechChunk
from speakback.providers.adapters.elevenlabs.failures import RETRYABLE, Where, of_link
from speakback.providers.adapters.elevenlabs.feed import Feed
from speakback.providers.adapters.elevenlabs.options import ElevenLabsVoiceOptions
from speakback.providers.adapters.elevenlabs.sockets import ContextSocket, Line
from speakback.providers.adapters.elevenlabs.utterance import Manner, Utterance
from speakback.providers.adapters.elevenlabs.wire import Dialect
from speakback.providers.errors import ProviderError
from speakback.providers.link.failures import LinkError
from speakback.providers.link.opening import Destination, tls_context
from speakback.providers.link.pool import Pool, PoolTerms

ATTEMPTS = 2


class Unopened(Exception):
    """No socket could be opened; `error` says why."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__(str(error))
        self.error = error


class SocketVoice:
    """Speaks feeds over pooled sockets of one dialect. To be made off the event loop."""

    def __init__(
        self,
        options: ElevenLabsVoiceOptions,
        url: str,
        dialect: Dialect,
        manner: Manner,
        where: Where,
        ready: int,
        rng: Random,
    ) -> None:
        self._manner = manner
        self._where = where
        self._dialect = dialect
        self._destination = Destination(
            url=url,
            headers={"xi-api-key": options.api_key},
            connect_within_s=options.patience.connect_s,
            tls=tls_context() if url.startswith("wss:") else None,
        )
        terms = PoolTerms(ready=ready, uses_each=dialect.in_use_comfortably)
        self._pool: Pool[ContextSocket] = Pool(self._open, terms, rng)

    @property
    def open_sockets(self) -> int:
        """How many are open now."""
        return self._pool.open_sockets

    @property
    def sockets_in_use(self) -> int:
        """On how many of them an utterance is under way, or has not come to its end."""
        return self._pool.sockets_in_use

    async def chunks(self, feed: Feed, dialect: Dialect | None = None) -> AsyncGenerator[SpeechChunk, None]:
        """What is heard, to the end of the feed. Said once more on another connection if nothing was heard.

        `dialect` is this utterance's own, on sockets of the same kind; None: that of the sockets.
        Raises `ProviderError`, `Unopened` where no socket could be opened, and what ends the feed.
        """
        for attempt in range(1, ATTEMPTS + 1):
            line = await self._line(dialect)
            heard = False
            try:
                async with aclosing(Utterance(line, feed, self._manner).chunks()) as chunks:
                    async for chunk in chunks:
                        heard = heard or len(chunk.audio_24k) > 0
                        yield chunk
                return
            except ProviderError as error:
                if heard or attempt == ATTEMPTS or error is feed.failure or error.failure not in RETRYABLE:
                    raise
                line.socket.distrust()
            finally:
                line.hang_up()

    async def warm(self) -> None:
        """Open what should be ready, and keep it so. Raises `ProviderError`."""
        try:
            await self._pool.warm()
        except LinkError as error:
            raise of_link(error, self._where) from None

    def rest(self) -> None:
        """Keep no socket ready any more: the service does not want us."""
        self._pool.rest()

    async def aclose(self) -> None:
        """Close all sockets; who still listens gets a `ProviderError`."""
        await self._pool.aclose()

    async def _line(self, dialect: Dialect | None) -> Line:
        while True:
            try:
                socket = await self._pool.take()
            except LinkError as error:
                raise Unopened(of_link(error, self._where)) from None
            if socket.is_ready:
                return socket.begin(dialect)

    async def _open(self) -> ContextSocket:
        return await ContextSocket.open(
            self._destination, self._dialect, self._manner.patience, self._where, self._pool.changed
        )
