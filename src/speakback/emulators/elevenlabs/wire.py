"""One open socket as its server sees it: messages in and out, and the ways in which it ends."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import ClientConnectionResetError, WSCloseCode, WSMsgType, web

from speakback.emulators.elevenlabs.errors import SocketError, malformed

MOST_MESSAGE_BYTES = 16 * 2**20


class Ending(Exception):
    """A socket ends; whichever of its tasks raises one ends all of them."""


class DoneEnding(Ending):
    """Properly, by the server, with 1000."""

    def __init__(self, after_s: float = 0.0) -> None:
        super().__init__()
        self.after_s = after_s


class FailedEnding(Ending):
    """With an error frame, then a close."""

    def __init__(self, error: SocketError) -> None:
        super().__init__(error.error)
        self.error = error


class AbortedEnding(Ending):
    """Without a close frame (1006)."""


class LeftEnding(Ending):
    """The client has closed it, or is gone."""


class Wire:
    """A socket after its upgrade."""

    def __init__(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        *,
        error_to_close_s: float,
        malformed_close_code: int,
        errors_have_param: bool,
    ) -> None:
        self._request = request
        self._socket = socket
        self._error_to_close_s = error_to_close_s
        self._malformed_close_code = malformed_close_code
        self._errors_have_param = errors_have_param

    async def send(self, text: str) -> None:
        """Raises `LeftEnding`."""
        try:
            await self._socket.send_str(text)
        except ClientConnectionResetError:
            raise LeftEnding from None

    async def receive(self) -> str:
        """The next text frame. Raises `LeftEnding`, or `FailedEnding` at a binary frame."""
        message = await self._socket.receive()
        if message.type is WSMsgType.TEXT:
            text: str = message.data
            return text
        if message.type is WSMsgType.BINARY:
            raise FailedEnding(self.malformed("Messages must be text frames holding one JSON object."))
        raise LeftEnding

    def malformed(self, why: str) -> SocketError:
        """The error of a message that cannot be read."""
        return malformed(why, self._malformed_close_code)

    async def end(self, ending: Ending) -> None:
        """Say and do what the ending calls for."""
        if isinstance(ending, DoneEnding):
            await asyncio.sleep(ending.after_s)
            await self._socket.close(code=WSCloseCode.OK)
        elif isinstance(ending, FailedEnding):
            try:
                await self.send(ending.error.frame(self._errors_have_param))
            except LeftEnding:
                return
            await asyncio.sleep(self._error_to_close_s)
            await self._socket.close(code=ending.error.code, message=ending.error.close_reason)
        elif isinstance(ending, AbortedEnding) and self._request.transport is not None:
            self._request.transport.abort()


async def hold(wire: Wire, work: Callable[[asyncio.TaskGroup], Awaitable[None]]) -> None:
    """Run the work of a socket and its tasks until one of them raises an `Ending`, and end the socket with that."""
    endings: list[Ending] = []
    try:
        async with asyncio.TaskGroup() as tasks:
            await work(tasks)
    except* Ending as group:
        endings.extend(_leaves(group))
    for ending in endings[:1]:
        await wire.end(ending)


def _leaves(group: BaseExceptionGroup[Ending]) -> list[Ending]:
    return [
        leaf for one in group.exceptions for leaf in (_leaves(one) if isinstance(one, BaseExceptionGroup) else [one])
    ]
