"""Resume tokens: 128 random bits that let a client take its conversation up again, once. No I/O.

A token is a secret: it stands in no URL, no log and no store. The store's key is a hash of the token and of whose it
is, so a token that another API key presents is one that was never given.
"""

import hashlib
import secrets

from speakback.config.api_keys import key_hash
from speakback.gateway.auth import KeyRing, offered_behind, presented_key

HEADER = "Speakback-Resume"
SUBPROTOCOL_PREFIX = "speakback-resume."
"""For clients that cannot set headers: offered beside `realtime`, never answered with."""
TOKEN_BYTES = 16


def new_token() -> str:
    """A token that nobody has."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def presented_token(header: str | None, subprotocols: str | None) -> str | None:
    """The token that a client presents, as it is; None where it presents none. A header alone decides."""
    if header is not None:
        return header.strip()
    return next(iter(offered_behind(SUBPROTOCOL_PREFIX, subprotocols)), None)


def owner_of(keys: KeyRing, authorization: str | None, subprotocols: str | None) -> str:
    """Whose conversation it is: the hash of the API key; empty on an open server, where it is everyone's."""
    key = None if keys.is_open else presented_key(authorization, subprotocols)
    return "" if key is None else key_hash(key)


def record_key(token: str, owner: str) -> str:
    """What the token's record is called in a store: 64 hexadecimal digits."""
    return hashlib.sha256(f"{owner}\n{token}".encode("utf-8", "surrogateescape")).hexdigest()
