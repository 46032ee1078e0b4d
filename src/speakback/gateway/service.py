"""What one running server knows: what it offers, whom it lets in, which of its parts are ready, who is connected."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from speakback.gateway.admission import Seats
from speakback.gateway.auth import KeyRing
from speakback.gateway.connection import Connection, Limits
from speakback.gateway.conversation import OpenConversation
from speakback.gateway.realtime.session_view import Offer
from speakback.observe.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Terms:
    """What does not change while the server runs."""

    offer: Offer
    keys: KeyRing
    limits: Limits
    max_sessions: int


class Service:
    """One server. It answers `/healthz` from the start, and holds sessions once it has a way to open them."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.seats = Seats(terms.max_sessions)
        self.metrics = Metrics()
        self.open_conversation: OpenConversation | None = None
        """None until the engines are loaded and warm (`become_ready`)."""
        self.is_leaving = False
        """True once the server shuts down: it admits nobody any more."""
        self._connections: set[Connection] = set()

    @property
    def is_ready(self) -> bool:
        return self.open_conversation is not None and not self.is_leaving

    def become_ready(self, open_conversation: OpenConversation) -> None:
        """From now on sessions are admitted."""
        self.open_conversation = open_conversation

    @contextmanager
    def connected(self, connection: Connection) -> Iterator[None]:
        """Count `connection` among those that end with the server."""
        self._connections.add(connection)
        try:
            yield
        finally:
            self._connections.discard(connection)

    def leave(self, code: int, reason: str) -> None:
        """Admit nobody any more and end every connection."""
        self.is_leaving = True
        for connection in self._connections:
            connection.end(code, reason)
