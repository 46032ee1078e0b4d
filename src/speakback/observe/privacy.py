"""Keeps speech and secrets out of logs, also when someone passes them by mistake.

Three doors are shut: keys that name secrets or speech, values of types that may carry them (bytes, arrays, dataclasses
whose repr shows their text), and messages of exceptions that other people's code wrote.
"""

import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from enum import Enum
from pathlib import PurePath

HIDDEN = "[hidden]"

HIDDEN_KEYS = frozenset(
    {
        "api_key", "api_keys", "arguments", "audio", "authorization", "content", "cookie", "delta", "instructions",
        "password", "pcm", "positional_args", "secret", "text", "token", "transcript",
    }
)  # fmt: skip
"""Names whose values are never logged, alone or as the last words of a longer name (`partial_text`, `X-Api-Key`)."""


def without_speech_or_secrets(
    logger: object, method: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """A structlog processor: `event` with everything hidden that must not be logged. `exc_info` becomes text."""
    exception = _exception_of(event.pop("exc_info", None))
    kept = {key: value for key, value in event.items() if key in ("_record", "_from_structlog")}
    clean: MutableMapping[str, object] = {
        key: HIDDEN if _is_hidden(key) else _clean(value) for key, value in event.items() if key not in kept
    }
    clean.update(kept)
    if exception is not None:
        clean["exception"] = clean_traceback(exception)
    return clean


def clean_traceback(error: BaseException) -> str:
    """Where `error` and its causes were raised, innermost cause first; messages only where they are clean."""
    return "\n".join(
        f"{''.join(traceback.format_tb(link.__traceback__))}{_in_a_line(link)}" for link in reversed([*_chain(error)])
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error`, then what led to it, or all of what a group holds."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        link = waiting.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        if isinstance(link, BaseExceptionGroup):
            waiting.extend(link.exceptions)
        cause = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
        if cause is not None:
            waiting.append(cause)


def _in_a_line(error: BaseException) -> str:
    """Our own errors promise clean messages and the operating system's are; any other may quote what it was given."""
    kind = type(error)
    if kind.__module__.split(".")[0] == "speakback" or isinstance(error, OSError):
        return f"{kind.__name__}: {error}"
    return f"{kind.__name__}: [message hidden]"


def _exception_of(exc_info: object) -> BaseException | None:
    match exc_info:
        case BaseException():
            return exc_info
        case (_, BaseException() as error, _):
            return error
        case (None, None, None):
            return None
        case _:  # any true value stands for the exception being handled, as in the standard library
            return sys.exception() if exc_info else None


def _is_hidden(key: str) -> bool:
    name = key.lower().replace("-", "_")
    return name in HIDDEN_KEYS or any(name.endswith(f"_{hidden}") for hidden in HIDDEN_KEYS)


def _clean(value: object) -> object:
    """`value` if it is of a plain type, cleaned within if it is a container, else only its type's name."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Enum() | PurePath():
            return str(value)
        case BaseException():
            return _in_a_line(value)
        case Mapping():
            return {str(key): HIDDEN if _is_hidden(str(key)) else _clean(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(inner) for inner in value]
        case _:
            return f"<{type(value).__name__}>"
