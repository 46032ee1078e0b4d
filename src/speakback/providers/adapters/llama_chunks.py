"""What llama.cpp streams, turned into the deltas of a reply."""

from collections.abc import Iterator
from typing import TypedDict
from uuid import uuid4

from speakback.providers.bare_tool_call import BareToolCall, BareToolCallReader
from speakback.providers.chat_format import ToolCallParts
from speakback.providers.errors import ProviderError
from speakback.providers.llm import LlmDelta, Prompt, TextDelta, ToolCall, Usage


class FunctionPiece(TypedDict, total=False):
    name: str
    arguments: str


class ToolCallPiece(TypedDict, total=False):
    index: int
    id: str
    function: FunctionPiece


class Delta(TypedDict, total=False):
    content: str | None
    tool_calls: list[ToolCallPiece]


class Choice(TypedDict, total=False):
    delta: Delta
    finish_reason: str | None


class Progress(TypedDict):
    total: int
    cache: int


class CachedDetails(TypedDict):
    cached_tokens: int


class UsageChunk(TypedDict):
    prompt_tokens: int
    completion_tokens: int
    prompt_tokens_details: CachedDetails


class Refusal(TypedDict):
    code: int
    type: str


class Chunk(TypedDict, total=False):
    """The fields we read; it has more, `reasoning_content` among them, which is never spoken."""

    choices: list[Choice]
    usage: UsageChunk
    prompt_progress: Progress
    error: Refusal


class ContextExceeded(Exception):
    """The prompt has more tokens than the window. Nothing was computed."""


class ChunkReader:
    """Reads the chunks of one reply."""

    def __init__(self, prompt: Prompt, provider: str) -> None:
        callable_tools = () if prompt.tool_choice == "none" else prompt.tools
        self._bare_calls = BareToolCallReader(frozenset(tool.name for tool in callable_tools))
        self._parts = ToolCallParts()
        self._provider = provider
        self._progress: Progress | None = None
        self._text_chunks = 0
        self._stopped_at_limit = False
        self.done = False
        """The reply is complete although the model has not stopped: what would follow is noise."""

    def read(self, chunk: Chunk) -> Iterator[LlmDelta]:
        """The deltas in a chunk. Raises `ContextExceeded` and `ProviderError`."""
        if "error" in chunk:
            raise self._refusal(chunk["error"])
        self._progress = self._progress or chunk.get("prompt_progress")
        return self._deltas(chunk)

    def finish(self) -> Iterator[LlmDelta]:
        """What was still held back when the reply ended."""
        rest = self._bare_calls.finish()
        if rest:
            yield TextDelta(rest)

    def _deltas(self, chunk: Chunk) -> Iterator[LlmDelta]:
        for choice in chunk.get("choices", []):
            delta = choice.get("delta", {})
            text = delta.get("content")
            if text:
                yield from self._text(text)
            for piece in delta.get("tool_calls", []):
                function = piece.get("function", {})
                self._parts.add(piece.get("index", 0), piece.get("id"), function.get("name"), function.get("arguments"))
            if choice.get("finish_reason") is not None:
                self._stopped_at_limit = choice.get("finish_reason") == "length"
                yield from self.finish()
                yield from self._parts.complete()
        if "usage" in chunk:
            yield self._usage(chunk["usage"])

    def _text(self, text: str) -> Iterator[LlmDelta]:
        self._text_chunks += 1
        match self._bare_calls.push(text):
            case BareToolCall(name, arguments):
                yield ToolCall(f"call_{uuid4().hex}", name, arguments)
                yield from self._usage_so_far()
                self.done = True
            case str(known) if known:
                yield TextDelta(known)

    def _usage(self, usage: UsageChunk) -> Usage:
        return Usage(
            usage["prompt_tokens"],
            usage["completion_tokens"],
            usage["prompt_tokens_details"]["cached_tokens"],
            self._stopped_at_limit,
        )

    def _usage_so_far(self) -> Iterator[Usage]:
        if self._progress is not None:
            yield Usage(self._progress["total"], self._text_chunks, self._progress["cache"], False)

    def _refusal(self, refusal: Refusal) -> Exception:
        if refusal.get("type") == "exceed_context_size_error":
            return ContextExceeded()
        # Its message is left out: it may quote the prompt.
        return ProviderError(
            "llm", self._provider, f"llama.cpp refused the request ({refusal.get('code')}, {refusal.get('type')})"
        )
