"""Which contexts of a socket are open, which are closing, and how many that makes."""

from collections.abc import Hashable
from typing import Generic, TypeVar

MOST_CONTEXTS = 5

IdT = TypeVar("IdT", bound=Hashable)


class TooManyContextsError(Exception):
    """A further context would be the sixth."""


class ContextTable(Generic[IdT]):
    """Contexts by the id that the client gave, each with a number of its own, since an id may be used again.

    A closing context counts until it is finished. An id whose context is closing names no context any more.
    """

    def __init__(self) -> None:
        self._open: dict[IdT, int] = {}
        self._closing: dict[int, IdT] = {}
        self._numbers = 0

    @property
    def in_use(self) -> int:
        return len(self._open) + len(self._closing)

    @property
    def open(self) -> dict[IdT, int]:
        """A copy, by id."""
        return dict(self._open)

    def number_of(self, context_id: IdT) -> int | None:
        """Of the open context of that id; None: there is none."""
        return self._open.get(context_id)

    def is_closing(self, context_id: IdT) -> bool:
        return context_id in self._closing.values()

    def begin(self, context_id: IdT) -> int:
        """Open a context under an id that no open one has; returns its number. Raises `TooManyContextsError`."""
        assert context_id not in self._open, "it is open"
        if self.in_use >= MOST_CONTEXTS:
            raise TooManyContextsError
        self._numbers += 1
        self._open[context_id] = self._numbers
        return self._numbers

    def close(self, context_id: IdT) -> None:
        """It takes no more text, but still counts."""
        self._closing[self._open.pop(context_id)] = context_id

    def finish(self, number: int) -> None:
        """Its final message was sent: it counts no more."""
        del self._closing[number]
