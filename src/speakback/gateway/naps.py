"""Moments without reading, so that a silent client's many small messages are taken together.

To wake up for one message of 20 ms costs more than to take it in. While a connection naps, what its client
sends waits in the kernel; afterwards all of it is taken in one go.
"""

import asyncio

REST_AFTER_S = 2.0
"""After so long a rest of the conversation its client is first left unread, for a tenth of a second."""
NAP_PER_REST = 0.05
"""The longer nothing has happened, the less a moment matters."""
LONGEST_NAP_S = 0.2
"""By so much may the first word after a rest, or any other message, be taken in late; nothing of it is lost."""


class Naps:
    """One connection's naps. What was decoded before a nap is not held up by it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._waking: asyncio.TimerHandle | None = None

    def begin(self, rest_s: float) -> None:
        """Read nothing for a moment, after a rest of `rest_s`.

        Where reading is held already, by a nap or by flow control, it stays so.
        """
        if self._waking is None and self._transport.is_reading():
            self._transport.pause_reading()
            nap_s = min(NAP_PER_REST * rest_s, LONGEST_NAP_S)
            self._waking = asyncio.get_running_loop().call_later(nap_s, self.end)

    def end(self) -> None:
        """Read on at once, if it was a nap that held reading."""
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None
            self._transport.resume_reading()
