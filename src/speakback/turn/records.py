"""What the core remembers between events: plain records, changed by the modules of this room only."""

from dataclasses import dataclass
from enum import Enum

from speakback.timebase import ReplyId, TurnId
from speakback.turn.barge_in import Verdict
from speakback.turn.words import HeardWords, Repair, Unfinished


class Deadline(Enum):
    """What the core may be waiting for: data, never a task."""

    __hash__ = object.__hash__  # by identity: there is one of each, and the default hashes the name anew

    END_OF_TURN = "end of turn"
    TURN_LENGTH = "turn length"
    TRANSCRIPT = "transcript"
    REPLY_LIFE = "reply life"
    OVERLAP = "overlap"
    TOOL_RESULT = "tool result"
    IDLE = "idle"


@dataclass(slots=True)
class OpenTurnRecord:
    """The user turn that is open."""

    turn_id: TurnId
    onset_ms: int
    end_ms: int
    pause: int = 0
    probability: float | None = None
    unfinished: Unfinished = Unfinished.NO
    is_read: bool = False
    """Whether the words up to the present pause were read."""
    has_words: bool = False
    """Whether the words up to the present pause were read, and there are some."""
    drafted: int = 0
    """How many drafts it has led to."""
    is_announced: bool = False
    interrupted: ReplyId | None = None
    """The audible reply that it stopped."""
    overlap: "OverlapRecord | None" = None
    """While it is speech over the agent of which nothing final is known."""


@dataclass(slots=True)
class OverlapRecord:
    """Speech over the agent that is being judged."""

    onset_ms: int
    """Of its latest stretch of voice."""
    reply_age_ms: int
    words: HeardWords | None = None
    echo: float | None = None
    verdict: Verdict = Verdict.OPEN
    """The latest that was not `OPEN`, since it began."""
    is_ducked: bool = False
    goes_on: bool = False
    """Whether its turn had begun before the reply could be heard: no listener's word, whatever the verdict."""

    def begin_anew(self, onset_ms: int) -> None:
        """Date it from `onset_ms`, when the reply had been audible for longer by as much."""
        self.reply_age_ms += onset_ms - self.onset_ms
        self.onset_ms = onset_ms


@dataclass(frozen=True, slots=True)
class Draft:
    """The draft under way: to which turn."""

    reply_id: ReplyId
    turn_id: TurnId


@dataclass(frozen=True, slots=True)
class Untranscribed:
    """A committed turn whose transcript is under way."""

    due_ms: int
    """By when it is to be there."""
    interrupted: ReplyId | None
    """The audible reply that the turn stopped."""


@dataclass(slots=True)
class Owed:
    """A user turn that is to be answered aloud, or, where `turn_id` is None, the client's request for a reply."""

    turn_id: TurnId | None
    failed: bool = False
    """Whether it came to nothing once (no transcript, or a reply that failed): only an apology is left."""
    interruptible: bool = True
    repair: Repair = Repair.DROP
    repairs: ReplyId | None = None
    """The interrupted reply whose rest it is to say."""


@dataclass(slots=True)
class BegunReply:
    """The reply that was begun to all that was owed, latest last. While thinking without one, a transcript is due."""

    reply_id: ReplyId
    answers: list[Owed]
    """Empty where the agent speaks up unasked."""
    interruptible: bool = True
    ends_conversation: bool = False
    audible_ms: int | None = None
    """Since when it can be heard; None until then."""
