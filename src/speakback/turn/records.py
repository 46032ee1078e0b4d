"""What the core remembers between events: plain records, changed by `core.py` only."""

from dataclasses import dataclass
from enum import Enum

from speakback.timebase import ReplyId, TurnId


class Deadline(Enum):
    """What the core may be waiting for: data, never a task."""

    END_OF_TURN = "end of turn"
    TURN_LENGTH = "turn length"
    TRANSCRIPT = "transcript"
    REPLY_LIFE = "reply life"


@dataclass(slots=True)
class OpenTurnRecord:
    """The user turn that is open."""

    turn_id: TurnId
    onset_ms: int
    end_ms: int
    pause: int = 0
    probability: float | None = None


@dataclass(slots=True)
class Owed:
    """A user turn that is to be answered aloud, or, where `turn_id` is None, the client's request for a reply."""

    turn_id: TurnId | None
    failed: bool = False
    """Whether it came to nothing once (no transcript, or a reply that failed): only an apology is left."""


@dataclass(frozen=True, slots=True)
class BegunReply:
    """The reply that was begun to all that was owed, latest last. While thinking without one, a transcript is due."""

    reply_id: ReplyId
    answers: list[Owed]
