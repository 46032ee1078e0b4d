"""What the core wants done: imperative, frozen. The core never performs an action; the session driver does."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from speakback.timebase import ReplyId, TurnId


class CommitReason(Enum):
    """Why a user turn ended."""

    ENDPOINT = "endpoint"
    CLIENT = "client"
    TOO_LONG = "too long"


class StopReason(Enum):
    """Why a reply was cut short."""

    USER_SPOKE = "user spoke"
    CLIENT_CANCELLED = "client cancelled"
    FAILED = "failed"


class FaultCode(Enum):
    """What was wrong with an event; the state of the conversation is as before it."""

    OUT_OF_ORDER = "out_of_order"
    UNKNOWN_ID = "unknown_id"
    CLOCK_WENT_BACK = "clock_went_back"
    POLICY_FAILED = "policy_failed"
    REPLY_ACTIVE = "conversation_already_has_active_response"
    NO_REPLY_ACTIVE = "response_cancel_not_active"
    NO_SPEECH = "input_audio_buffer_commit_empty"
    TURN_TOO_LONG = "turn_too_long"
    REPLY_STALLED = "reply_stalled"
    TRANSCRIPT_OVERDUE = "transcript_overdue"


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """The user began to speak: keep the audio from `onset_ms` on and say so to the client."""

    turn_id: TurnId
    onset_ms: int


@dataclass(frozen=True, slots=True)
class ExaminePause:
    """The user fell silent: transcribe the turn so far and score whether it is over."""

    turn_id: TurnId
    pause: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class ContinueTurn:
    """The user went on: what was found out about the pause is void."""

    turn_id: TurnId


@dataclass(frozen=True, slots=True)
class CommitTurn:
    """The turn is over: say so to the client and bring its final transcript (`TurnTranscribed`)."""

    turn_id: TurnId
    end_ms: int
    """When its last voiced sample came in; the present where it was still going on."""
    reason: CommitReason


@dataclass(frozen=True, slots=True)
class DropTurn:
    """Forget the turn: the client cleared it, or it held no words."""

    turn_id: TurnId


@dataclass(frozen=True, slots=True)
class StartReply:
    """Make and speak a reply to the conversation as it stands."""

    reply_id: ReplyId
    turn_id: TurnId | None
    """The user turn it answers; None when the client asked for it."""


@dataclass(frozen=True, slots=True)
class Apologise:
    """Speak a fixed apology, as a reply of its own, because a reply or a transcription failed."""

    reply_id: ReplyId
    turn_id: TurnId | None
    """The user turn that goes unanswered by it; None when the client had asked for the reply."""


@dataclass(frozen=True, slots=True)
class StopReply:
    """Fade the reply out, cancel the rest of it, and cut the history to what was heard."""

    reply_id: ReplyId
    reason: StopReason
    fade_ms: int


@dataclass(frozen=True, slots=True)
class ReportFault:
    """Tell the client or the log what was wrong with an event."""

    code: FaultCode
    message: str
    request_id: str = ""


Action: TypeAlias = (
    OpenTurn | ExaminePause | ContinueTurn | CommitTurn | DropTurn | StartReply | Apologise | StopReply | ReportFault
)
