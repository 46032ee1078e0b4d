"""One WebSocket's life: what comes in goes to the codec, what the codec makes goes out, and both end together.

There is no outbox: the reader's answers and the writer's events are sent as they arise, and each waits until
the socket takes it. So a client that does not read is not read from either, nothing of it piles up here, and
after `send_timeout_s` it is dropped. What its session makes meanwhile waits in the session's bounded queue.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from speakback.gateway.conversation import Conversation
from speakback.gateway.naps import REST_AFTER_S, Naps
from speakback.gateway.realtime.codec import Message, RealtimeCodec
from speakback.session.notices import Notice

UNREADABLE_IN_A_ROW = 20
"""So many messages in a row of which nothing can be made out, and the client is not speaking this protocol."""
LONG_STEP_S = 0.002
"""A message that took longer than this to take in is paid for with as long a pause."""
CLOSE_TIMEOUT_S = 2.0
"""How long a client may take to answer a close."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may do to this server."""

    max_message_bytes: int = 1_048_576
    send_timeout_s: float = 10.0
    idle_timeout_s: float | None = None
    """None: a silent session stays open."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ends from this side."""

    code: int
    reason: str


class _Ended(Exception):
    """Raised in one of the connection's tasks to end all of them."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.reason)
        self.ending = ending


_CLIENT_GONE = Ending(WSCloseCode.OK, "the client closed")
_TOO_SLOW = Ending(WSCloseCode.TRY_AGAIN_LATER, "the client reads too slowly")
_SERVER_FAILED = Ending(WSCloseCode.INTERNAL_ERROR, "the server failed")
"""The client has not been told yet: an `error` event comes before the close."""
_SESSION_FAILED = Ending(WSCloseCode.INTERNAL_ERROR, "the session failed")
"""The session itself has told the client."""
_NOT_READING = Ending(WSCloseCode.ABNORMAL_CLOSURE, "the client does not read what it is sent")
"""Nothing more can be sent, not even a close: the socket is aborted."""


class Connection:
    """One client: an upgraded socket, its codec and its conversation."""

    def __init__(
        self,
        socket: web.WebSocketResponse[bool],
        transport: asyncio.Transport,
        conversation: Conversation,
        codec: RealtimeCodec,
        limits: Limits,
        tally: Callable[[Notice], None],
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._conversation = conversation
        self._codec = codec
        self._limits = limits
        self._tally = tally
        self._naps = Naps(transport)
        self._ending_asked: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._idle: asyncio.Timeout | None = None

    def end(self, code: int, reason: str) -> None:
        """Ask the connection to end; `run` returns soon after."""
        if not self._ending_asked.done():
            self._ending_asked.set_result(Ending(code, reason))

    async def run(self) -> None:
        """Serve the client until it leaves, fails or is asked to; nothing of it is left behind."""
        ending = await self._serve()
        self._conversation.close()
        if ending is _NOT_READING:
            self._transport.abort()
        else:
            await self._close(ending)
        log.info("session ended", close_code=self._socket.close_code or ending.code, reason=ending.reason)

    async def _serve(self) -> Ending:
        ending = _CLIENT_GONE
        try:
            async with asyncio.timeout(self._limits.idle_timeout_s) as self._idle, asyncio.TaskGroup() as tasks:
                await self._send(self._codec.greeting())
                tasks.create_task(self._converse())
                tasks.create_task(self._read())
                tasks.create_task(self._write())
                raise _Ended(await self._ending_asked)
        except* _Ended as ended:
            ending = _first(ended)
        except* TimeoutError:
            ending = Ending(WSCloseCode.OK, "nothing was said for a long time")
        except* Exception as problem:
            log.error("session failed", exc_info=problem)
            ending = _SERVER_FAILED
        finally:
            self._naps.end()
        return ending

    # ---- the three tasks ----------------------------------------------------------------------

    async def _converse(self) -> None:
        await self._conversation.run()

    async def _read(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            message = await self._socket.receive()
            began = now()
            match message.type:
                case WSMsgType.TEXT:
                    answers = self._codec.receive_text(message.data)
                case WSMsgType.BINARY:
                    answers = self._codec.receive_binary(message.data)
                case _:
                    raise _Ended(_CLIENT_GONE)
            took = now() - began
            for answer in answers:
                await self._send(answer)
            if self._codec.unreadable_in_a_row >= UNREADABLE_IN_A_ROW:
                reason = f"{UNREADABLE_IN_A_ROW} messages in a row could not be read"
                raise _Ended(Ending(WSCloseCode.POLICY_VIOLATION, reason))
            if (rest_s := self._conversation.rest_s) >= REST_AFTER_S:
                self._naps.begin(rest_s)
            # However fast a client sends, others come in between, and it gets no more than half of the loop.
            await asyncio.sleep(took if took > LONG_STEP_S else 0)

    async def _write(self) -> None:
        while (notice := await self._conversation.next_notice()) is not None:
            self._put_off_idle()
            self._tally(notice)
            self._naps.end()
            for message in self._codec.encode(notice):
                await self._send(message)
        if self._conversation.failed:
            raise _Ended(_SESSION_FAILED)
        raise _Ended(_TOO_SLOW if self._conversation.overrun else _CLIENT_GONE)

    # ---- the socket ---------------------------------------------------------------------------

    async def _send(self, message: Message) -> None:
        try:
            async with asyncio.timeout(self._limits.send_timeout_s):
                if isinstance(message, str):
                    await self._socket.send_str(message)
                else:
                    await self._socket.send_bytes(message)
        except TimeoutError:
            raise _Ended(_NOT_READING) from None
        except ConnectionError:
            raise _Ended(_CLIENT_GONE) from None

    async def _close(self, ending: Ending) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                if ending is _SERVER_FAILED:
                    message = "the server failed; this session ends, others go on"
                    await self._socket.send_str(str(self._codec.server_error("internal_error", message)))
                await self._socket.close(code=ending.code, message=ending.reason.encode())
        except (TimeoutError, ConnectionError):
            self._transport.abort()

    def _put_off_idle(self) -> None:
        if self._idle is not None and self._limits.idle_timeout_s is not None:
            self._idle.reschedule(asyncio.get_running_loop().time() + self._limits.idle_timeout_s)


def _first(group: BaseExceptionGroup[_Ended]) -> Ending:
    """The ending of the task that ended first; the others were cancelled."""
    problem: BaseException = group
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    assert isinstance(problem, _Ended)
    return problem.ending
