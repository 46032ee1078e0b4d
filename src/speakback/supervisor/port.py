"""One port that several processes listen on: the kernel spreads new connections over them (SO_REUSEPORT)."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from speakback.config import ConfigError

Address = tuple[str | int, ...]
"""An address as sockets take it: host, port and, for IPv6, two numbers more."""


@contextmanager
def shared_port(host: str, port: int) -> Iterator[int]:
    """Keep the port for workers of this account to listen on, and give its number; 0 takes a free one.

    Nothing listens here, so no connection ends up here. Raises `ConfigError` where it cannot be had, or not shared.
    Looks up `host`, so call it before the event loop runs.
    """
    if sys.platform == "win32" or not hasattr(socket, "SO_REUSEPORT"):
        raise ConfigError(["server.workers: processes cannot share a port on this system; set it to 1."])
    with ExitStack() as held:
        try:
            port = _kept(host, port, held)
        except OSError as problem:
            reason = problem.strerror or str(problem)
            raise ConfigError([f"server.host, server.port: cannot listen on {host}:{port} ({reason})."]) from None
        yield port


def _kept(host: str, port: int, held: ExitStack) -> int:
    """All addresses of the host get the port of the first."""
    for family, *kind, _, found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
        opened = (family, *kind)
        address = (found[0], port, *found[2:])
        if port:
            # With SO_REUSEPORT we would share with any server of this account; it would get some of our callers.
            with _bound(opened, address, socket.SO_REUSEADDR):
                pass
        kept = held.enter_context(_bound(opened, address, socket.SO_REUSEADDR, socket.SO_REUSEPORT))
        port = kept.getsockname()[1]
    return port


def _bound(opened: tuple[int, ...], address: Address, *options: int) -> socket.socket:
    made = socket.socket(*opened)
    try:
        for option in options:
            made.setsockopt(socket.SOL_SOCKET, option, 1)
        if made.family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made
