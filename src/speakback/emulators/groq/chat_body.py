"""What a chat is answered with: chunks of a stream, or one body. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from speakback.providers.llm import ToolCall

Finish: TypeAlias = Literal["stop", "length", "tool_calls"]
Delta: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens and seconds of one chat. `reasoning_tokens` are among `completion_tokens`."""

    queue_s: float
    prompt_tokens: int
    prompt_s: float
    completion_tokens: int
    completion_s: float
    reasoning_tokens: int

    def wire(self) -> dict[str, object]:
        """As `usage`."""
        return {
            "queue_time": round(self.queue_s, 9),
            "prompt_tokens": self.prompt_tokens,
            "prompt_time": round(self.prompt_s, 9),
            "completion_tokens": self.completion_tokens,
            "completion_time": round(self.completion_s, 9),
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "total_time": round(self.prompt_s + self.completion_s, 9),
            **(
                {"completion_tokens_details": {"reasoning_tokens": self.reasoning_tokens}}
                if self.reasoning_tokens
                else {}
            ),
        }


@dataclass(frozen=True, slots=True)
class Completion:
    """What all chunks of one chat have in common; `created` is in Unix seconds."""

    id: str
    created: int
    model: str
    fingerprint: str
    request_id: str
    seed: int

    def first(self) -> dict[str, object]:
        """Says who speaks, and which request this is."""
        chunk = self._chunk({"role": "assistant", "content": ""})
        return {**chunk, "x_groq": {"id": self.request_id, "seed": self.seed}}

    def reasoning(self, text: str) -> dict[str, object]:
        """A token that is not to be said."""
        return self._chunk({"reasoning": text, "channel": "analysis"})

    def content(self, text: str) -> dict[str, object]:
        """A token of the reply."""
        return self._chunk({"content": text})

    def tool_call(self, index: int, call: ToolCall) -> dict[str, object]:
        """A whole call."""
        return self._chunk({"tool_calls": [{"index": index, **tool_call_wire(call)}]})

    def finish(self, reason: Finish, spent: Spent) -> dict[str, object]:
        """The last with a choice. It has the usage twice, whether asked for or not."""
        usage = spent.wire()
        chunk = self._chunk({}, reason)
        return {**chunk, "x_groq": {"id": self.request_id, "usage": usage}, "usage": usage}

    def usage(self, spent: Spent) -> dict[str, object]:
        """Only with `include_usage`."""
        return {
            **self._head("chat.completion.chunk"),
            "choices": [],
            "usage": spent.wire(),
            "service_tier": "on_demand",
        }

    def cut(self, error: str) -> dict[str, object]:
        """A stream that is cut for a reason."""
        return {**self._chunk({}), "x_groq": {"id": self.request_id, "error": error}}

    def whole(
        self, content: str, reasoning: str, calls: tuple[ToolCall, ...], reason: Finish, spent: Spent
    ) -> dict[str, object]:
        """The answer that is not streamed."""
        message: dict[str, object] = {"role": "assistant", "content": content or (None if calls else "")}
        if reasoning:
            message["reasoning"] = reasoning
        if calls:
            message["tool_calls"] = [tool_call_wire(call) for call in calls]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
        head = self._head("chat.completion")
        fingerprint = head.pop("system_fingerprint")
        return {
            **head,
            "choices": [choice],
            "usage": spent.wire(),
            "usage_breakdown": None,
            "system_fingerprint": fingerprint,
            "x_groq": {"id": self.request_id, "seed": self.seed},
            "service_tier": "on_demand",
        }

    def _head(self, kind: str) -> dict[str, object]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        }

    def _chunk(self, delta: Delta, reason: Finish | None = None) -> dict[str, object]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}


def tool_call_wire(call: ToolCall) -> dict[str, object]:
    """A call as it is written in streams and bodies."""
    return {
        "id": call.call_id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
