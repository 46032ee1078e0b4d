"""What one running server knows: what it offers, whom it lets in, which of its parts are ready, who is connected."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from speakback.gateway.admission import ANY_LOAD, LoadLimits
from speakback.gateway.auth import KeyRing
from speakback.gateway.connection import Connection, Limits
from speakback.gateway.conversation import OpenConversation
from speakback.gateway.page_tokens import in_this_process
from speakback.gateway.realtime.session_view import Offer
from speakback.gateway.resume.resumption import Resumption
from speakback.gateway.seats import Seats
from speakback.observe.load import Load
from speakback.observe.metrics import Metrics
from speakback.observe.watch import Watch


@dataclass(frozen=True, slots=True)
class Terms:
    """What does not change while the server runs."""

    offer: Offer
    keys: KeyRing
    limits: Limits
    max_sessions: int
    load_limits: LoadLimits = ANY_LOAD


class Service:
    """One server. It answers `/healthz` from the start, and holds sessions once it has a way to open them."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.resumption: Resumption | None = None
        """None: conversations do not outlive their connections."""
        self.page_tokens = in_this_process()
        """Where several processes share a port, they are told to share these, too."""
        self.metrics = Metrics()
        self.watch = Watch(self.metrics)
        self.seats = Seats(terms.max_sessions, terms.load_limits)
        self.open_conversation: OpenConversation | None = None
        """None until the engines are loaded and warm (`become_ready`)."""
        self.is_leaving = False
        """True once the server shuts down: it admits nobody any more."""
        self._connections: set[Connection] = set()
        self._guests = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self.when_empty: Callable[[], None] = lambda: None
        """Called each time the last who was present has left."""
        self._goodbye: Callable[[Connection], None] | None = None
        """What each connection was told of the server's leaving, for those that come in meanwhile."""

    @property
    def is_ready(self) -> bool:
        return self.open_conversation is not None and not self.is_leaving

    def become_ready(self, open_conversation: OpenConversation) -> None:
        """From now on sessions are admitted."""
        self.open_conversation = open_conversation

    @property
    def present(self) -> int:
        """Clients that were let in and have not left, also those that are still on their way in."""
        return self._guests

    @contextmanager
    def guest(self) -> Iterator[None]:
        """Count a client that was let in; a server that leaves waits for it, from before its upgrade to its end."""
        self._guests += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._guests -= 1
            if not self._guests:
                self._empty.set()
                self.when_empty()

    async def emptied(self) -> None:
        """Wait until nobody is present."""
        await self._empty.wait()

    @contextmanager
    def connected(self, connection: Connection) -> Iterator[None]:
        """Count `connection` among those that end with the server."""
        self._connections.add(connection)
        if self._goodbye is not None:
            self._goodbye(connection)
        try:
            yield
        finally:
            self._connections.discard(connection)

    def load_is(self, load: Load) -> None:
        """The load was measured: seats are given by it."""
        self.seats.measured(load)
        self.metrics.load_is(load)
        self.metrics.would_admit(self.is_ready and self.seats.why_full() is None)

    # ---- leaving: `gateway/drain.py` has the order -----------------------------------------------

    def begin_leaving(self) -> None:
        """Admit nobody any more; who is here stays."""
        self.is_leaving = True

    def take_leave(self, by_s: float, reason: str) -> None:
        """Tell each client that the server goes, and end each connection at rest; `leave` comes `by_s`."""
        self._say_to_all(lambda connection: connection.take_leave(by_s, reason))

    def leave(self, code: int, reason: str) -> None:
        """Admit nobody any more and end every connection."""
        self.is_leaving = True
        self._say_to_all(lambda connection: connection.end(code, reason))

    def abort(self) -> None:
        """Cut every socket."""
        self._say_to_all(lambda connection: connection.abort())

    def _say_to_all(self, goodbye: Callable[[Connection], None]) -> None:
        self._goodbye = goodbye
        for connection in list(self._connections):
            goodbye(connection)
