"""Keeps a long talk inside a model's context window: old turns are dropped, in big steps. Pure.

Each drop costs a full new reading of the prompt, because the cached prefix ends where the drop begins.
So nothing is dropped until the window is full, and then half of it at once. Which turns are gone is a
function of the history alone: a history that only grows is cut at the same place call after call,
until the next big step.
"""

from collections.abc import Iterator
from dataclasses import replace

from speakback.providers.llm import Message, Prompt

BYTES_PER_TOKEN = 3
"""Fewer than the 4 to 5 of English text, so that the estimate errs on the safe side."""

MESSAGE_OVERHEAD_TOKENS = 8
"""Role markers and line ends that a chat template puts around a message."""


def message_tokens(message: Message) -> int:
    """About how many tokens the message takes, rather too many than too few."""
    written = len(message.content.encode())
    called = sum(len(call.name.encode()) + len(call.arguments.encode()) for call in message.tool_calls)
    return (written + called) // BYTES_PER_TOKEN + MESSAGE_OVERHEAD_TOKENS


def fit_prompt(prompt: Prompt, window_tokens: int) -> Prompt:
    """The prompt, without its oldest turns where the whole would not fit into `window_tokens`.

    The system messages at its head, the tools and everything from the last user message on always stay.
    """
    head = next((i for i, message in enumerate(prompt.messages) if message.role != "system"), len(prompt.messages))
    fixed_tokens = sum(message_tokens(message) for message in prompt.messages[:head])
    fixed_tokens += sum(len(tool.parameters_json.encode()) // BYTES_PER_TOKEN + 40 for tool in prompt.tools)
    talk = prompt.messages[head:]
    start = _first_kept(talk, window_tokens - fixed_tokens)
    return prompt if start == 0 else replace(prompt, messages=prompt.messages[:head] + talk[start:])


def _first_kept(talk: tuple[Message, ...], room_tokens: int) -> int:
    """Lives the talk again message by message, dropping to half of the room whenever it was full."""
    start = held = 0
    for end, message in enumerate(talk):
        held += message_tokens(message)
        if held <= room_tokens:
            continue
        for cut in _turn_starts(talk, start, end):
            held -= sum(message_tokens(dropped) for dropped in talk[start:cut])
            start = cut
            if held <= room_tokens // 2:
                break
    return start


def _turn_starts(talk: tuple[Message, ...], start: int, end: int) -> Iterator[int]:
    """Where the talk may be cut: before a user's message, so that a tool's result never loses its call."""
    return (i for i in range(start + 1, end + 1) if talk[i].role == "user")
