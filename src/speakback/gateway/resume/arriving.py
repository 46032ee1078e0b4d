"""Before the upgrade: whether a client comes back for a conversation, and whether it gets it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from speakback.gateway.admission import TurnedAway
from speakback.gateway.resume.coming import Coming, InHand, TakenUp
from speakback.gateway.resume.resumption import Kept, Resumption
from speakback.gateway.resume.store import StoreUnavailable
from speakback.gateway.resume.tokens import record_key
from speakback.session.snapshot import SnapshotRefused

TOKEN_REFUSED = TurnedAway(
    410, "resume_token_invalid", "there is no conversation for this token: it was used, or expired, or never given"
)
NOT_TAKEN_UP = TurnedAway(
    410, "resume_token_invalid", "this server is configured otherwise and cannot go on with the conversation"
)
UNAVAILABLE = TurnedAway(503, "resume_unavailable", "conversations cannot be resumed at the moment; try again soon")
UNREADABLE = TurnedAway(
    503, "resume_unavailable", "a server of another version has to go on with the conversation; try again soon"
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A client that may come in."""

    owner: str
    token: str | None = field(repr=False)
    """None: it comes for a new conversation."""


@asynccontextmanager
async def coming_in(resumption: Resumption | None, visitor: Visitor) -> AsyncIterator[Coming | TurnedAway | None]:
    """How it comes; None where conversations do not outlive their connections.

    By the end of the context the token that it came with is used up, or counts once more.
    """
    if visitor.token is None:
        yield None if resumption is None else Coming(resumption, visitor.owner)
        return
    if resumption is None:
        yield TOKEN_REFUSED
        return
    key = record_key(visitor.token, visitor.owner)
    kept = await _taken(resumption, key)
    if isinstance(kept, TurnedAway):
        yield kept
        return
    async with InHand(resumption, key, kept) as in_hand:
        try:
            snapshot = await resumption.read(kept)
        except SnapshotRefused:
            coming: Coming | TurnedAway = UNREADABLE
        else:
            coming = Coming(resumption, visitor.owner, TakenUp(snapshot, in_hand))
        yield coming


async def _taken(resumption: Resumption, key: str) -> Kept | TurnedAway:
    try:
        kept = await resumption.take(key)
    except StoreUnavailable:
        return UNAVAILABLE
    return TOKEN_REFUSED if kept is None else kept
