"""The server's events that a caller has a use for, read strictly where they are used and leniently elsewhere."""

import json
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pybase64 import b64decode
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from speakback.audio.pcm import Samples, samples_from_pcm16
from speakback.caller.errors import CallError
from speakback.caller.timeline import ServerLatency


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class SessionAnswered(_Event):
    class Session(_Event):
        class Speakback(_Event):
            correlation_id: str | None = None

        speakback: Speakback = Speakback()

    type: Literal["session.created", "session.updated"]
    session: Session = Session()


class SpeechStarted(_Event):
    type: Literal["input_audio_buffer.speech_started"]
    item_id: str
    audio_start_ms: int


class SpeechStopped(_Event):
    type: Literal["input_audio_buffer.speech_stopped"]
    item_id: str
    audio_end_ms: int


class Transcribed(_Event):
    type: Literal["conversation.item.input_audio_transcription.completed"]
    item_id: str
    transcript: str


class TranscriptionFailed(_Event):
    type: Literal["conversation.item.input_audio_transcription.failed"]
    item_id: str


class ItemDeleted(_Event):
    type: Literal["conversation.item.deleted"]
    item_id: str


class ReplyStarted(_Event):
    class Response(_Event):
        id: str

    type: Literal["response.created"]
    response: Response


class AudioDelta(_Event):
    type: Literal["response.output_audio.delta"]
    response_id: str
    item_id: str
    delta: str

    def audio_24k(self) -> Samples:
        """The audio it carries. Raises `CallError`."""
        try:
            return samples_from_pcm16(b64decode(self.delta, validate=True))
        except ValueError as problem:
            raise CallError(f"the server sent audio that is none: {problem}") from None


class TranscriptDelta(_Event):
    type: Literal["response.output_audio_transcript.delta"]
    response_id: str
    item_id: str
    delta: str


class AudioBegun(_Event):
    """Binary messages with the audio of this item follow."""

    type: Literal["speakback.audio_begin"]
    response_id: str
    item_id: str


class ReplyDone(_Event):
    class Response(_Event):
        class Details(_Event):
            reason: str | None = None

        class Item(_Event):
            class Part(_Event):
                transcript: str | None = None

            content: tuple[Part, ...] = ()

        id: str
        status: str
        status_details: Details | None = None
        output: tuple[Item, ...] = ()

    type: Literal["response.done"]
    response: Response

    def text(self) -> str:
        """What was heard of the reply."""
        parts = (part for item in self.response.output for part in item.content)
        return " ".join(part.transcript for part in parts if part.transcript)


class LatencyTold(_Event):
    type: Literal["speakback.latency"]
    latency: ServerLatency


class ResumeToken(_Event):
    """By this the conversation can be taken up on another line, once; it takes the place of the one before."""

    type: Literal["speakback.resume_token"]
    token: str = Field(repr=False)
    expires_in_s: float


class Resumed(_Event):
    """The conversation goes on here."""

    type: Literal["speakback.resumed"]
    items: int
    owes_reply: bool
    """The agent goes on by itself: with the rest of what it was saying, or with an answer."""
    heard_ms: int
    """How much of the user's audio was heard since the conversation began; what came behind it is to be sent again."""


class GoingAway(_Event):
    """The server leaves, and closes the line once nobody would notice; within so long in any case."""

    type: Literal["speakback.goaway"]
    deadline_ms: int
    reason: str


class DraftsTold(_Event):
    """What the drafts of the conversation came to so far."""

    type: Literal["speakback.drafts"]
    started: int
    promoted: int
    wasted_tokens: int
    wasted_characters: int
    useful_tokens: int
    useful_characters: int


class ServerError(_Event):
    class Error(_Event):
        code: str | None = None
        message: str

    type: Literal["error"]
    error: Error


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """An event that a caller only takes note of."""

    type: str


KnownEvent: TypeAlias = (
    SessionAnswered
    | SpeechStarted
    | SpeechStopped
    | Transcribed
    | TranscriptionFailed
    | ItemDeleted
    | ReplyStarted
    | AudioDelta
    | AudioBegun
    | TranscriptDelta
    | ReplyDone
    | LatencyTold
    | DraftsTold
    | ResumeToken
    | Resumed
    | GoingAway
    | ServerError
)
ServerEvent: TypeAlias = KnownEvent | OtherEvent

_ADAPTER: TypeAdapter[KnownEvent] = TypeAdapter(Annotated[KnownEvent, Field(discriminator="type")])
_LATENCY = "speakback.latency"
"""The ledger's keys stand beside the event's own; here they are put into a record of their own."""
_TYPES = frozenset(_ADAPTER.json_schema()["discriminator"]["mapping"])


def read_event(text: str) -> ServerEvent:
    """The event in a text message. Raises `CallError` if it is none, or lacks what its type must have."""
    try:
        message = json.loads(text)
    except ValueError:
        raise CallError("the server sent a message that is not JSON: is this a Realtime server?") from None
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(kind, str):
        raise CallError("the server sent a message without a type: is this a Realtime server?")
    if kind not in _TYPES:
        return OtherEvent(kind)
    if kind == _LATENCY:
        message = {"type": kind, "latency": message}
    try:
        return _ADAPTER.validate_python(message)
    except ValidationError as problem:
        error = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in error["loc"][1:])
        raise CallError(f"the server's event {kind} is not as it should be: {where}: {error['msg']}") from None
