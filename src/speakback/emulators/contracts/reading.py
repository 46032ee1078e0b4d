"""Reads what a service sent, whatever it is: nothing here fails on a shape that was not expected. Pure."""

import json
from collections.abc import Mapping
from typing import TypeAlias

JsonObject: TypeAlias = Mapping[str, object]


class Absent:
    """Stands for text that is no JSON, which may hold null."""


ABSENT = Absent()


def parsed(text: str) -> object:
    """The JSON value of a text, or `ABSENT`."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return ABSENT
    return value


def at(value: object, *path: str | int) -> object:
    """What lies at a path of keys and indices; None where nothing does."""
    for step in path:
        if isinstance(step, str) and isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def either(value: object, *names: str) -> object:
    """Of a field with several spellings, what is there."""
    return next((found for name in names if (found := at(value, name)) is not None), None)


def items(value: object) -> list[object]:
    """The items of an array; none of anything else."""
    return value if isinstance(value, list) else []


def kind_of(message: object) -> str:
    """What a message of either service is, in a word: told by what it carries, not by its spelling."""
    if not isinstance(message, Mapping):
        return "not JSON" if message is ABSENT else "not an object"
    if message.get("error") or at(message, "x_groq", "error"):
        return "error"
    if "choices" in message:
        return _chunk_kind(message)
    if either(message, "isFinal", "is_final") is True:
        return "final"
    if message.get("is_final_audio_for_turn"):
        return "batch end"
    if isinstance(message.get("audio"), str):
        return "audio"
    return f"message with {', '.join(sorted(message))}"


def _chunk_kind(chunk: JsonObject) -> str:
    choice = at(chunk, "choices", 0)
    if choice is None:
        return "usage"
    if at(choice, "finish_reason") is not None:
        return "finish"
    delta = at(choice, "delta")
    carried = next((name for name in ("tool_calls", "reasoning", "role", "content") if at(delta, name) is not None), "")
    return carried or "empty chunk"


def context_of(message: object) -> str | None:
    """The context that a message names, in either spelling."""
    found = either(message, "contextId", "context_id")
    return found if isinstance(found, str) else None
