"""The line to the server: the connected WebSocket, and in plain words why there is none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from speakback.caller import client_events, server_events
from speakback.caller.errors import CallError

ANSWER_WITHIN_S = 10.0
HEARTBEAT_S = 20.0
"""A server that answers no ping for half of this long after one is gone: it may vanish without a word."""
RESUME_HEADER = "Speakback-Resume"
"""Carries a resume token; no URL and no log does."""
_GONE = 410
_BUSY = 503
_HTTP_REASONS = {
    401: "the server wants an API key, and {given}: set SPEAKBACK_API_KEY to a key that it accepts",
    403: "the server refuses this caller",
    404: "there is no conversation at this path: it is usually /v1/realtime",
    _GONE: "the conversation cannot be taken up again: it was kept for too long, was taken up already, or is not known",
    _BUSY: "the server cannot take the call now: its models may still be loading, or all its sessions are taken",
}


class CannotConnectNow(CallError):
    """There is no line at the moment; another try may find one."""


class LineEnded(CallError):
    """The server closed the line, or it broke."""

    def __init__(self, message: str, close_code: int | None) -> None:
        super().__init__(message)
        self.close_code = close_code
        """None: it broke without a close."""


@dataclass(frozen=True, slots=True)
class Line:
    """An open session."""

    socket: aiohttp.ClientWebSocketResponse
    correlation_id: str | None
    """The server's name for the conversation; None: it gave none."""
    token: server_events.ResumeToken | None = None
    """By which the conversation can be taken up on another line; None: the server has not given one yet."""
    resumed: server_events.Resumed | None = None
    """None: the conversation is new."""


_Settle = Callable[[aiohttp.ClientWebSocketResponse], Awaitable[Line]]
"""From an upgraded socket to an open session."""


@dataclass(frozen=True, slots=True)
class Dialler:
    """Opens lines to one server, one after the other."""

    client: aiohttp.ClientSession
    url: str
    api_key: str | None = field(repr=False)
    wishes: client_events.Wishes

    async def dial(self) -> Line:
        """A new conversation. Raises `CallError` for whatever keeps it from opening."""
        return await self._opened({}, lambda socket: _settled(socket, self.wishes))

    async def dial_again(self, token: str) -> Line:
        """The conversation of that token goes on. Raises `CannotConnectNow`, and `CallError` where that is no use."""
        return await self._opened({RESUME_HEADER: token}, _resumed)

    async def _opened(self, headers: Mapping[str, str], settle: _Settle) -> Line:
        socket = await self._upgraded(headers)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await settle(socket)
        except TimeoutError:
            await socket.close()
            raise CallError(f"the server did not set up the session within {ANSWER_WITHIN_S:.0f} s.") from None
        except BaseException:
            await socket.close()
            raise

    async def _upgraded(self, headers: Mapping[str, str]) -> aiohttp.ClientWebSocketResponse:
        url, key = self.url, self.api_key
        authorized = {**headers, "Authorization": f"Bearer {key}"} if key else headers
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await self.client.ws_connect(url, headers=authorized, max_msg_size=0, heartbeat=HEARTBEAT_S)
        except aiohttp.WSServerHandshakeError as refused:
            given = "the one given is wrong" if key else "none was given"
            reason = _HTTP_REASONS.get(refused.status, "the server did not open a WebSocket").format(given=given)
            kind = CannotConnectNow if refused.status == _BUSY else CallError
            raise kind(f"{url}: {reason} (HTTP {refused.status}).") from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError):
            raise CallError(f"{url!r} is not an address such as ws://127.0.0.1:8765/v1/realtime.") from None
        except TimeoutError:
            raise CannotConnectNow(f"{url}: no answer within {ANSWER_WITHIN_S:.0f} s.") from None
        except aiohttp.ClientConnectorError as problem:
            message = f"{url}: cannot connect ({problem.strerror}); is the server running?"
            raise CannotConnectNow(message) from None
        except (aiohttp.ClientError, OSError) as problem:
            raise CannotConnectNow(f"{url}: cannot connect ({problem}).") from None


@asynccontextmanager
async def dialling(
    url: str, api_key: str | None, wishes: client_events.Wishes = client_events.USUAL
) -> AsyncIterator[Dialler]:
    """A dialler for the context; the lines that it opened are its user's to close."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_WITHIN_S)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        yield Dialler(client, url, api_key, wishes)


@asynccontextmanager
async def connected(
    url: str, api_key: str | None, wishes: client_events.Wishes = client_events.USUAL
) -> AsyncIterator[Line]:
    """One open session. Raises `CallError` for whatever keeps it from opening."""
    async with dialling(url, api_key, wishes) as dialler:
        line = await dialler.dial()
        try:
            yield line
        finally:
            await line.socket.close()


async def receive(socket: aiohttp.ClientWebSocketResponse) -> str:
    """The next text message. Raises `LineEnded` once the server has closed, and `CallError` for what is no text."""
    message = await socket.receive()
    if message.type is aiohttp.WSMsgType.TEXT:
        text: str = message.data
        return text
    if message.type is aiohttp.WSMsgType.BINARY:
        raise CallError("the server sent a binary message, which was not asked for.")
    if message.type is aiohttp.WSMsgType.CLOSE:
        code, reason = message.data, message.extra or "no reason given"
        raise LineEnded(f"the server ended the call (close code {code}: {reason}).", code)
    why = f" ({message.data})" if message.type is aiohttp.WSMsgType.ERROR else ""
    raise LineEnded(f"the line to the server broke{why}.", None)


async def _settled(socket: aiohttp.ClientWebSocketResponse, wishes: client_events.Wishes) -> Line:
    """Wait for the greeting, and for the answer to what this caller wants."""
    token: server_events.ResumeToken | None = None
    is_greeted = False
    while True:
        match event := await _next(socket):
            case server_events.SessionAnswered() if not is_greeted:
                is_greeted = True
                await socket.send_str(client_events.session_update(wishes))
            case server_events.SessionAnswered():
                return Line(socket, event.session.speakback.correlation_id, token)
            case server_events.ResumeToken():
                token = event


async def _resumed(socket: aiohttp.ClientWebSocketResponse) -> Line:
    """Wait until the server has taken the conversation up; it is as it was, also in what this caller wants."""
    correlation_id: str | None = None
    while True:
        match event := await _next(socket):
            case server_events.SessionAnswered():
                correlation_id = event.session.speakback.correlation_id
            case server_events.Resumed():
                return Line(socket, correlation_id, None, event)


async def _next(socket: aiohttp.ClientWebSocketResponse) -> server_events.ServerEvent:
    event = server_events.read_event(await receive(socket))
    if isinstance(event, server_events.ServerError):
        raise CallError(f"the server refused the session: {event.error.message}")
    return event
