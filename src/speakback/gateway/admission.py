"""Who is let in before the upgrade: by origin, by key, by room. Pure but for the count of seats."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from speakback.config.loopback import is_loopback
from speakback.gateway.auth import REALTIME_SUBPROTOCOL, KeyRing, offered_subprotocols, presented_key

RETRY_AFTER_S = 5
"""What a client that is turned away for want of room is told to wait."""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Why a client is not let in; becomes an HTTP answer in the shape of OpenAI's errors."""

    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Knock:
    """The headers that decide; None where not sent."""

    authorization: str | None
    subprotocols: str | None
    origin: str | None
    host: str | None


def turned_away(knock: Knock, keys: KeyRing) -> TurnedAway | None:
    """Why this client may not have a session, or None if it may."""
    if knock.origin is not None and not origin_is_allowed(knock.origin, knock.host, keys):
        return TurnedAway(403, "origin_not_allowed", "web pages of other origins may not talk to this server")
    if not keys.accepts(presented_key(knock.authorization, knock.subprotocols)):
        return TurnedAway(401, "invalid_api_key", "a valid API key is needed: send it as Authorization: Bearer KEY")
    offered = offered_subprotocols(knock.subprotocols)
    if offered and REALTIME_SUBPROTOCOL not in offered:
        return TurnedAway(
            400, "unknown_subprotocol", f"the subprotocol of this server is {REALTIME_SUBPROTOCOL!r}; offer it or none"
        )
    return None


def origin_is_allowed(origin: str, host: str | None, keys: KeyRing) -> bool:
    """Browsers send the page's origin; pages of this machine may connect, and this server's own where it needs keys.

    An open server does not trust an origin that equals its `Host`: a foreign name may have been pointed at
    this machine (DNS rebinding), and no key would stop it.
    """
    try:
        page = urlsplit(origin)
    except ValueError:  # nothing that a browser would send
        return False
    if page.hostname is not None and is_loopback(page.hostname):
        return True
    return not keys.is_open and page.scheme in ("http", "https") and host is not None and page.netloc == host


class NoRoom(Exception):
    """All seats are taken."""


class Seats:
    """How many sessions are open, and how many may be."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.taken = 0

    @contextmanager
    def seat(self) -> Iterator[None]:
        """One session's seat while the context lasts. Raises `NoRoom`, and then takes none."""
        if self.taken >= self.total:
            raise NoRoom
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
