"""The items of a conversation, in the vocabulary of the session (no wire format)."""

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class MessageItem:
    """Something said or written. For the agent's speech, `text` is what was heard of it."""

    item_id: str
    role: Literal["system", "user", "assistant"]
    text: str
    spoken: bool
    """True when it came or went as audio, so `text` is a transcript."""
    status: Literal["in_progress", "completed", "incomplete"] = "completed"


@dataclass(frozen=True, slots=True)
class ToolCallItem:
    """A function call that the agent made; the client runs it."""

    item_id: str
    call_id: str
    name: str
    arguments: str
    """JSON text, as the model wrote it."""


@dataclass(frozen=True, slots=True)
class ToolOutputItem:
    """What a function call gave, as text from the client."""

    item_id: str
    call_id: str
    output: str


Item: TypeAlias = MessageItem | ToolCallItem | ToolOutputItem
