"""Opening a socket: where to, with what, how long it may take, and what a failure was."""

import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException

from speakback.providers.link.failures import LinkRefused, LinkUnreachable

MAX_MESSAGE_BYTES = 16 * 2**20
"""A long clip in base64 is larger than the 1 MiB at which the library would hang up."""
CLOSE_WITHIN_S = 2.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_QUIET = logging.getLogger("speakback.link.websockets")
_QUIET.setLevel(logging.WARNING)
"""The library logs headers, keys among them, and all that is said, at DEBUG."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a socket leads. `headers` hold the key and stay out of every text made of this."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    connect_within_s: float
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    """`tls_context()`; None for ws://."""


class _ConnectOnce(connect):
    """Does not follow redirects: they would carry the key to another host."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@cache
def tls_context() -> ssl.SSLContext:
    """For all connections of the process. The first call reads the machine's certificates: off the event loop."""
    return ssl.create_default_context()


async def open_connection(destination: Destination) -> ClientConnection:
    """An open connection. Raises `LinkRefused` or `LinkUnreachable`."""
    host = urlsplit(destination.url).hostname or ""
    tls = {} if destination.tls is None else {"ssl": destination.tls}
    try:
        return await _ConnectOnce(
            destination.url,
            additional_headers=dict(destination.headers),
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            max_queue=64,
            open_timeout=destination.connect_within_s,
            close_timeout=CLOSE_WITHIN_S,
            proxy=None if host in LOOPBACK else True,
            logger=_QUIET,
            **cast("dict[str, Any]", tls),
        )
    except InvalidStatus as refusal:
        response = refusal.response
        headers = {name.lower(): value for name, value in response.headers.raw_items()}
        raise LinkRefused(response.status_code, response.body or b"", headers) from None
    except (InvalidHandshake, WebSocketException) as error:
        raise LinkUnreachable(f"{host} does not speak WebSocket ({type(error).__name__})") from None
    except TimeoutError:
        raise LinkUnreachable(f"no connection to {host} within {destination.connect_within_s:g} s") from None
    except (OSError, EOFError) as error:
        raise LinkUnreachable(f"cannot connect to {host} ({type(error).__name__})") from None
