"""A client on its way to a conversation, and the token that it may have come with: used up, or given back."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from speakback.gateway.resume.keeper import Keeper, ResumeNews
from speakback.gateway.resume.resumption import Kept, LivingHere, Resumption
from speakback.session.snapshot import Snapshot


class Begun(Protocol):
    """A connection that the conversation goes on in."""

    was_reached: bool
    """Whether anything came from the client."""

    def snapshot(self) -> Snapshot:
        """The conversation as it stands."""
        ...


class InHand:
    """What a client came back for, as long as it is neither in the store nor behind another token.

    As a context it gives it back at its end, however that comes, unless the client needs this token no more.
    """

    def __init__(self, resumption: Resumption, key: str, kept: Kept) -> None:
        self._resumption = resumption
        self._key = key
        self._kept = kept
        self._begun: Begun | None = None
        self._keeper: Keeper | None = None

    async def __aenter__(self) -> "InHand":
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self._is_used_up():
            await self._resumption.give_back(self._key, self._kept if self._begun is None else self._begun.snapshot())

    def goes_on(self, begun: Begun, keeper: Keeper) -> None:
        """From now on it changes there, and that keeper has another token for it."""
        self._begun, self._keeper = begun, keeper

    def _is_used_up(self) -> bool:
        """Whether the client has another token, for all one can know, or has no use for any."""
        if self._begun is None or self._keeper is None:
            return False
        return self._keeper.is_given_up or (self._keeper.was_token_told and self._begun.was_reached)


@dataclass(frozen=True, slots=True)
class TakenUp:
    """A conversation that a client has come back for."""

    snapshot: Snapshot
    in_hand: InHand


@dataclass(frozen=True, slots=True)
class Coming:
    """How a client comes to this server."""

    resumption: Resumption
    owner: str
    taken_up: TakenUp | None = None
    """None: to a new conversation."""

    @property
    def before(self) -> Snapshot | None:
        """Where an earlier connection left the conversation; None: it is new."""
        return None if self.taken_up is None else self.taken_up.snapshot

    def keeper(
        self, connection: Begun, *, take: Callable[[], Snapshot], tell: Callable[[ResumeNews], Awaitable[None]]
    ) -> Keeper:
        """Who keeps the conversation of a connection that begins."""
        keeper = self.resumption.keeper(self.owner, take=take, tell=tell)
        if self.taken_up is not None:
            self.taken_up.in_hand.goes_on(connection, keeper)
        return keeper

    def living(self, key: str, connection: LivingHere) -> AbstractContextManager[None]:
        """See `Resumption.living`."""
        return self.resumption.living(key, connection)
