"""Any chat GGUF in this process, through llama.cpp (xllamacpp).

One path serves both calls. `warm` asks for a reply of one token and throws it away: what stays is the prompt in the
cache, and the later full prompt begins with the same tokens up to where the user's unfinished words end (the closing
marks after them, five tokens in Qwen's template, are read in vain). llama.cpp looks for the cache that begins like
the prompt, in its slots first and in memory second, so sessions need no fixed place.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TypedDict
from weakref import WeakValueDictionary

import xllamacpp

from speakback.observe.population import task_name
from speakback.providers.adapters.llama_call import LlamaCall
from speakback.providers.adapters.llama_chunks import Chunk, ChunkReader, ContextExceeded
from speakback.providers.adapters.llama_server import LlamaOptions, start_closed_server
from speakback.providers.chat_format import MessageWire, ToolChoice, ToolWire, messages_wire, tools_wire
from speakback.providers.errors import ProviderError
from speakback.providers.fit_prompt import fit_prompt
from speakback.providers.llm import LlmDelta, Prompt
from speakback.providers.waits import UNREPORTED, WaitsReport
from speakback.providers.workers import Workers


class ChatRequest(TypedDict, total=False):
    """What is asked of llama.cpp."""

    messages: list[MessageWire]
    tools: list[ToolWire]
    tool_choice: ToolChoice
    max_tokens: int
    temperature: float
    stream: bool
    stream_options: dict[str, bool]
    cache_prompt: bool
    return_progress: bool


class Llama:
    """A `LanguageModel` on a GGUF file; construction loads it, blocks for seconds and raises `ProviderError`.

    `options.parallel` replies are written at once; what more there are wait, the most urgent first. At most all but
    one of these places are used for warming and drafts (`Workers`), so a reply does not wait for what may be in vain.
    """

    name = "llama"

    def __init__(self, model: Path, options: LlamaOptions | None = None, *, waits: WaitsReport = UNREPORTED) -> None:
        self._options = options or LlamaOptions()
        self._server: xllamacpp.Server | None = start_closed_server(model, self._options)
        self._workers = Workers("llm", self.name, threads=self._options.parallel, waits=waits)
        self._sessions: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """One call at a time for a session: beside its own warming, a reply would land in a cache without its words."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        """Stream one reply. A prompt beyond the window loses its oldest turns. Raises `ProviderError`."""
        for fitted in self._fitting(prompt):
            reader = ChunkReader(prompt, self.name)
            try:
                async with aclosing(self._chunks(fitted)) as chunks:
                    async for chunk in chunks:
                        for delta in reader.read(chunk):
                            yield delta
                        if reader.done:
                            break
            except ContextExceeded:
                continue
            for delta in reader.finish():
                yield delta
            return
        raise self._too_long()

    async def warm(self, prompt: Prompt) -> None:
        """Read the prompt, with the user's unfinished words at its end, into the cache."""
        for fitted in self._fitting(prompt):  # cut where the reply's own prompt will be cut
            reader = ChunkReader(prompt, self.name)
            try:
                async with aclosing(self._chunks(replace(fitted, max_tokens=1))) as chunks:
                    async for chunk in chunks:
                        reader.read(chunk)
                return
            except ContextExceeded:
                continue
        raise self._too_long()

    async def aclose(self) -> None:
        """Wait for the calls under way, then free the model."""
        await self._workers.aclose()
        server, self._server = self._server, None
        await asyncio.to_thread(_free, [server])

    def _fitting(self, prompt: Prompt) -> Iterator[Prompt]:
        """The prompt cut to the window by estimate; then, should the estimate have been too small, shorter."""
        reply_tokens = min(prompt.max_tokens, self._options.context_tokens // 2)
        window_tokens = self._options.context_tokens - reply_tokens
        tried: Prompt | None = None
        for share in (1, 2, 4, 8):
            fitted = fit_prompt(prompt, window_tokens // share)
            if fitted != tried:
                yield fitted
            tried = fitted

    async def _chunks(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """What llama.cpp sends for one request. Closing it stops the model, and returns when it has stopped."""
        if self._server is None:
            raise ProviderError("llm", self.name, "the model was closed")
        async with self._session(prompt.session_key):
            call = LlamaCall(self._server, self._request(prompt), asyncio.get_running_loop())
            working = asyncio.create_task(self._workers.run(call.run), name=task_name("llama-call"))
            working.add_done_callback(call.pool_is_done)
            try:
                while (chunk := await call.next_chunk()) is not None:
                    yield chunk
                await working
            finally:
                call.cancel()
                working.cancel()
                await asyncio.shield(call.stopped())

    def _session(self, session_key: str) -> asyncio.Lock:
        """The lock of a session, kept for as long as someone holds or waits for it; calls without a key are alone."""
        return self._sessions.setdefault(session_key, asyncio.Lock()) if session_key else asyncio.Lock()

    def _request(self, prompt: Prompt) -> ChatRequest:
        request: ChatRequest = {
            "messages": messages_wire(prompt),
            "max_tokens": prompt.max_tokens,
            "temperature": prompt.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
            "cache_prompt": True,
            "return_progress": True,
        }
        if prompt.tools:
            try:
                request["tools"] = tools_wire(prompt)
            except ValueError as error:
                raise ProviderError("llm", self.name, "the parameters of a tool are not a JSON object") from error
            request["tool_choice"] = prompt.tool_choice
        return request

    def _too_long(self) -> ProviderError:
        return ProviderError(
            "llm",
            self.name,
            f"the instructions, the tools and the last message alone exceed the context window of "
            f"{self._options.context_tokens} tokens; shorten them or raise llm.context_tokens",
        )


def _free(server: list[xllamacpp.Server | None]) -> None:
    """The last reference dies here, in a worker thread, because freeing the model blocks."""
    server.clear()
