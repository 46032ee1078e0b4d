"""What the model of a chat gives, token by token: its reasoning, then the reply. And when each token is due."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType
from typing import TypeAlias

from speakback.emulators.content import Writer
from speakback.emulators.groq.chat_request import ChatRequest, Effort
from speakback.emulators.groq.models import Model
from speakback.emulators.profiles import Profile
from speakback.providers.llm import ToolCall

REASONING_TOKENS: Mapping[Effort, int] = MappingProxyType({"none": 0, "low": 12, "medium": 60, "high": 200})
"""How much is thought before a reply. The service's own numbers depend on the question and are not known."""

_THOUGHT = ("The", "user", "speaks", "to", "us", ".", "Answer", "in", "a", "few", "words", ".")
_CHARACTERS_PER_TOKEN = 4
_TOKENS_PER_MESSAGE = 4
_KNOWN_SPEED = "openai/gpt-oss-120b"
"""Models whose speed is not known write as fast as this one."""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A token of reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """A token of the reply."""

    text: str


Piece: TypeAlias = Reasoning | Content | ToolCall


def prompt_tokens(asked: ChatRequest) -> int:
    """Estimated: this emulator has no tokenizer of the model."""
    texts = [
        message.content + "".join(call.name + call.arguments for call in message.tool_calls)
        for message in asked.messages
    ]
    texts += [tool.name + tool.description + tool.parameters_json for tool in asked.tools]
    return sum(_TOKENS_PER_MESSAGE + tokens_of(text) for text in texts)


def tokens_of(text: str) -> int:
    """Estimated."""
    return ceil(len(text) / _CHARACTERS_PER_TOKEN)


def most_tokens(asked: ChatRequest, model: Model) -> int:
    """How many tokens may be written, reasoning included."""
    return min(asked.max_tokens or model.max_completion_tokens, model.max_completion_tokens)


async def pieces(writer: Writer, asked: ChatRequest, model: Model) -> AsyncGenerator[Piece, None]:
    """At most `most_tokens`: all of them may go into the reasoning. Raises `ProviderError`."""
    most = most_tokens(asked, model)
    thought = min(REASONING_TOKENS[asked.effort or "medium"] if model.reasons else 0, most)
    for number in range(thought):
        yield Reasoning((" " if number else "") + _THOUGHT[number % len(_THOUGHT)])
    left = most - thought
    if left <= 0:
        return
    async with aclosing(writer.write(asked.prompt(left))) as reply:
        async for token in reply:
            yield Content(token) if isinstance(token, str) else token
            left -= 1
            if left <= 0:
                return


@dataclass(frozen=True, slots=True)
class Pace:
    """When tokens are due, from the request on; `per_token_ms` 0: all at once."""

    first_ms: float
    per_token_ms: float

    def due_ms(self, token: int) -> float:
        """Of token 0, 1, …"""
        return self.first_ms + token * self.per_token_ms


def pace_of(profile: Profile, model: Model, first_ms: float) -> Pace:
    """How fast this model writes."""
    per_s = profile.tokens_per_s.get(model.id, profile.tokens_per_s[_KNOWN_SPEED])
    return Pace(first_ms, 1000 / per_s if per_s else 0.0)
