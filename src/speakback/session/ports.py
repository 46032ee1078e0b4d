"""What the two sides of a session, `user_turns.py` and `replies.py`, may ask of its driver."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog

from speakback.providers.decisions import Decision
from speakback.providers.engines import Engines
from speakback.session.notices import Notice
from speakback.session.waiting import Waiting
from speakback.turn.events import Event

_T = TypeVar("_T")


class Spawn(Protocol):
    """Begins a task that belongs to the session and ends with it."""

    def __call__(self, work: Coroutine[Any, Any, _T]) -> "asyncio.Task[_T]": ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The driver's side of the seam; all of it is called on the event loop and returns at once."""

    new_id: Callable[[str], str]
    """A fresh id of a kind, such as `item_…`."""
    notify: Callable[[Notice], None]
    """Tell the client."""
    happened: Callable[[Event], None]
    """Tell the turn core."""
    now_ms: Callable[[], int]
    spawn: Spawn
    engines: Callable[[], Engines]
    """The engines as this session uses them now; a turn or reply keeps those it began with."""
    take_decisions: Callable[[], tuple[Decision, ...]]
    """What the chains of providers decided for this session since this was last asked."""
    log: structlog.stdlib.BoundLogger
    """Bound to the session's ids."""
    waiting: Waiting
    """What waits to be told to the client, which may read too slowly."""
