"""The books of one socket's contexts: who may be written to, and how many slots are in use. Pure.

    new -> open -> flushed -> closing -> dead

Only open and flushed contexts are written to. A closing one counts until the service says that it is final; a dead
one is in no book, and neither is an id that never was: what arrives under such an id is dropped.
"""

from dataclasses import dataclass
from enum import Enum

from speakback.providers.adapters.elevenlabs.wire import Dialect

MOST_CONTEXTS = 5
"""The service ends the whole socket at one more."""


class ContextState(Enum):
    """Of a context that is in the books."""

    NEW = "new"
    """It has a slot; the service does not know of it."""
    OPEN = "open"
    """Initialised; all that was said in it is audible, or nothing was said."""
    FLUSHED = "flushed"
    """Words were flushed, and no audio came since."""
    CLOSING = "closing"
    """Closed by us; the service may still send late audio, then its end."""


class ContextMisused(RuntimeError):
    """A fault of ours: what was asked would have ended the socket for all its utterances."""


@dataclass(slots=True)
class _Context:
    dialect: Dialect
    """With the voice of this context, where the service has that chosen for each."""
    state: ContextState
    written_at_s: float
    ending: bool = False
    """Nothing more will be said: it is closed as soon as what was flushed is audible."""
    dropped: bool = False
    """Nobody listens any more."""


class Contexts:
    """The contexts of one socket. Each call returns the messages to write, in their order.

    `now_s` is any clock that does not run backwards.
    """

    def __init__(self, dialect: Dialect, limit: int = MOST_CONTEXTS) -> None:
        self._dialect = dialect
        self._limit = limit
        self._contexts: dict[str, _Context] = {}
        self.made = 0
        """How many there were so far; each has an id of its own."""

    @property
    def in_use(self) -> int:
        """Slots in use, those of closing contexts included."""
        return len(self._contexts)

    @property
    def has_room(self) -> bool:
        """Whether one more utterance is welcome."""
        return self.serves_more and self.in_use < min(self._dialect.in_use_comfortably, self._limit)

    @property
    def serves_more(self) -> bool:
        """Whether another utterance may ever begin on this socket."""
        return self._dialect.reusable or self.made == 0

    @property
    def is_spent(self) -> bool:
        """Whether its one utterance is over, where it serves but one."""
        return not self.serves_more and not self._contexts

    def state(self, context_id: str) -> ContextState | None:
        """None: dead, or never was."""
        context = self._contexts.get(context_id)
        return None if context is None else context.state

    def new(self, now_s: float, dialect: Dialect | None = None) -> str:
        """Take a slot; the id was never used on this socket before. Raises `ContextMisused` where there is no room.

        `dialect` is what this context alone is spoken to in; None: as the socket.
        """
        if not self.has_room:
            raise ContextMisused(f"there is no room for another context: {self.in_use} are in use")
        self.made += 1
        context_id = f"t{self.made}"
        self._contexts[context_id] = _Context(dialect or self._dialect, ContextState.NEW, now_s)
        return context_id

    def say(self, context_id: str, text: str, now_s: float) -> tuple[str, ...]:
        """Words to speak now. Raises `ContextMisused` once it is ending, closing or dead."""
        context = self._contexts.get(context_id)
        if context is None or context.ending or context.state is ContextState.CLOSING:
            raise ContextMisused("nothing may be said in a context that ends")
        opening = context.dialect.initialise(context_id) if context.state is ContextState.NEW else ()
        context.state = ContextState.FLUSHED
        context.written_at_s = now_s
        return (*opening, context.dialect.text(context_id, text))

    def audio(self, context_id: str | None, *, of_last_words: bool = True) -> tuple[str, ...]:
        """Audio came. `of_last_words`: it belongs to what was said last, and is not the rest of what came before."""
        context = self._contexts.get(context_id or "")
        if context is None or context.state is not ContextState.FLUSHED or not of_last_words:
            return ()
        context.state = ContextState.OPEN
        return self._close(context_id or "", context) if context.ending else ()

    def finish(self, context_id: str) -> tuple[str, ...]:
        """Nothing more will be said. It is closed now, or when what was flushed becomes audible: closed at once behind
        its flush, an utterance may be swallowed."""
        context = self._contexts.get(context_id)
        if context is None or context.ending:
            return ()
        context.ending = True
        if context.state is ContextState.NEW:
            del self._contexts[context_id]
            return ()
        return self._close(context_id, context) if context.state is ContextState.OPEN else ()

    def close_now(self, context_id: str) -> tuple[str, ...]:
        """Close it, whatever has become of its last words."""
        context = self._contexts.get(context_id)
        if context is None or context.state is ContextState.CLOSING:
            return ()
        if context.state is ContextState.NEW:
            del self._contexts[context_id]
            return ()
        return self._close(context_id, context)

    def drop(self, context_id: str) -> tuple[str, ...]:
        """Nobody listens any more: close it. What still comes of it is for nobody."""
        context = self._contexts.get(context_id)
        if context is not None:
            context.dropped = True
        return self.close_now(context_id)

    def final(self, context_id: str | None) -> None:
        """The service says that this context has ended: its slot is free."""
        self._contexts.pop(context_id or "", None)

    def is_heard(self, context_id: str | None) -> bool:
        """Whether anybody listens to what comes under this id."""
        context = self._contexts.get(context_id or "")
        return context is not None and not context.dropped

    def sole(self) -> str | None:
        """The one context there is, where answers name none."""
        return next(iter(self._contexts)) if len(self._contexts) == 1 else None

    def keep_alive(self, now_s: float, idle_s: float) -> tuple[str, ...]:
        """For each context that the service knows and that was silent for `idle_s`. Never for another: that would
        make a context of it."""
        messages: list[str] = []
        for context_id, context in self._contexts.items():
            is_known = context.state in (ContextState.OPEN, ContextState.FLUSHED)
            if is_known and now_s - context.written_at_s >= idle_s:
                context.written_at_s = now_s
                messages.append(context.dialect.keep_context(context_id))
        return tuple(messages)

    def _close(self, context_id: str, context: _Context) -> tuple[str, ...]:
        context.state = ContextState.CLOSING
        return (context.dialect.close(context_id),)
