"""What each field of a chat request may hold: data for `chat_request`."""

from collections.abc import Callable, Mapping
from math import isfinite
from types import MappingProxyType
from typing import TypeAlias

MOST_TOOLS = 128

Check: TypeAlias = tuple[Callable[[object], bool], str]
"""Whether a value will do, and what it must be, in words."""


def is_text(value: object) -> bool:
    return isinstance(value, str)


def is_flag(value: object) -> bool:
    return isinstance(value, bool)


def is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def is_mapping(value: object) -> bool:
    return isinstance(value, dict)


def _between(low: float, high: float) -> Check:
    def fits(value: object) -> bool:
        return (
            isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and low <= value <= high
        )

    return fits, f"a number between {low:g} and {high:g}"


def _one_of(*values: str) -> Check:
    return (lambda value: isinstance(value, str) and value in values), f"one of [{' '.join(values)}]"


TEXT: Check = (is_text, "a string")
FLAG: Check = (is_flag, "a boolean")
COUNT: Check = (is_count, "an integer of at least 1")
MAPPING: Check = (is_mapping, "an object")

FIELDS: Mapping[str, Check] = MappingProxyType(
    {
        "model": TEXT,
        "messages": ((lambda value: isinstance(value, list) and len(value) > 0), "an array of at least 1 message"),
        "stream": FLAG,
        "stream_options": MAPPING,
        "max_completion_tokens": COUNT,
        "max_tokens": COUNT,
        "temperature": _between(0, 2),
        "top_p": _between(0, 1),
        "seed": ((lambda value: isinstance(value, int) and not isinstance(value, bool)), "an integer"),
        "n": ((lambda value: value == 1 and not isinstance(value, bool)), "1: one choice is all there is"),
        "user": TEXT,
        "service_tier": _one_of("auto", "on_demand", "flex", "performance"),
        "reasoning_effort": _one_of("none", "default", "low", "medium", "high"),
        "reasoning_format": _one_of("hidden", "raw", "parsed"),
        "include_reasoning": FLAG,
        "tools": ((lambda value: isinstance(value, list) and len(value) <= MOST_TOOLS), f"at most {MOST_TOOLS} tools"),
        "tool_choice": ((lambda value: isinstance(value, str | dict)), "a string or an object"),
        "parallel_tool_calls": FLAG,
        "disable_tool_validation": FLAG,
        "response_format": ((lambda value: value == {"type": "text"}), '{"type":"text"}: the emulator has no other'),
        "store": FLAG,
        "metadata": MAPPING,
    }
)

UNSUPPORTED = ("logprobs", "logit_bias", "top_logprobs", "frequency_penalty", "presence_penalty")
"""OpenAI's, and refused by the service."""

NOT_EMULATED = ("stop", "functions", "function_call", "documents", "compound_custom", "search_settings")
"""The service's, and beyond this emulator, which says so."""
