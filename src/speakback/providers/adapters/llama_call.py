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
        self._begun = threading.Event()
        self._ended = asyncio.Event()

    def run(self) -> None:
        """Blocks until the reply has ended, or at most one token or one batch of the prompt after `cancel`."""
        self._begun.set()  # before it looks: see `stopped`
        try:
            if not self._cancelled.is_set():
                self._server.handle_chat_completions(dict(self._request), self._take)
        except RuntimeError:  # its message is left out: it may quote the prompt
            raise ProviderError("llm", "llama", "llama.cpp failed; look at the machine's memory") from None
        finally:
            self._loop.call_soon_threadsafe(self._end)

    async def next_chunk(self) -> Chunk | None:
        """The next chunk; `None` when there are no more."""
        return await self._chunks.get()

    def cancel(self) -> None:
        """Stop soon; chunks that come after this are lost."""
        self._cancelled.set()

    def pool_is_done(self, working: "asyncio.Task[None]") -> None:
        """There will be no more chunks, if only because it was never begun; `working` tells the caller why."""
        self._chunks.put_nowait(None)
        if not working.cancelled():
            working.exception()  # seen, also where nobody waits for it any more

    async def stopped(self) -> None:
        """Return when the model is done with it; after `cancel` only.

        One that has not begun by then never asks the model: it says that it began before it looks whether it may.
        """
        if self._begun.is_set():
            await self._ended.wait()

    def _end(self) -> None:
        self._chunks.put_nowait(None)
        self._ended.set()

    def _take(self, chunk: Chunk) -> bool:
        """llama.cpp's callback, for each token and each batch of the prompt; true stops it."""
        if self._cancelled.is_set():
            return True
        self._loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)
        return False
