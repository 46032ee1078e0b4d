"""One request to llama.cpp: runs in a worker thread, hands its chunks to the event loop, can be cancelled."""

import asyncio
import threading
from collections.abc import Mapping

import xllamacpp

from speakback.providers.adapters.llama_chunks import Chunk
from speakback.providers.errors import ProviderError


class LlamaCall:
    """Lives on the event loop; only `run` belongs to the worker thread.

    Its queue never holds more than one reply, whose length `max_tokens` bounds.
    """

    def __init__(
        self, server: xllamacpp.Server, request: Mapping[str, object], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._server = server
        self._request = request
        self._loop = loop
        self._chunks: asyncio.Queue[Chunk | None] = asyncio.Queue()
        self._cancelled = threading.Event()

    def run(self) -> None:
        """Blocks until the reply has ended, or at most one token or one batch of the prompt after `cancel`."""
        try:
            if not self._cancelled.is_set():
                self._server.handle_chat_completions(dict(self._request), self._take)
        except RuntimeError:  # its message is left out: it may quote the prompt
            raise ProviderError("llm", "llama", "llama.cpp failed; look at the machine's memory") from None
        finally:
            self._loop.call_soon_threadsafe(self._chunks.put_nowait, None)

    async def next_chunk(self) -> Chunk | None:
        """The next chunk; `None` when there are no more."""
        return await self._chunks.get()

    def cancel(self) -> None:
        """Stop soon; chunks that come after this are lost."""
        self._cancelled.set()

    def _take(self, chunk: Chunk) -> bool:
        """llama.cpp's callback, for each token and each batch of the prompt; true stops it."""
        if self._cancelled.is_set():
            return True
        self._loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)
        return False
