"""One message of a client → one client event, or a refusal that says what is wrong with it."""

import difflib
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from speakback.gateway.realtime.accepted_keys import NOT_OFFERED, drop_keys_not_applied
from speakback.gateway.realtime.refusal import Refusal
from speakback.gateway.realtime.wire_models import (
    LONGEST_LOOKED_UP,
    ItemId,
    Milliseconds,
    NewItem,
    ResponseParams,
    SessionPatch,
    WireModel,
)

_LONGEST_NAME = 512
"""An `event_id` or a type longer than this is not repeated in an answer."""


class _Event(WireModel):
    event_id: Annotated[str, Field(max_length=_LONGEST_NAME)] | None = None
    """The client's own name for its message; errors about it echo it."""


class SessionUpdate(_Event):
    type: Literal["session.update"]
    session: SessionPatch


class AudioAppend(_Event):
    type: Literal["input_audio_buffer.append"]
    audio: str
    """Base64 of audio in the session's input format."""


class AudioCommit(_Event):
    type: Literal["input_audio_buffer.commit"]


class AudioClear(_Event):
    type: Literal["input_audio_buffer.clear"]


class ItemCreate(_Event):
    type: Literal["conversation.item.create"]
    previous_item_id: ItemId | None = None
    item: NewItem


class ItemRetrieve(_Event):
    type: Literal["conversation.item.retrieve"]
    item_id: ItemId


class ItemDelete(_Event):
    type: Literal["conversation.item.delete"]
    item_id: ItemId


class ItemTruncate(_Event):
    type: Literal["conversation.item.truncate"]
    item_id: ItemId
    content_index: Literal[0]
    audio_end_ms: Milliseconds


class ResponseCreate(_Event):
    type: Literal["response.create"]
    response: ResponseParams | None = None


class ResponseCancel(_Event):
    type: Literal["response.cancel"]
    response_id: ItemId | None = None


class PlaybackAck(_Event):
    """How far the client's loudspeaker is with an item, and how much of it waits in the client."""

    type: Literal["speakback.playback_ack"]
    item_id: ItemId
    content_index: Literal[0] = 0
    played_ms: Milliseconds
    buffered_ms: Milliseconds


class Ping(_Event):
    """Asks for a `speakback.pong` at once."""

    type: Literal["speakback.ping"]
    sent_ms: Annotated[float, Field(ge=-(2**53), le=2**53)]
    """By the client's own clock; given back as it is."""


ClientEvent: TypeAlias = (
    SessionUpdate
    | AudioAppend
    | AudioCommit
    | AudioClear
    | ItemCreate
    | ItemRetrieve
    | ItemDelete
    | ItemTruncate
    | ResponseCreate
    | ResponseCancel
    | PlaybackAck
    | Ping
)

_ADAPTER: TypeAdapter[ClientEvent] = TypeAdapter(Annotated[ClientEvent, Field(discriminator="type")])


def _schema_names() -> tuple[frozenset[str], frozenset[str]]:
    """All event types, and all keys that stand anywhere in them."""
    schema = _ADAPTER.json_schema()
    keys = {key for model in schema["$defs"].values() for key in model.get("properties", {})}
    return frozenset(schema["discriminator"]["mapping"]), frozenset(keys)


EVENT_TYPES, _KNOWN_KEYS = _schema_names()


def read(data: bytes) -> ClientEvent:
    """The event that a text message holds. Raises `Refusal`."""
    event = _read_object(data)
    event_id = _echoed(event.get("event_id"))
    event_type = event.get("type")
    if not isinstance(event_type, str):
        raise Refusal(
            "missing_required_parameter",
            'every event needs a "type", and it is text',
            param="type",
            event_id=event_id,
            unreadable=True,
        )
    if event_type not in EVENT_TYPES:
        raise Refusal("unknown_event", _unknown_event(event_type), param="type", event_id=event_id)
    drop_keys_not_applied(event, event_type)
    try:
        return _ADAPTER.validate_python(event)
    except ValidationError as problem:
        raise _refused(problem.errors(include_url=False, include_input=False)[0], event, event_id) from None


def _read_object(data: bytes) -> dict[str, object]:
    try:
        # Strict JSON: no NaN, no lone surrogates, a bounded depth.
        event = from_json(data, allow_inf_nan=False)
    except ValueError as problem:
        raise Refusal("invalid_json", f"this message is not JSON: {problem}", unreadable=True) from None
    if not isinstance(event, dict):
        raise Refusal("invalid_json", "a message is one JSON object, and this is another value", unreadable=True)
    return event


def _echoed(event_id: object) -> str:
    return event_id if isinstance(event_id, str) and len(event_id) <= _LONGEST_NAME else ""


def _unknown_event(event_type: str) -> str:
    shown = event_type if len(event_type) <= 64 else event_type[:64] + "…"
    if event_type in NOT_OFFERED:
        return f"the event {shown!r} is not offered: {NOT_OFFERED[event_type]}"
    near = difflib.get_close_matches(shown, sorted(EVENT_TYPES), n=1, cutoff=0.0)[0]
    return f"no event is called {shown!r}; did you mean {near!r}?"


_CODES = {"missing": "missing_required_parameter", "extra_forbidden": "unknown_parameter"}


def _refused(error: ErrorDetails, event: dict[str, object], event_id: str) -> Refusal:
    param = _dotted(error, event)
    code = _CODES.get(error["type"], "invalid_type" if error["type"].endswith("_type") else "invalid_value")
    if error["type"] == "missing":
        message = f"{param} is required"
    elif error["type"] == "extra_forbidden":
        key = str(error["loc"][-1])[:LONGEST_LOOKED_UP]
        near = difflib.get_close_matches(key, sorted(_KNOWN_KEYS), n=1, cutoff=0.6)
        hint = f"; did you mean {near[0]!r}?" if near and near[0] != key else " here"
        message = f"{param[:LONGEST_LOOKED_UP]} is not known{hint}"
    else:
        message = f"{param}: {error['msg']}"
    return Refusal(code, message, param=param[:256], event_id=event_id)


def _dotted(error: ErrorDetails, event: dict[str, object]) -> str:
    """The path in the client's own message: pydantic's without the tags of the unions that it passed."""
    node: Any = event
    parts: list[str] = []
    for key in error["loc"]:
        if isinstance(node, dict):
            found = key in node
        else:
            found = isinstance(node, list) and isinstance(key, int) and key < len(node)
        if found:
            node = node[key]
            parts.append(str(key))
    if error["type"] == "missing":
        parts.append(str(error["loc"][-1]))
    elif error["type"].startswith("union_tag"):
        parts.append("type")
    return ".".join(parts)
