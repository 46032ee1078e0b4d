"""What one caller noted: what it said, what it was sent, how its line ended. Times are of the run's clock, in ms."""

from dataclasses import dataclass, field

from speakback.caller.timeline import ServerLatency
from speakback.load.plan import Kind


@dataclass(slots=True)
class Spoken:
    """One line of the caller."""

    kind: Kind
    first_ms: float
    """When the frame with its first voiced sample was handed to the socket."""
    last_ms: float | None = None
    """The same for its last; None while it lasts."""


@dataclass(slots=True)
class HeardReply:
    """One reply as it came in."""

    response_id: str
    item_id: str
    first_byte_ms: float
    last_byte_ms: float
    done_ms: float | None = None
    """When the server called it done."""
    status: str | None = None
    gaps_ms: list[float] = field(default_factory=list)
    """For how long, each time, a client that plays at once had nothing to play, though the caller was silent."""
    latency: ServerLatency | None = None

    def goes_on_at(self, at_ms: float) -> bool:
        """Whether it had begun by then and was not done."""
        return self.first_byte_ms <= at_ms and (self.done_ms is None or self.done_ms > at_ms)


@dataclass(frozen=True, slots=True)
class Ended:
    """The line went down before the caller hung up."""

    at_ms: float
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Turned:
    """The caller was turned away for want of room."""

    took_ms: float
    retry_after_s: float | None
    """None: it was not told when to come back."""


@dataclass(slots=True)
class CallerRecord:
    """All that one caller noted. None of the moments is there before it was reached."""

    turned_away: list[Turned] = field(default_factory=list)
    joined_ms: float | None = None
    failure: str | None = None
    """Why it never joined, if not for want of room."""
    ended: Ended | None = None
    spoken: list[Spoken] = field(default_factory=list)
    replies: list[HeardReply] = field(default_factory=list)
    """In the order of their first bytes."""
    voice_ended_ms: dict[str, float] = field(default_factory=dict)
    """By the server's item: when, by its own account of the audio, the user's last voiced sample came in."""
    errors: list[str] = field(default_factory=list)
    gaps_in_sequence: int = 0
    congested_frames: int = 0
    """Frames that were sent while the server took less than it was sent."""
