"""All of a conversation that outlives its connection, as one frozen value and as JSON. Pure.

A snapshot is a moment, not a log: whoever takes it up begins where it was taken, and what was said since is lost. It
holds speech, as text and as sound, so it belongs where only this server's account can read, and in no log.

The JSON says its version. Another version is refused, never guessed at: raise `VERSION` with any change to what is
written, and read the version before for as long as servers of both run side by side.
"""

import json
from dataclasses import dataclass
from typing import cast

from speakback.session.asking import NOTHING_LEFT, Rest
from speakback.session.items import Item
from speakback.session.settings import ReplyOptions
from speakback.turn.left_open import LeftOpen
from speakback.turn.plain_data import PlainDataError, from_plain, to_plain

BYTES_A_SAMPLE = 2
VERSION = 1
_VERSION = "speakback_snapshot"
"""The key of the version, and the mark that this is a snapshot at all."""


class SnapshotRefused(ValueError):
    """No snapshot that this version can read. The message quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class AwaitedSpeech:
    """The sound of a user turn that is over, and whose transcript is not there."""

    item_id: str
    text_before: str
    """What was read of the turn's beginning; `pcm16` goes on from there."""
    pcm16: bytes
    """At 16 kHz."""
    seconds: float
    """Length of the whole turn."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One conversation between two connections."""

    session_id: str
    last_id: int
    """How many ids the session has given out."""
    client_settings: str
    """What the client has set, as JSON of the gateway's own; empty where nothing was told."""
    items: tuple[Item, ...]
    """The history; what the agent was saying is cut to what was heard of it."""
    learned_pauses_ms: tuple[int, ...]
    left_open: LeftOpen
    awaited: tuple[AwaitedSpeech, ...]
    """For each of `left_open.awaited`."""
    rest: Rest
    """Of the reply that was cut short last."""
    asked: ReplyOptions
    """What the client's latest request for a reply said."""
    pcm16: bytes
    """What was heard and belongs to no turn that is over: the open turn, or the moment before one; at 16 kHz."""
    heard_samples: int
    """How much of the user's audio came in since the session began, at 16 kHz; `pcm16` is its end."""

    @property
    def owes_reply(self) -> bool:
        """Whether the agent goes on by itself."""
        return self.left_open.owes_reply

    @property
    def first_sample(self) -> int:
        """The position, in the user's audio, at which `pcm16` begins."""
        return self.heard_samples - len(self.pcm16) // BYTES_A_SAMPLE


def beginning(session_id: str) -> Snapshot:
    """A conversation before its first word."""
    return Snapshot(
        session_id=session_id,
        last_id=0,
        client_settings="",
        items=(),
        learned_pauses_ms=(),
        left_open=LeftOpen(),
        awaited=(),
        rest=NOTHING_LEFT,
        asked=ReplyOptions(),
        pcm16=b"",
        heard_samples=0,
    )


def to_json(snapshot: Snapshot) -> bytes:
    """The snapshot as JSON in ASCII: a client's text may hold what is no UTF-8."""
    plain = {_VERSION: VERSION, "snapshot": to_plain(snapshot)}
    return json.dumps(plain, separators=(",", ":"), allow_nan=False).encode("ascii")


def from_json(data: bytes) -> Snapshot:
    """The snapshot that `to_json` wrote. Raises `SnapshotRefused`."""
    try:
        plain: object = json.loads(data)
    except (ValueError, RecursionError):
        raise SnapshotRefused("this is no JSON") from None
    if not isinstance(plain, dict) or _VERSION not in plain:
        raise SnapshotRefused("this is no snapshot of Speakback")
    if plain[_VERSION] != VERSION:
        known = plain[_VERSION] if isinstance(plain[_VERSION], int) else "unknown"
        raise SnapshotRefused(f"the snapshot is of version {known}, and this server reads version {VERSION}")
    try:
        snapshot = cast(Snapshot, from_plain(plain.get("snapshot"), Snapshot, "the snapshot"))
    except PlainDataError:  # its message quotes what does not fit
        raise SnapshotRefused(f"the snapshot says version {VERSION}, and is not as that version has it") from None
    if len(snapshot.awaited) != len(snapshot.left_open.awaited):
        raise SnapshotRefused("the snapshot has not the sound of each turn that is awaited")
    return snapshot
