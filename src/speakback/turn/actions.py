"""What the core wants done: imperative, frozen. The core never performs an action; the session driver does."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from speakback.timebase import ReplyId, TurnId
from speakback.turn.barge_in import Verdict
from speakback.turn.words import Repair


class CommitReason(Enum):
    """Why a user turn ended."""

    ENDPOINT = "endpoint"
    CLIENT = "client"
    TOO_LONG = "too long"


class DropReason(Enum):
    """Why a user turn was forgotten."""

    CLEARED = "cleared"
    NO_WORDS = "no words"
    BACKCHANNEL = "backchannel"
    NOISE = "noise"
    ECHO = "echo"


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
    TOOL_OVERDUE = "tool_result_overdue"


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """The user began to speak: keep the audio from `onset_ms` on and read it. Nothing is told to the client yet."""

    turn_id: TurnId
    onset_ms: int


@dataclass(frozen=True, slots=True)
class AnnounceTurn:
    """Tell the client that the user speaks, dated back: standard clients stop the agent's voice at this."""

    turn_id: TurnId


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
    """Forget the turn."""

    turn_id: TurnId
    reason: DropReason


@dataclass(frozen=True, slots=True)
class StartReply:
    """Make and speak a reply to the conversation as it stands.

    A draft of the same `reply_id` is promoted, if it was written to the same words.
    """

    reply_id: ReplyId
    turn_id: TurnId | None
    """The user turn it answers; None when the client asked for it."""
    repair: Repair = Repair.DROP
    repairs: ReplyId | None = None
    """The interrupted reply whose rest is resumed or rephrased; None where it is dropped or there is none."""


@dataclass(frozen=True, slots=True)
class StartDraft:
    """Prepare a reply to the open turn as far as it was heard, privately: nothing of it is told or played."""

    reply_id: ReplyId
    turn_id: TurnId
    pause: int


@dataclass(frozen=True, slots=True)
class DiscardDraft:
    """The draft is void: stop working on it and say what it cost (`DraftSettled`)."""

    reply_id: ReplyId


@dataclass(frozen=True, slots=True)
class Reprompt:
    """Speak up, because the user has been silent for long after the agent's last words."""

    reply_id: ReplyId


@dataclass(frozen=True, slots=True)
class SayGoodbye:
    """Take leave, because the user did not answer; `EndConversation` follows its end."""

    reply_id: ReplyId


@dataclass(frozen=True, slots=True)
class EndConversation:
    """The goodbye was said: close the session."""


@dataclass(frozen=True, slots=True)
class DuckReply:
    """Lower the agent's voice while it is found out what the user's means."""

    reply_id: ReplyId


@dataclass(frozen=True, slots=True)
class RestoreReply:
    """Raise the agent's voice to its full level again."""

    reply_id: ReplyId


@dataclass(frozen=True, slots=True)
class HoldReply:
    """Fall silent, at a word's end if one is near, and keep the rest."""

    reply_id: ReplyId


@dataclass(frozen=True, slots=True)
class ResumeReply:
    """Go on from the last word that was begun, at full level."""

    reply_id: ReplyId


@dataclass(frozen=True, slots=True)
class ReportVerdict:
    """What the user's speech over the agent was taken for; a later verdict on the same turn replaces it."""

    turn_id: TurnId
    verdict: Verdict
    after_ms: int
    """Since its onset."""


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
    OpenTurn
    | AnnounceTurn
    | ExaminePause
    | ContinueTurn
    | CommitTurn
    | DropTurn
    | StartReply
    | StartDraft
    | DiscardDraft
    | Reprompt
    | SayGoodbye
    | EndConversation
    | DuckReply
    | RestoreReply
    | HoldReply
    | ResumeReply
    | ReportVerdict
    | Apologise
    | StopReply
    | ReportFault
)
