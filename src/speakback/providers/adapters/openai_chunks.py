"""The chunks of a streamed chat completion as deltas of the reply. The SDK does not validate what it receives."""

from collections.abc import Mapping

from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import Choice, ChoiceDelta
from openai.types.completion_usage import CompletionUsage

from speakback.providers.chat_format import ToolCallParts
from speakback.providers.llm import LlmDelta, TextDelta, Usage


class NotAChunk(ValueError):
    """A chunk has not the form it should have."""


class StreamCut(Exception):
    """A chunk says that the service cut the stream; `error` is what it says, not fit to be shown."""

    def __init__(self, error: object) -> None:
        super().__init__("the service cut the stream")
        self.error = error


class ChunkReader:
    """Reads one reply. Reasoning, and content of any channel but the final one, is no part of it."""

    def __init__(self) -> None:
        self._calls = ToolCallParts()
        self.at_limit = False
        self.finished = False
        self._counted = False
        self.has_content = False
        """Whether there was a word or a tool call."""
        self.request_id: str | None = None

    def read(self, chunk: ChatCompletionChunk) -> list[LlmDelta]:
        """What the chunk adds. Raises `NotAChunk`, `StreamCut`."""
        try:
            return self._read(chunk)
        except (AttributeError, TypeError, KeyError) as problem:
            raise NotAChunk(type(problem).__name__) from None

    def _read(self, chunk: ChatCompletionChunk) -> list[LlmDelta]:
        self._look_for_error(chunk)
        deltas = [delta for choice in chunk.choices or () for delta in self._read_choice(choice)]
        self.has_content = self.has_content or bool(deltas)
        if chunk.usage is not None and not self._counted:  # some tell it with the last words and once more after them
            self._counted = True
            deltas.append(self._usage(chunk.usage))
        return deltas

    def _look_for_error(self, chunk: ChatCompletionChunk) -> None:
        own = (chunk.model_extra or {}).get("x_groq")
        if not isinstance(own, Mapping):
            return
        if isinstance(own.get("id"), str):
            self.request_id = own["id"]
        if own.get("error"):
            raise StreamCut(own["error"])

    def _read_choice(self, choice: Choice) -> list[LlmDelta]:
        deltas: list[LlmDelta] = []
        if choice.delta.content and _is_said(choice.delta):
            if not isinstance(choice.delta.content, str):
                raise NotAChunk("its content is no text")
            deltas.append(TextDelta(choice.delta.content))
        for piece in choice.delta.tool_calls or ():
            function = piece.function
            self._calls.add(
                piece.index,
                piece.id,
                function.name if function else None,
                function.arguments if function else None,
            )
        if choice.finish_reason is not None:
            self.finished = True
            self.at_limit = choice.finish_reason == "length"
            deltas += self._calls.complete()
        return deltas

    def _usage(self, usage: CompletionUsage) -> Usage:
        details = usage.prompt_tokens_details
        cached = details.cached_tokens if details is not None else None
        return Usage(usage.prompt_tokens, usage.completion_tokens, cached, self.at_limit)


def _is_said(delta: ChoiceDelta) -> bool:
    return (delta.model_extra or {}).get("channel") in (None, "final")
