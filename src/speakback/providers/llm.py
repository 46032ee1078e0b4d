"""The language model, as a session sees it: an append-only prompt in, streamed text and tool calls out."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function call the model asked for; `arguments` is JSON text as the model wrote it."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the prompt. `tool_calls` only with role assistant, `tool_call_id` only with role tool."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call; `parameters_json` is a JSON Schema object as text."""

    name: str
    description: str
    parameters_json: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that the model is given. Between turns of a session it only ever grows at its end.

    `session_key` is stable for a session, so that an adapter can keep that session's cache warm.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: Literal["auto", "none", "required"] = "auto"
    max_tokens: int = 256
    temperature: float = 0.7
    session_key: str = ""
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of the reply, exactly as the model wrote it (see `session/speakable.py` for what is said)."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, at its end; `cached_tokens` of the prompt were not computed again."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int | None
    stopped_at_limit: bool


LlmDelta: TypeAlias = TextDelta | ToolCall | Usage


class LanguageModel(Protocol):
    """Writes replies. One call at a time per session; calls of different sessions may overlap."""

    @property
    def name(self) -> str:
        """Who it is, in logs and errors."""
        ...

    def stream(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        """Stream one reply. Closing the generator, or cancelling its task, stops the model within a token.

        Raises `ProviderError`, also in the middle of a reply.
        """
        ...

    async def warm(self, prompt: Prompt) -> None:
        """Read the prompt into the session's cache, so that a prompt which begins alike answers sooner.

        The last message may be a user's unfinished one. Does nothing where there is nothing to
        warm. Cancelling is safe and frees the model at once. Raises `ProviderError`.
        """
        ...

    async def aclose(self) -> None:
        """Release threads and memory; no call may follow."""
        ...
