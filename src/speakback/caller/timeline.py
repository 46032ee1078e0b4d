"""What a call was: frozen records on one clock.

The call's clock starts with the first sample of the caller's microphone; all `…_ms` are milliseconds since then.
A sample at position p of the microphone is spoken at p, and handed to the socket when its frame is full.
"""

from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from speakback.audio.artifacts import ArtifactReport

Speaker: TypeAlias = Literal["user", "agent"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of time, end excluded."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class UserSpeech:
    """A stretch of the user's speech without a long pause, and when its ends were handed to the socket."""

    spoken: Interval
    first_handed_ms: float
    last_handed_ms: float


@dataclass(frozen=True, slots=True)
class ServerLatency:
    """The server's own ledger of a turn, as its event `speakback.latency` has it. None: not measured."""

    item_id: str | None
    response_id: str | None
    endpointing_wait_ms: int | None
    transcription_ms: int | None
    first_token_ms: int | None
    first_clause_ms: int | None
    synthesis_ms: int | None
    first_byte_ms: int | None
    playback_ms: int | None
    ttfb_ms: int | None
    own_ms: int | None
    asr_confidence: float | None
    artifacts: ArtifactReport | None


@dataclass(frozen=True, slots=True)
class UserTurn:
    """A turn as the server heard it. `…_audio_ms` count the audio that it received, as its events do."""

    item_id: str
    start_audio_ms: int | None
    end_audio_ms: int | None
    text: str | None
    """None: no transcript came; empty: the server held that nothing was said."""


@dataclass(frozen=True, slots=True)
class AgentReply:
    """A reply as the caller received it."""

    response_id: str
    item_id: str | None
    text: str
    """What was heard of it, by the server's account."""
    status: str | None
    """None: still under way when the call ended."""
    reason: str | None
    first_byte_ms: float | None
    last_byte_ms: float | None
    first_audible_ms: float | None
    """When its first audible sample was played."""
    played_ms: int
    speech: tuple[Interval, ...]
    """Where it was audible."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A reply, the speech that it answers, and the latency between them."""

    reply: AgentReply
    heard: UserTurn | None
    """None: the server did not say which turn it answers."""
    user: UserSpeech | None
    """None: it answers no speech of its own."""
    ttfb_ms: float | None
    """Last voiced sample of the user handed to the socket → first audio byte received."""
    ttfa_ms: float | None
    """The same → first audible sample played."""
    server: ServerLatency | None


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Something that happened on the line."""

    at_ms: float
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without a line to the server, after which the conversation went on."""

    lost_ms: float
    back_ms: float
    close_code: int | None
    """None: the line broke without a close."""
    tries: int
    """To connect again, the last one successful."""
    unheard_ms: float | None
    """For how long nothing was heard of an agent that was to be heard. 0: nothing was due; None: it never went on."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A whole call."""

    duration_ms: int
    user_speech: tuple[UserSpeech, ...]
    user_turns: tuple[UserTurn, ...]
    """As the server heard them; not the same stretches as `user_speech`."""
    turns: tuple[Turn, ...]
    events: tuple[CallEvent, ...]
    errors: tuple[str, ...]
    slipped_ms: int
    """By how much the caller itself fell behind real time: over 0, the machine was too busy to trust the figures."""
    correlation_id: str | None
    """The server's name for the conversation, also on its log lines; None: it gave none."""
    outages: tuple[Outage, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The timeline as JSON values."""
        return asdict(self)
