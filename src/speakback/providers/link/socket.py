"""One open socket: one task that writes, one that reads, and nothing left behind when it ends."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from speakback.providers.link.failures import LinkLost
from speakback.providers.link.opening import CLOSE_WITHIN_S, Destination, open_connection

MESSAGES_AHEAD = 256
"""Messages that wait to be written. A service that takes none of them is lost: the socket is closed."""
ABNORMAL = 1006


@dataclass(frozen=True, slots=True)
class SocketEvents:
    """What a socket calls, on the event loop. None of these may block or raise."""

    message: Callable[[str], None]
    lost: Callable[[LinkLost], None]
    """Once, unless `aclose` was called before."""
    keep_alive: Callable[[float], Iterable[str]]
    """Called with the loop's time, every `tick_s`: what to write lest the service thinks nobody is there."""


class LinkSocket:
    """An open socket to a service. Made by `open`; `send` only queues, and only one task writes."""

    def __init__(self, connection: ClientConnection, events: SocketEvents, tick_s: float) -> None:
        self._connection = connection
        self._events = events
        self._tick_s = tick_s
        self._queue: asyncio.Queue[str] = asyncio.Queue(MESSAGES_AHEAD)
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._ending = False
        self.is_open = True
        self.written_at_s = self._loop.time()
        """When something was last written, by the loop's clock."""
        response = connection.response
        self.headers = {} if response is None else {name.lower(): v for name, v in response.headers.raw_items()}
        self._task = asyncio.create_task(self._run(), name="link")

    @classmethod
    async def open(cls, destination: Destination, events: SocketEvents, tick_s: float) -> "LinkSocket":
        """Connect. Raises `LinkRefused` or `LinkUnreachable`."""
        return cls(await open_connection(destination), events, tick_s)

    @property
    def idle_s(self) -> float:
        """Since something was last written."""
        return self._loop.time() - self.written_at_s

    def send(self, message: str) -> None:
        """Queue a message. On a socket that is gone it is dropped: `lost` tells of that."""
        if not self.is_open:
            return
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self._lose(LinkLost(ABNORMAL, f"the service left {MESSAGES_AHEAD} messages unread"))
            self._task.cancel()

    async def aclose(self, goodbye: str | None = None) -> None:
        """Say goodbye, give the service a moment to close from its side, then close; the task has ended then."""
        self._closing = True
        if goodbye is not None and self.is_open:
            self.send(goodbye)
            await asyncio.wait((self._task,), timeout=CLOSE_WITHIN_S)
        if not self._ending:  # else it hangs up already, and is not to be disturbed in that
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        writer = asyncio.create_task(self._write(), name="link-writer")
        try:
            await self._read()
        finally:
            self._ending = True
            self.is_open = False
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await self._connection.close()  # within its time limit; then the library ends the transport itself

    async def _read(self) -> None:
        try:
            while True:
                message = await self._connection.recv()
                if isinstance(message, str):
                    self._events.message(message)
        except ConnectionClosed as closed:
            code = ABNORMAL if closed.rcvd is None else closed.rcvd.code
            self._lose(LinkLost(code, "the service closed the connection"))

    async def _write(self) -> None:
        due_s = self._loop.time() + self._tick_s
        try:
            while True:
                try:
                    async with asyncio.timeout_at(due_s):
                        message = await self._queue.get()
                except TimeoutError:
                    due_s = self._loop.time() + self._tick_s
                    for message in self._events.keep_alive(self._loop.time()):
                        await self._put_on_wire(message)
                else:
                    await self._put_on_wire(message)
        except ConnectionClosed:
            return  # the reader learns of it, too, and tells

    async def _put_on_wire(self, message: str) -> None:
        await self._connection.send(message)
        self.written_at_s = self._loop.time()

    def _lose(self, loss: LinkLost) -> None:
        was_open, self.is_open = self.is_open, False
        if was_open and not self._closing:
            self._events.lost(loss)
