"""What may happen to a conversation: past tense, frozen, and complete. Times are in the clock of `now_ms`."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from speakback.timebase import ReplyId, TurnId
from speakback.turn.left_open import LeftOpen
from speakback.turn.words import HeardWords, Repair, Unfinished


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The VAD found voice after silence."""

    onset_ms: int
    """When the first voiced sample came in; earlier than the event by what the VAD needs to be sure."""
    echo: float | None = None
    """How likely this is the agent's own voice come back, in [0, 1]; None where it was not judged."""


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
    unfinished: Unfinished = Unfinished.NO
    """What in the words says that more is to come."""


class NoScore(Enum):
    """Why the sound of a pause was to be scored, and was not."""

    LATE = "late"
    """It was not done when the silence rule was about to decide."""
    BUSY = "busy"
    """So many pauses were waiting that it could not have come in time."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class EndOfTurnUnscored:
    """The sound of a pause was given up: words and silence decide alone. For the record; it changes nothing."""

    turn_id: TurnId
    pause: int
    because: NoScore


@dataclass(frozen=True, slots=True)
class PauseTranscribed:
    """The words up to a pause are there: enough to draft a reply."""

    turn_id: TurnId
    pause: int
    has_words: bool


@dataclass(frozen=True, slots=True)
class OverlapHeard:
    """What the user says over the agent was read so far."""

    turn_id: TurnId
    words: HeardWords


@dataclass(frozen=True, slots=True)
class EchoJudged:
    """How likely what is heard over the agent is its own voice come back was judged anew."""

    turn_id: TurnId
    echo: float
    """In [0, 1]."""


@dataclass(frozen=True, slots=True)
class TurnTranscribed:
    """The final transcript of a committed turn is there."""

    turn_id: TurnId
    has_words: bool
    """False when nothing was said (noise, silence, or an invention of the speech-to-text model)."""
    repair: Repair = Repair.DROP
    """What its words ask for, if the turn interrupted a reply."""


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
    interruptible: bool = True
    """False: the user cannot stop it by speaking."""


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
    called_tool: bool = False
    """Whether the client is to run a tool and ask for the reply to its result."""


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """A model or provider failed while making a reply."""

    reply_id: ReplyId


@dataclass(frozen=True, slots=True)
class DraftSettled:
    """A draft was promoted or thrown away, and this is what it had cost by then."""

    reply_id: ReplyId
    promoted: bool
    tokens: int
    characters: int
    """Given to the voice."""


@dataclass(frozen=True, slots=True)
class ConversationResumed:
    """The conversation goes on behind a break in its connection; its open turn, if there was one, was heard again."""

    left_open: LeftOpen
    """With the ids that its turns have from now on: they count on from the latest turn's."""


Event: TypeAlias = (
    SpeechStarted
    | SpeechStopped
    | SilenceObserved
    | EndOfTurnScored
    | EndOfTurnUnscored
    | PauseTranscribed
    | OverlapHeard
    | EchoJudged
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
    | DraftSettled
    | ConversationResumed
)
