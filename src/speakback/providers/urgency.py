"""What heavy work is for, and so which goes first where many sessions share one model.

A session says it where it asks for the work (`with urgent(Urgency.DRAFT):`); it holds for all that is asked within,
and for tasks begun within. `Workers` reads it when a call is submitted, and again whenever a thread becomes free:
a waiting call may turn out to be for something else (docs/decisions/012-urgency.md).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from time import monotonic


class Urgency(IntEnum):
    """Least first."""

    COMMITTED = 0
    """The final transcription of a committed turn: the user has stopped and waits."""
    FIRST_CLAUSE = 1
    """A reply's first token and clause, and what its listener would else hear a gap for."""
    PAUSE = 2
    """What decides a pause or a barge-in: the words so far, the end-of-turn score."""
    LATER_CLAUSES = 3
    """A reply's tail, while enough of it is still to be heard. Also what nobody gave an urgency."""
    DRAFT = 4
    PARTIAL = 5
    """The words of a user who goes on speaking."""
    WARMING = 6

    @property
    def label(self) -> str:
        """Its name in metrics."""
        return self.name.lower()

    @property
    def may_be_in_vain(self) -> bool:
        """Whether it is done ahead of need: of several threads such work never takes the last one that is free of it.
        A pool's only thread does it too, when nothing more urgent waits."""
        return self >= Urgency.DRAFT


class Purpose:
    """What some work is for. It may change while the work waits: a draft is promoted, a partial pass is the last."""

    def __init__(self, urgency: Urgency, within_ms: float | None = None) -> None:
        self._urgency = urgency
        self._told: set[Callable[[], None]] = set()
        self.due_s: float | None = None if within_ms is None else monotonic() + within_ms / 1000
        """When the result is of no more use, in the clock of `time.monotonic`; None: it always is."""

    @property
    def urgency(self) -> Urgency:
        """At present."""
        return self._urgency

    def become(self, urgency: Urgency) -> None:
        """It turned out otherwise; called on the event loop."""
        if urgency is not self._urgency:
            self._urgency = urgency
            for tell in self._told:
                tell()

    def hasten(self, urgency: Urgency) -> None:
        """Somebody who is in more of a hurry wants it, too."""
        self.become(min(self._urgency, urgency))

    def on_change(self, tell: Callable[[], None]) -> None:
        """Have `tell` called, on the event loop, after every change; called there, too."""
        self._told.add(tell)


_PURPOSE: ContextVar[Purpose | None] = ContextVar("purpose", default=None)


@contextmanager
def urgent(purpose: Urgency | Purpose) -> Iterator[None]:
    """What is asked for within, also by tasks begun within, is for this."""
    token = _PURPOSE.set(purpose if isinstance(purpose, Purpose) else Purpose(purpose))
    try:
        yield
    finally:
        _PURPOSE.reset(token)


def present_purpose() -> Purpose:
    """What is asked for here is for this."""
    return _PURPOSE.get() or Purpose(Urgency.LATER_CLAUSES)
