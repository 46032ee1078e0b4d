"""Any service that speaks OpenAI's chat completions (OpenAI, Groq, vLLM, Ollama, llama-server and others)."""

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import TypedDict, cast
from urllib.parse import urlsplit

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam, ChatCompletionToolParam

from speakback.providers.chat_format import ToolCallParts, messages_wire, tools_wire
from speakback.providers.errors import ProviderError
from speakback.providers.llm import LlmDelta, Prompt, TextDelta, Usage

CONNECT_TIMEOUT_S = 5.0
SILENCE_TIMEOUT_S = 20.0
"""Longest wait for the first token, and between two."""

KEEP_ALIVE_S = 300.0
"""An idle connection is kept this long: a new one costs a handshake, and turns are seconds apart."""

NO_KEY = "none"
"""Sent where no key is configured: services on one's own machine want none, but the SDK wants one to send."""

STATUS_ADVICE = {
    400: "the request was refused; check llm.model, and whether the model takes tools and this temperature",
    401: "the key was refused; check llm.api_key",
    403: "the key may not use this model; check llm.api_key and llm.model",
    404: "there is no such model or address; check llm.model and llm.base_url",
    413: "the conversation is too long for this service",
    429: "the service's rate or spending limit is reached",
}


class _LengthLimit(TypedDict, total=False):
    max_tokens: int
    max_completion_tokens: int


class OpenAiChat:
    """A `LanguageModel` behind HTTP. Nothing is retried here: whoever waits for speech must know at once.

    Closing the iterator closes the response, and with it the connection: that is what stops the service.
    """

    name = "openai"

    def __init__(self, base_url: str, model: str, api_key: str | None = None) -> None:
        timeout = openai.Timeout(SILENCE_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        self._model = model
        self._is_openai = urlsplit(base_url).hostname == "api.openai.com"
        self._client = openai.AsyncOpenAI(
            base_url=base_url,
            api_key=api_key or NO_KEY,
            max_retries=0,
            timeout=timeout,
            http_client=openai.DefaultAsyncHttpxClient(
                timeout=timeout, limits=httpx2.Limits(keepalive_expiry=KEEP_ALIVE_S)
            ),
        )

    async def stream(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        """Stream one reply. Text in `reasoning` fields is not part of it. Raises `ProviderError`.

        There is no `Usage` from a service that tells none.
        """
        reader = _ChunkReader()
        with _failures_named(self.name):
            chunks = await self._client.chat.completions.create(
                model=self._model,
                messages=cast("list[ChatCompletionMessageParam]", messages_wire(prompt)),
                tools=cast("list[ChatCompletionToolParam]", tools_wire(prompt)) if prompt.tools else openai.omit,
                tool_choice=prompt.tool_choice if prompt.tools else openai.omit,
                temperature=prompt.temperature,
                stream=True,
                stream_options={"include_usage": True},
                extra_headers={"X-Correlation-ID": prompt.correlation_id} if prompt.correlation_id else None,
                **self._length_limit(prompt.max_tokens),
            )
        async with chunks:
            arriving = aiter(chunks)
            while True:
                with _failures_named(self.name):
                    chunk = await anext(arriving, None)
                if chunk is None:
                    break
                for delta in reader.read(chunk):
                    yield delta
        if not reader.finished:
            raise ProviderError("llm", self.name, "the reply broke off: the service closed the connection")

    async def warm(self, prompt: Prompt) -> None:
        """Nothing: a service caches by itself, and reading a prompt twice may be paid twice."""

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _length_limit(self, max_tokens: int) -> _LengthLimit:
        """OpenAI's newer models refuse the old name, most other services know no other."""
        return {"max_completion_tokens": max_tokens} if self._is_openai else {"max_tokens": max_tokens}


class _ChunkReader:
    def __init__(self) -> None:
        self._calls = ToolCallParts()
        self._at_limit = False
        self.finished = False

    def read(self, chunk: ChatCompletionChunk) -> Iterator[LlmDelta]:
        # The SDK does not validate what it receives: `choices` may be null whatever its type says.
        for choice in chunk.choices or ():
            delta = choice.delta
            if delta.content:
                yield TextDelta(delta.content)
            for piece in delta.tool_calls or ():
                function = piece.function
                self._calls.add(
                    piece.index,
                    piece.id,
                    function.name if function else None,
                    function.arguments if function else None,
                )
            if choice.finish_reason is not None:
                self.finished = True
                self._at_limit = choice.finish_reason == "length"
                yield from self._calls.complete()
        if chunk.usage is not None:
            details = chunk.usage.prompt_tokens_details
            yield Usage(
                chunk.usage.prompt_tokens,
                chunk.usage.completion_tokens,
                details.cached_tokens if details is not None else None,
                self._at_limit,
            )


@contextmanager
def _failures_named(provider: str) -> Iterator[None]:
    """Says what failed in our own words: those of a service may quote the prompt or the key."""
    try:
        yield
    except openai.APIStatusError as error:
        advice = STATUS_ADVICE.get(error.status_code, "the service failed" if error.status_code >= 500 else "refused")
        message = f"HTTP {error.status_code}: {advice}"
    except (openai.APITimeoutError, httpx2.TimeoutException):
        message = f"no answer within {SILENCE_TIMEOUT_S:g} s (connecting: {CONNECT_TIMEOUT_S:g} s)"
    except openai.APIConnectionError:
        message = "cannot connect; check llm.base_url and that the service runs"
    except (openai.APIError, httpx2.HTTPError):
        message = "the reply broke off with an error of the service"
    except json.JSONDecodeError:
        message = "the service sent something that is not JSON, or a tool's parameters are not"
    except ValueError:
        message = "the parameters of a tool are not a JSON object"
    else:
        return
    raise ProviderError("llm", provider, message) from None
