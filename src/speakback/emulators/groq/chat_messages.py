"""The messages of a chat request."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from speakback.emulators.groq.errors import GroqError
from speakback.providers.llm import Message, ToolCall

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]

_ROLES: Mapping[object, Role] = MappingProxyType(
    {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
)
_FIELDS: Mapping[Role, frozenset[str]] = MappingProxyType(
    {
        "system": frozenset({"role", "content"}),
        "user": frozenset({"role", "content"}),
        "assistant": frozenset({"role", "content", "tool_calls", "reasoning"}),
        "tool": frozenset({"role", "content", "tool_call_id"}),
    }
)


def message_of(number: int, given: object) -> Message:
    """Message `number`. Raises `GroqError`."""
    where = f"'messages.{number}'"
    if not isinstance(given, dict):
        raise GroqError(400, f"{where} : value must be an object")
    role = _ROLES.get(given.get("role")) if isinstance(given.get("role"), str) else None
    if role is None:
        raise GroqError(400, f"{where} : discriminator property 'role' has invalid value")
    fields = {name: value for name, value in given.items() if value is not None}
    for name in fields:
        if name not in _FIELDS[role]:
            kind = f"for 'role:{role}' the following must be satisfied"
            raise GroqError(400, f"{where} : {kind}[({where} : property '{name}' is unsupported)]")
    calls = _calls(where, fields.get("tool_calls", []))
    if "content" not in fields and not calls:
        raise GroqError(400, f"{where} : property 'content' is missing")
    call_id = fields.get("tool_call_id")
    if role == "tool" and not isinstance(call_id, str):
        raise GroqError(400, f"{where} : property 'tool_call_id' is missing")
    return Message(role, _content(where, fields.get("content", "")), calls, call_id)


def _content(where: str, given: object) -> str:
    """A string, or parts of text."""
    if isinstance(given, str):
        return given
    parts = (
        [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None for part in given]
        if (isinstance(given, list))
        else [None]
    )
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) < len(parts):
        raise GroqError(400, f"{where} : content must be a string or an array of text parts")
    return "".join(texts)


def _calls(where: str, given: object) -> tuple[ToolCall, ...]:
    if not isinstance(given, list):
        raise GroqError(400, f"{where} : tool_calls must be an array")
    return tuple(_call(where, one) for one in given)


def _call(where: str, given: object) -> ToolCall:
    function = given.get("function") if isinstance(given, dict) else None
    if isinstance(given, dict) and isinstance(function, dict):
        texts = (given.get("id"), function.get("name"), function.get("arguments"))
        if given.get("type") == "function" and all(isinstance(text, str) for text in texts):
            return ToolCall(*map(str, texts))
    raise GroqError(400, f"{where} : tool_calls must have an id, the type function, a name and arguments")
