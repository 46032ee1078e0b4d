"""Any service that speaks OpenAI's chat completions (OpenAI, Groq, vLLM, Ollama, llama-server and others)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Literal, TypedDict, cast
from urllib.parse import urlsplit

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam, ChatCompletionToolParam

from speakback.providers.adapters.openai_chunks import ChunkReader
from speakback.providers.adapters.openai_failures import FAILURES, explained
from speakback.providers.chat_format import messages_wire, tools_wire
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.llm import LlmDelta, Prompt
from speakback.providers.model_list import or_nearest
from speakback.providers.openai_refusals import Refusal, request_id
from speakback.providers.rate_limit import Budget, Exhausted, Turnstile
from speakback.providers.tls import certificates

KEEP_ALIVE_S = 300.0
"""An idle connection is kept this long: a new one costs a handshake, and turns are seconds apart."""
NO_KEY = "none"
"""Sent where no key is configured: services on one's own machine want none, but the SDK wants one to send."""
AFTER_END_S = 1.0
"""Longest wait for what comes behind a reply's end: it is only the count of its tokens."""
_COSTS = {Budget.REQUESTS_A_MINUTE: 1.0, Budget.REQUESTS_A_DAY: 1.0}


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How one service differs from the others."""

    name: str = "openai"
    region: str | None = None
    limit_name: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """OpenAI's newer models refuse the old name, many other services know no other."""
    least_completion_tokens: int = 0
    """Asked for even where a prompt wants fewer: a model that reasons uses up a small number before its first word."""
    extra: Mapping[str, str | bool] = field(default_factory=dict)
    """Further fields of each request."""
    known_models: tuple[str, ...] = ()
    """What the service had at start (`model_list.py`), to suggest from."""
    connect_timeout_s: float = 5.0
    silence_timeout_s: float = 20.0
    """Longest wait for the first token, and between two."""


class _LengthLimit(TypedDict, total=False):
    max_tokens: int
    max_completion_tokens: int


@asynccontextmanager
async def _generators_closed(chunks: openai.AsyncStream[ChatCompletionChunk]) -> AsyncIterator[None]:
    """At its end closes the SDK's generators; the SDK itself closes the response only.

    Left suspended, they are closed by whichever thread collects garbage next, which may be while the loop closes them.
    """
    try:
        yield
    finally:
        iterator = chunks._iterator
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()


class OpenAiChat:
    """A `LanguageModel` behind HTTP. Nothing is retried here: whoever waits for speech must know at once.

    Closing the iterator closes the response, and with it the connection: that is what stops the service.
    `turnstile` is that of the key and model; None: its requests are not counted. Make it in a thread: it reads the
    certificates of the machine.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None = None,
        options: ChatOptions | None = None,
        turnstile: Turnstile | None = None,
    ) -> None:
        self._options = options or ChatOptions()
        self.name = self._options.name
        self._model = model
        self._is_openai = urlsplit(base_url).hostname == "api.openai.com"
        self._turnstile = turnstile
        timeout = openai.Timeout(self._options.silence_timeout_s, connect=self._options.connect_timeout_s)
        self._client = openai.AsyncOpenAI(
            base_url=base_url,
            api_key=api_key or NO_KEY,
            max_retries=0,
            timeout=timeout,
            http_client=openai.DefaultAsyncHttpxClient(
                timeout=timeout, limits=httpx2.Limits(keepalive_expiry=KEEP_ALIVE_S), verify=certificates()
            ),
        )
        if not self._is_openai:  # the SDK reads these from the environment; they are for OpenAI alone
            self._client.organization = self._client.project = None
            self._client._custom_headers = {}

    async def stream(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        """Stream one reply. Reasoning is not part of it. Raises `ProviderError`, also where no word came.

        There is no `Usage` from a service that tells none.
        """
        reader = ChunkReader()
        async with await self._open(prompt) as chunks, _generators_closed(chunks):
            headers = chunks.response.headers
            while (deltas := await self._next(chunks, reader, headers)) is not None:
                for delta in deltas:
                    yield delta
        named = request_id(headers, {}) or reader.request_id
        if not reader.finished:
            raise self._error(Failure.BROKE_OFF, "the reply broke off: the service closed the connection", named)
        if not reader.has_content and reader.at_limit:
            message = "no word came within the limit of tokens: reasoning used it up; raise it, or lower the effort"
            raise self._error(Failure.BAD_ANSWER, message, named)
        if not reader.has_content:
            raise self._error(Failure.BAD_ANSWER, "the reply ended without a word", named)

    async def warm(self, prompt: Prompt) -> None:
        """Nothing: a service caches by itself, and reading a prompt twice may be paid twice."""

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _open(self, prompt: Prompt) -> openai.AsyncStream[ChatCompletionChunk]:
        try:
            async with self._passing():
                chunks = await self._client.chat.completions.create(
                    model=self._model,
                    messages=cast("list[ChatCompletionMessageParam]", messages_wire(prompt)),
                    tools=cast("list[ChatCompletionToolParam]", tools_wire(prompt)) if prompt.tools else openai.omit,
                    tool_choice=prompt.tool_choice if prompt.tools else openai.omit,
                    temperature=prompt.temperature,
                    stream=True,
                    stream_options={"include_usage": True},
                    extra_headers={"X-Correlation-ID": prompt.correlation_id} if prompt.correlation_id else None,
                    extra_body=dict(self._options.extra) or None,
                    **self._length_limit(max(prompt.max_tokens, self._options.least_completion_tokens)),
                )
        except FAILURES as problem:
            refused = self._heeded(problem, None)
        except RuntimeError:
            if not self._client.is_closed():
                raise
            refused = Refusal(Failure.INTERNAL, "is closed", None, None)
        else:
            if self._turnstile is not None:
                self._turnstile.told(chunks.response.headers)
            return chunks
        raise self._refused(refused)

    async def _next(
        self, chunks: openai.AsyncStream[ChatCompletionChunk], reader: ChunkReader, headers: Mapping[str, str]
    ) -> list[LlmDelta] | None:
        """What the next chunk adds; None at the end."""
        if reader.finished:  # all is said: what goes wrong now costs only the count of the tokens
            with suppress(*FAILURES, TimeoutError):
                async with asyncio.timeout(AFTER_END_S):
                    chunk = await anext(chunks, None)
                return None if chunk is None else reader.read(chunk)
            return None
        try:
            chunk = await anext(chunks, None)
            return None if chunk is None else reader.read(chunk)
        except FAILURES as problem:
            refused = self._heeded(problem, headers)
        raise self._refused(refused)  # not within: with the SDK's own as its context it would keep the generators alive

    def _passing(self) -> AbstractAsyncContextManager[None]:
        return nullcontext() if self._turnstile is None else self._turnstile.passing(_COSTS)

    def _length_limit(self, max_tokens: int) -> _LengthLimit:
        if self._is_openai or self._options.limit_name == "max_completion_tokens":
            return {"max_completion_tokens": max_tokens}
        return {"max_tokens": max_tokens}

    def _heeded(self, problem: Exception, opened: Mapping[str, str] | None) -> Refusal:
        """What a failure means. Where the service, and not our own count, asks for fewer requests, all heed it."""
        refused = explained(problem, opened)
        asked_for = refused.failure is Failure.RATE_LIMITED and not isinstance(problem, Exhausted)
        if self._turnstile is not None and asked_for and refused.retry_after_s is not None:
            self._turnstile.pause(refused.retry_after_s)
        return refused

    def _refused(self, refused: Refusal) -> ProviderError:
        words = refused.words
        if refused.failure is Failure.UNKNOWN_MODEL:
            words += or_nearest(self._model, self._options.known_models)
        return self._error(refused.failure, words, refused.request_id, refused.retry_after_s)

    def _error(
        self, failure: Failure, message: str, request: str | None, retry_after_s: float | None = None
    ) -> ProviderError:
        return ProviderError(
            "llm",
            self.name,
            message,
            failure=failure,
            region=self._options.region,
            request_id=request,
            retry_after_s=retry_after_s,
        )
