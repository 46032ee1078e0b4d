"""The prompt in the chat-completions format, which llama.cpp and every OpenAI-compatible service read.

What a conversation may be and many models' chat templates refuse is put into the form that all of them take: one system
message, the first, and no two messages of the user or of the assistant in a row. It is done here, for all models alike.
"""

import json
from dataclasses import replace
from typing import Literal, NotRequired, TypeAlias, TypedDict

from speakback.providers.llm import Message, Prompt, Tool, ToolCall


class FunctionWire(TypedDict):
    name: str
    arguments: str


class ToolCallWire(TypedDict):
    id: str
    type: Literal["function"]
    function: FunctionWire


class MessageWire(TypedDict):
    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: NotRequired[list[ToolCallWire]]
    tool_call_id: NotRequired[str]


class ToolFunctionWire(TypedDict):
    name: str
    description: str
    parameters: dict[str, object]


class ToolWire(TypedDict):
    type: Literal["function"]
    function: ToolFunctionWire


ToolChoice: TypeAlias = Literal["auto", "none", "required"]


def message_wire(message: Message) -> MessageWire:
    """One message; `tool_calls` and `tool_call_id` only where there are any."""
    wire: MessageWire = {"role": message.role, "content": message.content}
    if message.tool_calls:
        wire["tool_calls"] = [
            {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        wire["tool_call_id"] = message.tool_call_id
    return wire


def messages_wire(prompt: Prompt) -> list[MessageWire]:
    """All messages of the prompt, in order, as `portable` has them."""
    return [message_wire(message) for message in portable(prompt.messages)]


def portable(messages: tuple[Message, ...]) -> list[Message]:
    """The messages with what the system says within the talk told beside the user's words, and neighbours joined.

    Only what stands at the end is changed by what comes next, and that only by more behind it. So a prompt that grows
    begins with the same tokens as before, and a model's cache of it stays of use: an instruction in the first message
    would make all that follows it be read anew.
    """
    told: list[Message] = []
    for message in messages:
        if message.role == "system" and told and told[-1].role != "system":
            message = Message("user", f"[To the assistant, and not said by the user: {message.content}]")
        if told and _may_join(told[-1], message):
            told[-1] = replace(told[-1], content=f"{told[-1].content}\n{message.content}")
        else:
            told.append(message)
    return told


def _may_join(first: Message, second: Message) -> bool:
    return first.role == second.role != "tool" and not (first.tool_calls or second.tool_calls)


def tool_wire(tool: Tool) -> ToolWire:
    """One tool. Raises `ValueError` when its parameters are not a JSON object."""
    parameters = json.loads(tool.parameters_json)
    if not isinstance(parameters, dict):
        raise ValueError("the parameters of a tool are a JSON Schema object")
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }


def tools_wire(prompt: Prompt) -> list[ToolWire]:
    """All tools of the prompt, in order."""
    return [tool_wire(tool) for tool in prompt.tools]


class ToolCallParts:
    """Puts together tool calls that arrive in pieces, each piece naming its call by a number."""

    def __init__(self) -> None:
        self._parts: dict[int, tuple[str, str, str]] = {}

    def add(self, index: int, call_id: str | None, name: str | None, arguments: str | None) -> None:
        """Add a piece; an id and a name come once, arguments piece by piece."""
        old_id, old_name, old_arguments = self._parts.get(index, ("", "", ""))
        self._parts[index] = (call_id or old_id, name or old_name, old_arguments + (arguments or ""))

    def complete(self) -> tuple[ToolCall, ...]:
        """The calls, in the order of their numbers; only to be asked when the reply has ended."""
        return tuple(ToolCall(*parts) for _, parts in sorted(self._parts.items()))
