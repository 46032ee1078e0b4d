"""What happened in one conversation that intervals cannot show."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from speakback.evaluate.timeline import Timeline
from speakback.lab.voice import Stretch
from speakback.timebase import ReplyId
from speakback.turn.actions import FaultCode


@dataclass(slots=True)
class ReplyRecord:
    """One reply."""

    reply_id: ReplyId
    audible_ms: int | None = None
    """None: it was not heard."""
    stopped_ms: int | None = None
    """When it was cut short; None: it was not."""
    finished: bool = False
    holds: list[tuple[int, int | None]] = field(default_factory=list)
    """When it was held and resumed; None: it never was resumed."""


@dataclass(slots=True)
class DraftRecord:
    """One draft; times are when its stages are done."""

    reply_id: ReplyId
    first_token_ms: int
    clause_ms: int
    ready_ms: int
    promoted: bool | None = None
    """None: still under way."""
    tokens: int = 0
    characters: int = 0


@dataclass(frozen=True, slots=True)
class Encounter:
    """The user began to sound while a reply was being said."""

    user: Stretch
    agent: Stretch | None
    """What of the agent sounded; None in a pause of its own."""
    reply: ReplyRecord


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One conversation, over."""

    persona: str
    timeline: Timeline
    agent_stretches: tuple[Stretch, ...]
    interruptions: tuple[Encounter, ...]
    """The user meant to take the floor: over 200 ms after the agent's onset, with over 500 ms of the reply to come."""
    backchannels: tuple[Encounter, ...]
    speech: tuple[Stretch, ...]
    """All that the user said but for backchannels."""
    replies: tuple[ReplyRecord, ...]
    drafts: tuple[DraftRecord, ...]
    turns_said: int
    turns_unanswered: int
    committed: int
    """User turns that the core held to be over."""
    dropped: int
    """Of these and of those still open, turns that it forgot."""
    faults: Mapping[FaultCode, int]
