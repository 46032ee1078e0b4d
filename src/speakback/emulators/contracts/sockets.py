"""Sockets to a site: raw messages out and in."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from speakback.emulators.contracts.reading import at, context_of, kind_of, parsed
from speakback.emulators.contracts.recording import Recording
from speakback.emulators.contracts.site import BrokenContractError, Site, Timing, expect
from speakback.providers.link.failures import LinkRefused
from speakback.providers.link.opening import Destination, open_connection, tls_context

KEY_HEADER = "xi-api-key"
NO_CLOSE_FRAME = 1006


class ClosedError(BrokenContractError):
    """The service closed the socket before it should have."""


class NothingCameError(BrokenContractError):
    """Nothing came in the time that it had."""


@asynccontextmanager
async def socket(
    site: Site, path: str, query: Mapping[str, str], *, key: str | None = None
) -> AsyncIterator["SiteSocket"]:
    """An open socket, with the site's key or another. Raises `LinkRefused` and `LinkUnreachable`."""
    recording, timing = site.recording, site.equipment.timing
    number = recording.connect()
    target = f"{path}?{urlencode(query)}"
    headers = {KEY_HEADER: site.address.api_key if key is None else key}
    recording.add_head(number, "sent", f"GET {target}", headers)
    destination = Destination(
        url=f"ws{site.address.base_url.removeprefix('http').rstrip('/')}{target}",
        headers=headers,
        connect_within_s=timing.patience_s,
        tls=await asyncio.to_thread(tls_context) if site.address.base_url.startswith("https:") else None,
    )
    try:
        connection = await open_connection(destination)
    except LinkRefused as refused:
        recording.add_head(number, "received", f"HTTP {refused.status}", refused.headers)
        recording.add(number, "received", "body", refused.body.decode(errors="replace"))
        raise
    assert connection.response is not None, "it is open"
    recording.add_head(number, "received", "HTTP 101", dict(connection.response.headers.raw_items()))
    opened = SiteSocket(connection, number, recording, timing)
    try:
        yield opened
    finally:
        await opened.leave()


class SiteSocket:
    """An open socket. Everything that is waited for is waited for with patience, and raises when that ends."""

    def __init__(self, connection: ClientConnection, number: int, recording: Recording, timing: Timing) -> None:
        self._connection = connection
        self._number = number
        self._recording = recording
        self._timing = timing
        self._close_code: int | None = None

    async def send(self, *messages: Mapping[str, object]) -> None:
        """Raises `ClosedError`."""
        for message in messages:
            text = json.dumps(message)
            try:
                await self._connection.send(text)
            except ConnectionClosed as closed:
                raise self._closed(closed) from None
            self._recording.add(self._number, "sent", "message", text)

    async def receive(self, within_s: float | None = None) -> object:
        """The next message. Raises `ClosedError`, or `NothingCameError`."""
        patience_s = self._timing.patience_s if within_s is None else within_s
        try:
            async with asyncio.timeout(patience_s):
                data = await self._connection.recv()
        except TimeoutError:
            raise NothingCameError(f"nothing came within {patience_s:g} s") from None
        except ConnectionClosed as closed:
            raise self._closed(closed) from None
        if isinstance(data, bytes):
            self._recording.add(self._number, "received", "message", f"<{len(data)} bytes>")
            raise BrokenContractError("a binary frame came, where all are text")
        self._recording.add(self._number, "received", "message", data)
        message = parsed(data)
        expect(isinstance(message, Mapping), f"a message came that is {kind_of(message)}")
        return message

    async def until(self, kind: str, context: str | None = None) -> list[object]:
        """All messages up to the first of this kind, in this context if one is named. An error ends it."""
        came: list[object] = []
        while True:
            message = await self.receive()
            came.append(message)
            if kind_of(message) == kind and context in (None, context_of(message)):
                return came
            expect(kind_of(message) != "error", f"the error {at(message, 'error')} came, where {kind} was due")

    async def until_quiet(self) -> list[object]:
        """All messages up to a time in which none comes."""
        came: list[object] = []
        while (message := await self._soon()) is not None:
            came.append(message)
        return came

    async def expect_silence(self) -> None:
        """Raises `BrokenContractError` where anything comes."""
        message = await self._soon()
        expect(message is None, f"{kind_of(message)} came, where nothing should")

    async def _soon(self) -> object:
        """A message, or None where none comes."""
        try:
            return await self.receive(self._timing.quiet_s)
        except NothingCameError:
            return None

    async def expect_close(self, code: int) -> list[object]:
        """What comes before the service closes the socket, with this code."""
        came: list[object] = []
        try:
            while True:
                came.append(await self.receive())
        except ClosedError:
            expect(self._close_code == code, f"closed with {self._close_code}, where {code} was due")
            return came

    def _closed(self, closed: ConnectionClosed) -> ClosedError:
        code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (NO_CLOSE_FRAME, "")
        if self._close_code is None:
            self._close_code = code
            self._recording.add(self._number, "received", "close", f"{code} {reason}".rstrip())
        return ClosedError(f"the service closed the socket with {code}, before it should")

    async def leave(self) -> None:
        """Close it, where the service has not."""
        if self._close_code is None:
            self._recording.add(self._number, "sent", "close", "1000")
            await self._connection.close()
