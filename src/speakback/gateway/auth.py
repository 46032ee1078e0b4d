"""Who may connect: API keys, compared by hash in constant time. No I/O; the caller hands in header values."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from speakback.config.api_keys import key_hash

REALTIME_SUBPROTOCOL = "realtime"
"""The WebSocket subprotocol to answer with when a client offers it."""

_SUBPROTOCOL_KEY_PREFIX = "openai-insecure-api-key."


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The hashes of the keys that may connect (see `key_hash`). An empty ring is open: it accepts everyone.

    An open ring is for loopback only; `bind_problem` refuses it anywhere else.
    """

    hashes: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        return not self.hashes

    def knows(self, owner: str) -> bool:
        """Whether that hash is still one of the keys'; on an open server everyone is the owner without a name."""
        return owner in self.hashes or (self.is_open and not owner)

    def accepts(self, presented: str | None) -> bool:
        """Whether `presented` is one of the keys. Compares with every hash, so that time tells nothing."""
        if self.is_open:
            return True
        if presented is None:
            return False
        digest = key_hash(presented)
        matches = [hmac.compare_digest(digest, known) for known in self.hashes]
        return any(matches)


def presented_key(authorization: str | None, subprotocols: str | None) -> str | None:
    """The key a client presents, or `None` if it presents none or presents it in a form we do not know.

    `authorization` and `subprotocols` are the values of the headers `Authorization` and `Sec-WebSocket-Protocol`.
    Browsers cannot set the first and offer `realtime, openai-insecure-api-key.KEY` in the second instead, as OpenAI's
    own clients do. Where an `Authorization` is sent, it alone decides.
    """
    if authorization is not None:
        return _bearer_token(authorization)
    keys = offered_behind(_SUBPROTOCOL_KEY_PREFIX, subprotocols)
    return keys[0] if len(keys) == 1 and keys[0] else None


def offered_subprotocols(header: str | None) -> Sequence[str]:
    """The subprotocols a client offers, in its order. Those with a key in them must be neither echoed nor logged."""
    return [name.strip() for name in (header or "").split(",") if name.strip()]


def offered_behind(prefix: str, header: str | None) -> Sequence[str]:
    """What a client offers as subprotocols that begin with `prefix`, without it."""
    return [name.removeprefix(prefix) for name in offered_subprotocols(header) if name.startswith(prefix)]


def _bearer_token(authorization: str) -> str | None:
    words = authorization.split()
    return words[1] if len(words) == 2 and words[0].lower() == "bearer" else None
