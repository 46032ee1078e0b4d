"""What may happen to a conversation: past tense, frozen, and complete. Times are in the clock of `now_ms`."""

from dataclasses import dataclass
from typing import TypeAlias

from speakback.timebase import ReplyId, TurnId


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The VAD found voice after silence."""

    onset_ms: int
    """When the first voiced sample came in; earlier than the event by what the VAD needs to be sure."""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The VAD found silence after voice."""

    end_ms: int
    """When the last voiced sample came in."""


@dataclass(frozen=True, slots=True)
class SilenceObserved:
    """The user's silence goes on, counted on the sample clock.

    Needed only when audio arrives faster than real time, where the clock of `now_ms` sees too little silence.
    """

    silence_ms: int


@dataclass(frozen=True, slots=True)
class EndOfTurnScored:
    """The evidence on whether the turn is over was weighed; a better score of the same pause replaces it."""

    turn_id: TurnId
    pause: int
    """Which pause of the turn was scored, counted from 1; a score of an earlier pause is stale."""
    probability: float


@dataclass(frozen=True, slots=True)
class TurnTranscribed:
    """The final transcript of a committed turn is there."""

    turn_id: TurnId
    has_words: bool
    """False when nothing was said (noise, silence, or an invention of the speech-to-text model)."""


@dataclass(frozen=True, slots=True)
class TranscriptionFailed:
    """The speech-to-text provider failed on a committed turn."""

    turn_id: TurnId


@dataclass(frozen=True, slots=True)
class InputCommitted:
    """The client said that the user's turn is over."""

    has_audio: bool
    """Whether any audio came in since the last turn; matters only where the VAD opened no turn."""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class InputCleared:
    """The client threw away what was heard of the user's turn."""


@dataclass(frozen=True, slots=True)
class ReplyRequested:
    """The client asked for a reply to the conversation as it stands."""

    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ReplyCancelled:
    """The client asked the agent to stop."""

    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ReplyAudible:
    """The first audio of a reply went out."""

    reply_id: ReplyId


@dataclass(frozen=True, slots=True)
class ReplyProgressed:
    """A reply is alive: more of its text or audio came out. Puts off the stall deadline."""

    reply_id: ReplyId


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """A reply was played to its end, or ended with text or a tool call where no audio was due."""

    reply_id: ReplyId


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """A model or provider failed while making a reply."""

    reply_id: ReplyId


Event: TypeAlias = (
    SpeechStarted
    | SpeechStopped
    | SilenceObserved
    | EndOfTurnScored
    | TurnTranscribed
    | TranscriptionFailed
    | InputCommitted
    | InputCleared
    | ReplyRequested
    | ReplyCancelled
    | ReplyAudible
    | ReplyProgressed
    | ReplyFinished
    | ReplyFailed
)
