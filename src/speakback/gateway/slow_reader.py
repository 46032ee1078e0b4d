"""A client that reads too slowly: how little is kept for it on the way, what it is not told, when it is given up.

The stages stand in `session/waiting.py`, which bounds what waits in the session. This bounds what waits behind it, so
that a client that does not read is noticed by what waits there, and nothing that it should not get any more lies
where it cannot be taken back:

| where | at most |
|---|---|
| the kernel's socket | `UNSENT_BYTES` that were never sent (Linux, macOS), `KERNEL_BYTES` in all |
| the transport | `HIGH_WATER_BYTES`, and beyond it one message each of the writer and of the reader |
"""

import asyncio
import socket
from collections import Counter

KERNEL_BYTES = 64 * 1024
"""As asked; Linux doubles it for its own books. Enough for a second's round trip of PCM16 in JSON."""
UNSENT_BYTES = 16 * 1024
"""A quarter of a second of the agent's audio as PCM16 in JSON."""
HIGH_WATER_BYTES = 32 * 1024
"""The largest thing that a conversation says at once, the end of a reply, is smaller, and goes out in one write."""
LOW_WATER_BYTES = 8 * 1024
MOST_BYTES_A_CHARACTER = 4
"""In UTF-8."""


def bound_buffers(transport: asyncio.Transport) -> None:
    """Let no more wait in this client's transport and kernel than stated above."""
    transport.set_write_buffer_limits(high=HIGH_WATER_BYTES, low=LOW_WATER_BYTES)
    wire = transport.get_extra_info("socket")
    if wire is None:  # not a socket
        return
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
    if hasattr(socket, "TCP_NOTSENT_LOWAT") and wire.family in (socket.AF_INET, socket.AF_INET6):
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)


def takes_at_once(transport: asyncio.Transport, characters: int) -> bool:
    """Whether a message of so many characters (or bytes) is sent without a wait, however slowly the client reads.

    Most are; to guard each by a timeout would cost as much as to send it.
    """
    return transport.get_write_buffer_size() + MOST_BYTES_A_CHARACTER * characters < LOW_WATER_BYTES


class SlowReader:
    """What one client was not told since it fell behind, and since when it has been behind."""

    def __init__(self, give_up_after_s: float) -> None:
        self._give_up_after_s = give_up_after_s
        self._behind_since_s: float | None = None
        self._left_out: Counter[str] = Counter()

    @property
    def fell_behind(self) -> bool:
        """Whether it did and has not been told so."""
        return self._behind_since_s is not None

    def saw_it_behind(self, now_s: float) -> None:
        """It is behind now."""
        if self._behind_since_s is None:
            self._behind_since_s = now_s

    def leave_out(self, event_types: list[str]) -> None:
        """It is not told these events."""
        self._left_out.update(event_types)

    def is_given_up(self, now_s: float) -> bool:
        """Whether it has been behind for too long."""
        return self._behind_since_s is not None and now_s - self._behind_since_s > self._give_up_after_s

    def caught_up(self) -> dict[str, int]:
        """It is in time again. Returns how many events of each type it was not told."""
        left_out, self._left_out, self._behind_since_s = dict(self._left_out), Counter(), None
        return left_out
