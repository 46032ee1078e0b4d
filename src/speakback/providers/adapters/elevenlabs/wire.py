"""The messages of ElevenLabs' sockets: three dialects written strictly, all answers read tolerantly. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

Settings = Mapping[str, float | bool]


class Dialect(Protocol):
    """What is said to one kind of socket. `context_id` names an utterance."""

    @property
    def reusable(self) -> bool:
        """Whether a socket serves one utterance after the other."""
        ...

    @property
    def names_contexts(self) -> bool:
        """Whether answers say which utterance they belong to."""
        ...

    @property
    def in_use_comfortably(self) -> int:
        """Contexts in use at which the next utterance goes to another socket."""
        ...

    def greeting(self) -> tuple[str, ...]:
        """Said once, as soon as the socket is open."""
        ...

    def initialise(self, context_id: str) -> tuple[str, ...]: ...

    def text(self, context_id: str, text: str) -> str:
        """Words, with a flush: to be spoken now."""
        ...

    def keep_context(self, context_id: str) -> str: ...

    def keep_socket(self) -> str: ...

    def close(self, context_id: str) -> str: ...

    def goodbye(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Multi:
    """`multi-stream-input`: up to five contexts. Unflushed text of a closed one is lost.

    Five are allowed, but the keep-alive without a context may hold one (unverified), so four are comfortable.
    """

    settings: Settings
    reusable: bool = True
    names_contexts: bool = True
    in_use_comfortably: int = 4

    def greeting(self) -> tuple[str, ...]:
        return ()

    def initialise(self, context_id: str) -> tuple[str, ...]:
        return (_json(text=" ", context_id=context_id, voice_settings=dict(self.settings)),)

    def text(self, context_id: str, text: str) -> str:
        return _json(text=text, context_id=context_id, flush=True)

    def keep_context(self, context_id: str) -> str:
        return _json(text="", context_id=context_id)

    def keep_socket(self) -> str:
        return _json(text="")

    def close(self, context_id: str) -> str:
        return _json(context_id=context_id, close_context=True)

    def goodbye(self) -> str:
        return _json(close_socket=True)


@dataclass(frozen=True, slots=True)
class Single:
    """`stream-input`: a socket is one utterance. An empty text closes it, so only a space keeps it alive."""

    settings: Settings
    reusable: bool = False
    names_contexts: bool = False
    in_use_comfortably: int = 1

    def greeting(self) -> tuple[str, ...]:
        return (_json(text=" ", voice_settings=dict(self.settings)),)

    def initialise(self, context_id: str) -> tuple[str, ...]:
        return ()

    def text(self, context_id: str, text: str) -> str:
        return _json(text=text, flush=True)

    def keep_context(self, context_id: str) -> str:
        return self.keep_socket()

    def keep_socket(self) -> str:
        return _json(text=" ")

    def close(self, context_id: str) -> str:
        return _json(text="")

    def goodbye(self) -> str:
        return _json(text="")


KEEPER = "keeper"
"""The context that only keeps a dialogue socket alive: it accepts no keep-alive without one."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """`text-to-dialogue/multi-stream-input`: closing a context flushes it, and nothing takes that back.

    One of its five contexts is the keeper, so three are comfortable.
    """

    voice_id: str
    settings: Settings
    reusable: bool = True
    names_contexts: bool = True
    in_use_comfortably: int = 3

    def greeting(self) -> tuple[str, ...]:
        return self.initialise(KEEPER)

    def initialise(self, context_id: str) -> tuple[str, ...]:
        settings = {"voice_settings": dict(self.settings)} if self.settings else {}
        return (_json(context_id=context_id, voices=[self.voice_id], **settings),)

    def text(self, context_id: str, text: str) -> str:
        return _json(context_id=context_id, inputs=[{"text": text, "voice_id": self.voice_id}], flush=True)

    def keep_context(self, context_id: str) -> str:
        return _json(context_id=context_id, keep_alive=True)

    def keep_socket(self) -> str:
        return self.keep_context(KEEPER)

    def close(self, context_id: str) -> str:
        return _json(context_id=context_id, close_context=True)

    def goodbye(self) -> str:
        return _json(close_socket=True)


@dataclass(frozen=True, slots=True)
class ErrorFrame:
    """An error of the service: always the end of the socket. `code` is its identifier, "" where it gives none."""

    code: str
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A message of the service. `audio` is base64, `alignment` whatever came under that name."""

    context_id: str | None
    audio: str | None
    alignment: object
    is_final: bool
    error: ErrorFrame | None


class NotUnderstood(ValueError):
    """The service sent something that is no JSON object."""


def read_answer(message: str) -> Answer:
    """Read a message, whatever the case of its keys. Raises `NotUnderstood`."""
    try:
        value = json.loads(message)
    except (ValueError, RecursionError):
        raise NotUnderstood("what the service sent is not JSON") from None
    if not isinstance(value, dict):
        raise NotUnderstood("what the service sent is no JSON object")
    context_id = value.get("contextId", value.get("context_id"))
    audio = value.get("audio")
    return Answer(
        context_id=context_id if isinstance(context_id, str) else None,
        audio=audio if isinstance(audio, str) and audio else None,
        alignment=value.get("alignment"),
        is_final=value.get("isFinal", value.get("is_final")) is True,
        error=_error(value),
    )


def _error(value: dict[str, object]) -> ErrorFrame | None:
    error, code = value.get("error"), value.get("code")
    if not isinstance(error, str) and not (isinstance(code, int) and "message" in value):
        return None
    request_id = value.get("request_id")
    return ErrorFrame(error if isinstance(error, str) else "", request_id if isinstance(request_id, str) else None)


def _json(**fields: object) -> str:
    return json.dumps(fields)
