"""One caller's WebSocket as a bare protocol on the event loop: no task, no queue; what comes in is handed on at once.

`websockets` reads and writes the frames (its sans-I/O part); here they meet asyncio. So the moment at which a message
is noted is that at which the loop had it, and a hundred callers cost no wake-ups of their own.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidURI
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import WebSocketURI, parse_uri

from speakback.caller.errors import CallError

ABNORMAL = 1006
"""The close code of a line that broke without a close."""
_MAX_MESSAGE_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Address:
    """Where the callers call, and what they show at the door."""

    url: str
    uri: WebSocketURI
    headers: Mapping[str, str]


def address_of(url: str, api_key: str | None) -> Address:
    """Raises `CallError` for what is no address of a WebSocket."""
    try:
        uri = parse_uri(url)
    except (InvalidURI, ValueError):
        raise CallError(f"{url!r} is not an address such as ws://127.0.0.1:8765/v1/realtime.") from None
    return Address(url, uri, {"Authorization": f"Bearer {api_key}"} if api_key else {})


class Receiver(Protocol):
    """Who is told what comes in; called on the event loop, and none of it may block."""

    def connected(self, wire: "Wire") -> None:
        """The way to the server is there; the upgrade begins."""
        ...

    def opened(self) -> None: ...

    def refused(self, status: int, retry_after_s: float | None) -> None:
        """The server answered the upgrade with another status than 101."""
        ...

    def text(self, text: str) -> None: ...

    def binary(self, data: bytes) -> None: ...

    def closed(self, code: int, reason: str) -> None:
        """The line is down; also after `refused`. Nothing more comes."""
        ...


class Wire(asyncio.Protocol):
    """Made by `dial`."""

    def __init__(self, address: Address, receiver: Receiver) -> None:
        self.is_congested = False
        """Whether the server takes less than it is sent."""
        self._address = address
        self._receiver = receiver
        self._protocol = ClientProtocol(address.uri, max_size=_MAX_MESSAGE_BYTES)
        self._transport: asyncio.Transport | None = None

    @property
    def is_open(self) -> bool:
        return self._protocol.state is State.OPEN

    def send_text(self, text: str) -> None:
        """Nothing is sent on a line that is not open."""
        if self.is_open:
            self._protocol.send_text(text.encode())
            self._flush()

    def send_binary(self, data: bytes) -> None:
        """Nothing is sent on a line that is not open."""
        if self.is_open:
            self._protocol.send_binary(data)
            self._flush()

    def hang_up(self) -> None:
        """Begin to close, with code 1000."""
        if self.is_open:
            self._protocol.send_close(1000)
            self._flush()

    def abort(self) -> None:
        """Let go of the line at once."""
        if self._transport is not None:
            self._transport.abort()

    # ---- asyncio.Protocol ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._receiver.connected(self)
        request = self._protocol.connect()
        for name, value in self._address.headers.items():
            request.headers[name] = value
        self._protocol.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        self._hand_on()

    def eof_received(self) -> bool:
        self._protocol.receive_eof()
        self._hand_on()
        return False  # the transport closes itself

    def connection_lost(self, exc: Exception | None) -> None:
        self._protocol.receive_eof()
        self._receiver.closed(self._protocol.close_code or ABNORMAL, self._protocol.close_reason or "")

    def pause_writing(self) -> None:
        self.is_congested = True

    def resume_writing(self) -> None:
        self.is_congested = False

    # ---- within -------------------------------------------------------------------------------

    def _hand_on(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Response):
                self._answered(event)
            elif isinstance(event, Frame):
                self._take(event)
        self._flush()
        if self._protocol.close_rcvd is not None and self._transport is not None:
            self._transport.close()

    def _answered(self, response: Response) -> None:
        if self._protocol.handshake_exc is None:
            self._receiver.opened()
            return
        self._receiver.refused(response.status_code, _seconds(response.headers.get("Retry-After")))
        if self._transport is not None:
            self._transport.close()

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.TEXT:
            self._receiver.text(bytes(frame.data).decode())
        elif frame.opcode is Opcode.BINARY:
            self._receiver.binary(bytes(frame.data))

    def _flush(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            self._protocol.data_to_send()
            return
        for data in self._protocol.data_to_send():
            if data:
                transport.write(data)
            elif transport.can_write_eof():
                transport.write_eof()


async def dial(address: Address, receiver: Receiver) -> None:
    """Connect and begin the upgrade; `receiver` is told what comes of it. Raises `CallError`."""
    uri = address.uri
    tls = ssl.create_default_context() if uri.secure else None
    try:
        await asyncio.get_running_loop().create_connection(lambda: Wire(address, receiver), uri.host, uri.port, ssl=tls)
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise CallError(f"cannot connect ({reason}); is the server running?") from None


def _seconds(retry_after: str | None) -> float | None:
    """None where none is told, or a date is."""
    try:
        return None if retry_after is None else float(retry_after)
    except ValueError:
        return None
