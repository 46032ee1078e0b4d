"""What a chat asks for, checked as strictly as the service checks it (or stricter: nothing is passed over)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from speakback.emulators.groq.chat_fields import FIELDS, NOT_EMULATED, UNSUPPORTED
from speakback.emulators.groq.chat_messages import message_of
from speakback.emulators.groq.errors import GroqError, not_emulated
from speakback.providers.llm import Message, Prompt, Tool

Effort: TypeAlias = Literal["none", "low", "medium", "high"]
Reasoning: TypeAlias = Literal["hidden", "raw", "parsed"]
ToolChoice: TypeAlias = Literal["auto", "none", "required"]

DEFAULT_TEMPERATURE = 1.0
ZERO_TEMPERATURE = 1e-8
"""What the service makes of 0."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request that is in order. `max_tokens` None: as many as the model may write."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...]
    tool_choice: ToolChoice
    max_tokens: int | None
    temperature: float
    seed: int | None
    is_streamed: bool
    with_usage: bool
    effort: Effort | None
    reasoning: Reasoning
    is_flex: bool

    def prompt(self, most_tokens: int) -> Prompt:
        """For the model behind the emulator."""
        return Prompt(self.messages, self.tools, self.tool_choice, most_tokens, min(self.temperature, 2.0))


def parse(body: bytes) -> ChatRequest:
    """The request in a body. Raises `GroqError`."""
    try:
        given = json.loads(body)
    except ValueError:
        raise GroqError(400, "invalid JSON") from None
    if not isinstance(given, dict):
        raise GroqError(400, "the body must be an object")
    # Null is as good as absent, as clients send it for what is not set.
    fields = {name: value for name, value in given.items() if value is not None}
    _check(fields)
    tools, tool_choice = _tools(fields)
    temperature = float(fields.get("temperature", DEFAULT_TEMPERATURE))
    return ChatRequest(
        model=fields["model"],
        messages=tuple(message_of(number, one) for number, one in enumerate(fields["messages"])),
        tools=tools,
        tool_choice=tool_choice,
        max_tokens=fields.get("max_completion_tokens", fields.get("max_tokens")),
        temperature=temperature or ZERO_TEMPERATURE,
        seed=fields.get("seed"),
        is_streamed=fields.get("stream", False),
        with_usage=_with_usage(fields),
        effort=_effort(fields),
        reasoning=_reasoning(fields),
        is_flex=fields.get("service_tier") == "flex",
    )


def _check(fields: Mapping[str, object]) -> None:
    for name, value in fields.items():
        if name in UNSUPPORTED:
            raise GroqError(400, f"'{name}' : property '{name}' is not supported")
        if name in NOT_EMULATED:
            raise not_emulated(name)
        if name not in FIELDS:
            raise GroqError(400, f"property '{name}' is unsupported")
        fits, wanted = FIELDS[name]
        if not fits(value):
            raise GroqError(400, f"'{name}' : value must be {wanted}")
    for name in ("model", "messages"):
        if name not in fields:
            raise GroqError(400, f"'{name}' : property '{name}' is missing")


def _with_usage(fields: Mapping[str, object]) -> bool:
    options = fields.get("stream_options")
    if not isinstance(options, dict):
        return False
    if not fields.get("stream"):
        raise GroqError(400, "'stream_options' : only allowed with stream")
    if not set(options) <= {"include_usage"} or not isinstance(options.get("include_usage", False), bool):
        raise GroqError(400, "'stream_options' : value must be an object with the boolean include_usage")
    return bool(options.get("include_usage"))


def _effort(fields: Mapping[str, object]) -> Effort | None:
    effort = fields.get("reasoning_effort")
    allowed = ("low", "medium", "high")
    if effort is not None and str(fields["model"]).startswith("openai/gpt-oss") and effort not in allowed:
        raise GroqError(400, f"'reasoning_effort' : value must be one of [{' '.join(allowed)}]")
    known: Mapping[object, Effort] = {"none": "none", "low": "low", "medium": "medium", "high": "high"}
    return known.get(effort)


def _reasoning(fields: Mapping[str, object]) -> Reasoning:
    given = fields.get("reasoning_format")
    if given is not None and "include_reasoning" in fields:
        raise GroqError(400, "cannot specify both reasoning_format and include_reasoning")
    if fields.get("include_reasoning") is False or given == "hidden":
        return "hidden"
    return "raw" if given == "raw" else "parsed"


def _tools(fields: Mapping[str, object]) -> tuple[tuple[Tool, ...], ToolChoice]:
    """The tools that may be called. To name one is to require it and to leave no other."""
    given = fields.get("tools", [])
    assert isinstance(given, list)
    tools = tuple(_tool(number, one) for number, one in enumerate(given))
    choice = fields.get("tool_choice", "auto" if tools else "none")
    known: Mapping[str, ToolChoice] = {"auto": "auto", "none": "none", "required": "required"}
    if isinstance(choice, str):
        if choice not in known or (choice == "required" and not tools):
            raise GroqError(400, "'tool_choice' : value must be one of [none auto required] and fit the tools")
        return tools, known[choice]
    function = choice.get("function") if isinstance(choice, dict) else None
    named = tuple(tool for tool in tools if isinstance(function, dict) and tool.name == function.get("name"))
    if not named:
        raise GroqError(400, "'tool_choice' : the function is not among the tools")
    return named, "required"


def _tool(number: int, given: object) -> Tool:
    function = given.get("function") if isinstance(given, dict) and given.get("type") == "function" else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
        raise GroqError(400, f"'tools.{number}' : value must be a function with a name")
    description, parameters = function.get("description") or "", function.get("parameters") or {}
    if not isinstance(description, str) or not isinstance(parameters, dict):
        raise GroqError(400, f"'tools.{number}' : description must be a string and parameters an object")
    return Tool(function["name"], description, json.dumps(parameters))
