"""What a session tells its client, in order: past tense, frozen, in no wire format.

Times in `…_audio_ms` are media time: milliseconds of audio received from the client since the session began.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from speakback.audio.pcm import Samples
from speakback.providers.decisions import Decision
from speakback.providers.llm import Usage
from speakback.session.items import Item, MessageItem, ToolCallItem
from speakback.session.latency import TurnLatency
from speakback.turn.drafts import DraftBook
from speakback.turn.tables import Agent, Floor, User


@dataclass(frozen=True, slots=True)
class UserSpeechStarted:
    """A user turn opened; its item will have this id."""

    item_id: str
    audio_start_ms: int


@dataclass(frozen=True, slots=True)
class UserSpeechStopped:
    """The user turn is over (server turn detection only)."""

    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class OverlapJudged:
    """The user's speech over the agent was taken for something; a later verdict on the same item replaces it."""

    item_id: str
    verdict: str
    """`hold`, `backchannel`, `noise`, `echo` or `interruption`."""
    audio_start_ms: int
    after_ms: int
    """Since the speech's onset."""


@dataclass(frozen=True, slots=True)
class DraftsCounted:
    """What the drafts of the conversation came to so far."""

    book: DraftBook


@dataclass(frozen=True, slots=True)
class ProviderDecided:
    """A chain of providers decided something: one stands in for another, a second request was made, and the like."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class PauseWeighed:
    """What became of the question whether the sound of a pause ends the turn."""

    item_id: str
    """Of the user turn; it may never become an item."""
    number: int
    """Of the turn's pauses, from 1."""
    outcome: str
    """`scored`; `moot` (it was over before the score came); `late`, `busy` or `failed` (silence and words decided); or,
    not asked at all, `policy`, `short` or `words`."""
    score: float | None
    """The model's probability that the turn ends there; None where it gave none."""
    audio_ms: int
    """Where the pause begins: the end of the last voiced sample before it."""


@dataclass(frozen=True, slots=True)
class FloorChanged:
    """What the user or the agent is doing has changed; told only to a client that follows it."""

    user: User
    agent: Agent
    holder: Floor
    is_ducked: bool
    """Whether the agent's voice is lowered; while it is held, whether it was."""
    audio_ms: int
    """When, in media time: all of the user's audio that came in so far."""


@dataclass(frozen=True, slots=True)
class InputBufferCommitted:
    """The user turn became an item; its transcript follows."""

    item_id: str
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class InputBufferCleared:
    """What was heard of the open turn is gone."""


@dataclass(frozen=True, slots=True)
class TranscriptGrew:
    """More words of the user's turn are certain (two passes agreed on them)."""

    item_id: str
    delta: str


@dataclass(frozen=True, slots=True)
class TranscriptCompleted:
    """The final transcript of a user turn; empty when it held no words (the item is then deleted)."""

    item_id: str
    text: str
    audio_seconds: float
    confidence: float | None


@dataclass(frozen=True, slots=True)
class TranscriptFailed:
    """No transcript could be made of a user turn."""

    item_id: str
    message: str


@dataclass(frozen=True, slots=True)
class ItemAdded:
    """An item entered the conversation behind `previous_item_id` (None: at the beginning)."""

    item: Item
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class ItemDeleted:
    """An item left the conversation."""

    item_id: str


@dataclass(frozen=True, slots=True)
class ItemTruncated:
    """A spoken item was cut to what was heard."""

    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class ReplyBegan:
    """A reply began to be made."""

    response_id: str
    speaks: bool
    metadata: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ReplyPlanned:
    """The voice was given the next clause: what the reply is going to say. Told only to a client that follows it."""

    response_id: str
    item_id: str
    """Of the reply's message, which may not have begun yet."""
    text: str


@dataclass(frozen=True, slots=True)
class ReplyMessageBegan:
    """The reply's message opened: text or audio of it follows."""

    response_id: str
    item_id: str
    output_index: int
    speaks: bool
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class ReplyTextGrew:
    """More of the reply's words: its text, or (where it speaks) the transcript of the audio sent so far."""

    response_id: str
    item_id: str
    output_index: int
    delta: str
    speaks: bool


@dataclass(frozen=True, slots=True)
class ReplyAudioSent:
    """The next stretch of the reply's audio, paced in real time: send it at once."""

    response_id: str
    item_id: str
    output_index: int
    audio_24k: Samples


@dataclass(frozen=True, slots=True)
class ReplyMessageEnded:
    """The reply's message is complete or was cut; `item.text` is what was heard (or the whole text)."""

    response_id: str
    output_index: int
    item: MessageItem


@dataclass(frozen=True, slots=True)
class ReplyToolCalled:
    """The reply asks the client to run a function. Comes after the reply's message, if it has one."""

    response_id: str
    output_index: int
    item: ToolCallItem
    previous_item_id: str | None


ReplyStatus: TypeAlias = Literal["completed", "cancelled", "failed", "incomplete"]
StatusReason: TypeAlias = Literal["turn_detected", "client_cancelled", "max_output_tokens", "provider_failed"]


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """The reply is over; no more of it follows."""

    response_id: str
    status: ReplyStatus
    reason: StatusReason | None
    items: tuple[MessageItem | ToolCallItem, ...]
    usage: Usage | None
    speaks: bool
    metadata: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LatencyMeasured:
    """The latency ledger of a turn is closed."""

    latency: TurnLatency


@dataclass(frozen=True, slots=True)
class Fault:
    """Something was wrong: with what the client sent (`request_id` names it) or with the server."""

    code: str
    message: str
    by_client: bool
    request_id: str = ""
    param: str | None = None


Notice: TypeAlias = (
    UserSpeechStarted
    | UserSpeechStopped
    | OverlapJudged
    | DraftsCounted
    | ProviderDecided
    | PauseWeighed
    | FloorChanged
    | InputBufferCommitted
    | InputBufferCleared
    | TranscriptGrew
    | TranscriptCompleted
    | TranscriptFailed
    | ItemAdded
    | ItemDeleted
    | ItemTruncated
    | ReplyBegan
    | ReplyPlanned
    | ReplyMessageBegan
    | ReplyTextGrew
    | ReplyAudioSent
    | ReplyMessageEnded
    | ReplyToolCalled
    | ReplyEnded
    | LatencyMeasured
    | Fault
)
