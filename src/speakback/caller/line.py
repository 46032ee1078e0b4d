"""The line to the server: the connected WebSocket, and in plain words why there is none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from speakback.caller import client_events, server_events
from speakback.caller.errors import CallError

ANSWER_WITHIN_S = 10.0
_HTTP_REASONS = {
    401: "the server wants an API key, and {given}: set SPEAKBACK_API_KEY to a key that it accepts",
    403: "the server refuses this caller",
    404: "there is no conversation at this path: it is usually /v1/realtime",
    503: "the server cannot take the call now: its models may still be loading, or all its sessions are taken",
}


@dataclass(frozen=True, slots=True)
class Line:
    """An open session."""

    socket: aiohttp.ClientWebSocketResponse
    correlation_id: str | None
    """The server's name for the conversation; None: it gave none."""


@asynccontextmanager
async def connected(
    url: str, api_key: str | None, wishes: client_events.Wishes = client_events.USUAL
) -> AsyncIterator[Line]:
    """An open session. Raises `CallError` for whatever keeps it from opening."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_WITHIN_S)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                socket = await client.ws_connect(url, headers=headers, max_msg_size=0)
        except aiohttp.WSServerHandshakeError as refused:
            given = "the one given is wrong" if api_key else "none was given"
            reason = _HTTP_REASONS.get(refused.status, "the server did not open a WebSocket").format(given=given)
            raise CallError(f"{url}: {reason} (HTTP {refused.status}).") from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError):
            raise CallError(f"{url!r} is not an address such as ws://127.0.0.1:8765/v1/realtime.") from None
        except TimeoutError:
            raise CallError(f"{url}: no answer within {ANSWER_WITHIN_S:.0f} s.") from None
        except aiohttp.ClientConnectorError as problem:
            raise CallError(f"{url}: cannot connect ({problem.strerror}); is the server running?") from None
        except (aiohttp.ClientError, OSError) as problem:
            raise CallError(f"{url}: cannot connect ({problem}).") from None
        try:
            yield Line(socket, await _settle_terms(socket, wishes))
        finally:
            await socket.close()


async def receive(socket: aiohttp.ClientWebSocketResponse) -> str:
    """The next text message. Raises `CallError` once the server has closed."""
    message = await socket.receive()
    if message.type is aiohttp.WSMsgType.TEXT:
        text: str = message.data
        return text
    if message.type is aiohttp.WSMsgType.BINARY:
        raise CallError("the server sent a binary message, which was not asked for.")
    if message.type is aiohttp.WSMsgType.ERROR:
        raise CallError(f"the line broke ({message.data}).")
    reason = message.extra if message.type is aiohttp.WSMsgType.CLOSE and message.extra else "no reason given"
    raise CallError(f"the server ended the call (close code {socket.close_code}: {reason}).")


async def _settle_terms(socket: aiohttp.ClientWebSocketResponse, wishes: client_events.Wishes) -> str | None:
    """Wait for the greeting, and for the answer to what this caller wants; the correlation id that it names."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await _answered(socket, "session.created")
            await socket.send_str(client_events.session_update(wishes))
            updated = await _answered(socket, "session.updated")
    except TimeoutError:
        raise CallError(f"the server did not set up the session within {ANSWER_WITHIN_S:.0f} s.") from None
    return updated.session.speakback.correlation_id


async def _answered(socket: aiohttp.ClientWebSocketResponse, kind: str) -> server_events.SessionAnswered:
    while True:
        event = server_events.read_event(await receive(socket))
        if isinstance(event, server_events.SessionAnswered) and event.type == kind:
            return event
        if isinstance(event, server_events.ServerError):
            raise CallError(f"the server refused the session: {event.error.message}")
