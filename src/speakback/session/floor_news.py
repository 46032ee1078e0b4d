"""Tells a client who is doing what, whenever that has changed."""

from collections.abc import Callable
from typing import NamedTuple

from speakback.session.notices import FloorChanged
from speakback.session.replies import Replies
from speakback.turn.core import TurnCore
from speakback.turn.tables import Agent, User, floor


class _Told(NamedTuple):
    user: User
    agent: Agent
    is_ducked: bool


class FloorNews:
    """One session's. `tell` ends each step of it: what changes in between is over before anybody could see it."""

    def __init__(
        self,
        core: TurnCore,
        replies: Replies,
        *,
        heard_ms: Callable[[], int],
        notify: Callable[[FloorChanged], None],
    ) -> None:
        self._core = core
        self._replies = replies
        self._heard_ms = heard_ms
        self._notify = notify
        self._told: _Told | None = None
        """None: the client does not follow it."""

    def tell(self, *, is_followed: bool) -> None:
        """Tell what has changed; a client that begins to follow it is told how things stand."""
        if not is_followed:
            self._told = None
            return
        now = _Told(self._core.user, self._core.agent, self._replies.is_ducked)
        if now != self._told:
            self._told = now
            holder = floor(now.user, now.agent)
            self._notify(FloorChanged(now.user, now.agent, holder, now.is_ducked, self._heard_ms()))
