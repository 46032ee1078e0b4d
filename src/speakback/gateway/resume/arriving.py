"""Before the upgrade: whether a client comes back for a conversation, and whether it gets it."""

from dataclasses import dataclass, field

from speakback.gateway.admission import TurnedAway
from speakback.gateway.resume.resumption import Coming, Resumption
from speakback.gateway.resume.store import StoreUnavailable

TOKEN_REFUSED = TurnedAway(
    410, "resume_token_invalid", "there is no conversation for this token: it was used, or expired, or never given"
)
NOT_TAKEN_UP = TurnedAway(
    410, "resume_token_invalid", "this server is configured otherwise and cannot go on with the conversation"
)
UNAVAILABLE = TurnedAway(503, "resume_unavailable", "conversations cannot be resumed at the moment; try again soon")


@dataclass(frozen=True, slots=True)
class Visitor:
    """A client that may come in."""

    owner: str
    token: str | None = field(repr=False)
    """None: it comes for a new conversation."""


async def come_in(resumption: Resumption | None, visitor: Visitor) -> Coming | TurnedAway | None:
    """How it comes; None where conversations do not outlive their connections. A token is used up by this."""
    if visitor.token is None:
        return None if resumption is None else Coming(resumption, visitor.owner)
    if resumption is None:
        return TOKEN_REFUSED
    try:
        taken_up = await resumption.take_up(visitor.token, visitor.owner)
    except StoreUnavailable:
        return UNAVAILABLE
    return TOKEN_REFUSED if taken_up is None else Coming(resumption, visitor.owner, taken_up)
