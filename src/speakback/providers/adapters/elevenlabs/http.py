"""Speech over plain HTTP, a request a clause: where sockets cannot be opened, and to learn why they stay silent."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import httpx2

from speakback.audio.speech import SpeechChunk
from speakback.providers.adapters.elevenlabs.failures import Where, of_http, request_id_of
from speakback.providers.adapters.elevenlabs.feed import Feed
from speakback.providers.adapters.elevenlabs.options import ElevenLabsVoiceOptions, http_url, language_code
from speakback.providers.adapters.elevenlabs.utterance import Books, Manner
from speakback.providers.audio_tags import without_tags
from speakback.providers.errors import Failure
from speakback.providers.link.opening import tls_context

KEEP_ALIVE_S = 60.0
MOST_ERROR_BYTES = 65536
CONTEXT_CHARACTERS = 400
"""Of what was said before, told with the next clause: the voice goes on in the same tone."""


class HttpVoice:
    """Speaks feeds over HTTP. The service tells no word times here: they are at an ordinary pace.

    To be made off the event loop: it reads the machine's certificates.
    """

    def __init__(self, options: ElevenLabsVoiceOptions, manner: Manner, where: Where) -> None:
        self._options = options
        self._manner = manner
        self._where = where
        patience = options.patience
        self._client = httpx2.AsyncClient(
            headers={"xi-api-key": options.api_key},
            timeout=httpx2.Timeout(patience.first_audio_s, connect=patience.connect_s),
            limits=httpx2.Limits(keepalive_expiry=KEEP_ALIVE_S),
            follow_redirects=False,
            verify=tls_context(),
        )

    async def chunks(self, feed: Feed) -> AsyncGenerator[SpeechChunk, None]:
        """What is heard, to the end of the feed. Raises `ProviderError`, and what ends the feed."""
        books = Books(self._manner.audio_format)
        before, said = "", 0
        while await feed.at_least(said + 1):
            batch = feed.batches[said]
            said += 1
            text = " ".join(self._manner.written(clause) for clause in batch)
            for clause in batch:
                books.timer.expect(without_tags(clause))
            async with aclosing(self._audio(text, before)) as pieces:
                async for piece in pieces:
                    for chunk in books.add(piece, None):
                        yield chunk
            for chunk in books.finish():
                yield chunk
            before = f"{before} {text}".strip()[-CONTEXT_CHARACTERS:]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _audio(self, text: str, before: str) -> AsyncGenerator[bytes, None]:
        patience, where, came = self._options.patience, self._where, 0
        try:
            async with self._answer(text, before) as response:
                where = replace(where, request_id=request_id_of(response.headers))
                async with aclosing(response.aiter_bytes()) as pieces:
                    async for piece in pieces:
                        came += len(piece)
                        yield piece
        except httpx2.ConnectTimeout:
            raise where.error(Failure.UNREACHABLE, f"no connection within {patience.connect_s:g} s") from None
        except httpx2.TimeoutException:
            raise where.error(Failure.LATE, f"no audio came for {patience.first_audio_s:g} s") from None
        except httpx2.ConnectError:
            reason = "the service cannot be reached; check the base URL and the network"
            raise where.error(Failure.UNREACHABLE, reason) from None
        except httpx2.HTTPError as error:
            raise where.error(Failure.BROKE_OFF, f"the audio broke off ({type(error).__name__})") from None
        if came < self._manner.audio_format.bytes_per_sample:
            raise where.error(Failure.BAD_ANSWER, "the service made no sound, and said nothing of an error")

    @asynccontextmanager
    async def _answer(self, text: str, before: str) -> AsyncIterator[httpx2.Response]:
        async with self._client.stream("POST", http_url(self._options), json=self._body(text, before)) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            if response.status_code != 200:
                body = (await response.aread())[:MOST_ERROR_BYTES]
                raise of_http(response.status_code, body, headers, self._where)
            if headers.get("content-type", "").startswith(("text/", "application/json")):
                where = replace(self._where, request_id=request_id_of(headers))
                raise where.error(Failure.BAD_ANSWER, "the service answered with text instead of audio")
            yield response

    def _body(self, text: str, before: str) -> dict[str, object]:
        options = self._options
        body: dict[str, object] = {
            "text": text,
            "model_id": options.model,
            "apply_text_normalization": options.text_normalization,
        }
        optional: dict[str, object] = {
            "voice_settings": options.settings.wire() or None,
            "language_code": language_code(options),
            "seed": options.seed,
            "previous_text": before or None,
        }
        return body | {name: value for name, value in optional.items() if value is not None}
