"""One WebSocket's life: what comes in goes to the codec, what the codec makes goes out, and both end together.

There is no outbox: the reader's answers and the writer's events are sent as they arise, and each waits until
the socket takes it. So nothing piles up here. What the session makes meanwhile waits there (`session/waiting.py`: what
a client that reads too slowly is spared, when it is not read from either), and after `send_timeout_s` it is dropped.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog
from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.http import WSMessageNoDecodeText

from speakback.gateway.conversation import Conversation
from speakback.gateway.fair_share import FairShare
from speakback.gateway.naps import REST_AFTER_S, Naps
from speakback.gateway.realtime.codec import Message, RealtimeCodec
from speakback.gateway.resume.coming import Coming
from speakback.gateway.resume.keeper import ResumeNews
from speakback.gateway.resume.resumption import RESUMED_ELSEWHERE
from speakback.gateway.slow_reader import SlowReader, bound_buffers, takes_at_once
from speakback.observe.population import task_name
from speakback.session.notices import Notice
from speakback.session.snapshot import Snapshot
from speakback.session.waiting import OPTIONAL

UNREADABLE_IN_A_ROW = 20
"""So many messages in a row of which nothing can be made out, and the client is not speaking this protocol."""
REST_WITHIN_S = 0.15
"""How long the end of a connection may take to tell what was said; what is not told by then is said again elsewhere."""
YIELD_EVERY = 4
"""Of messages that are there already so many are taken before others come in between."""
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


@dataclass(frozen=True, slots=True)
class Farewell:
    """The server goes: what the client is told, and by when its connection ends at the latest."""

    by_s: float
    """Of the loop's clock."""
    reason: str


class _Ended(Exception):
    """Raised in one of the connection's tasks to end all of them."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.reason)
        self.ending = ending


_CLIENT_CLOSED = Ending(WSCloseCode.OK, "the client closed")
_CLIENT_GONE = Ending(WSCloseCode.OK, "the connection broke")
_CONVERSATION_OVER = Ending(WSCloseCode.OK, "the conversation ended")
_RESUMED_ELSEWHERE = Ending(WSCloseCode.SERVICE_RESTART, RESUMED_ELSEWHERE)
_OVER = (_CLIENT_CLOSED, _CONVERSATION_OVER)
"""Nobody comes back after these."""
_FROM_THE_CLIENT = (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG, WSMsgType.CLOSE)
"""The other kinds of message are the library's own."""
_CLEAN_CLOSES = (0, WSCloseCode.OK, WSCloseCode.GOING_AWAY)
"""What a client closes with that wants to; 0 stands for no code."""
_TOO_SLOW = Ending(WSCloseCode.TRY_AGAIN_LATER, "the client reads too slowly")
_SERVER_FAILED = Ending(WSCloseCode.INTERNAL_ERROR, "the server failed")
"""The client has not been told yet: an `error` event comes before the close."""
_SESSION_FAILED = Ending(WSCloseCode.INTERNAL_ERROR, "the session failed")
"""The session itself has told the client."""


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
        coming: Coming | None = None,
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._conversation = conversation
        self._codec = codec
        self._limits = limits
        self._tally = tally
        bound_buffers(transport)
        self._naps = Naps(transport)
        self._ending_asked: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._farewell_asked: asyncio.Future[Farewell | None] = asyncio.get_running_loop().create_future()
        """None: it ends without one."""
        self._idle: asyncio.Timeout | None = None
        self._coming = coming
        """None: conversations do not outlive their connections here."""
        self._keeper = None if coming is None else coming.keeper(self, take=self.snapshot, tell=self._tell_news)
        self.was_reached = False
        """Whether anything came from the client: else it may not know that it is connected."""

    def end(self, code: int, reason: str) -> None:
        """Ask the connection to end; `run` returns soon after."""
        if not self._ending_asked.done():
            self._ending_asked.set_result(Ending(code, reason))
        if not self._farewell_asked.done():
            self._farewell_asked.set_result(None)

    def take_leave(self, by_s: float, reason: str) -> None:
        """Tell the client that the server goes, and end once the conversation is at rest; `end` comes `by_s`."""
        if not self._farewell_asked.done():
            self._farewell_asked.set_result(Farewell(by_s, reason))

    def abort(self) -> None:
        """Cut the socket: whatever waits for the client ends."""
        self._transport.abort()

    def snapshot(self) -> Snapshot:
        """The conversation as it stands."""
        return replace(self._conversation.snapshot(), client_settings=self._codec.client_settings())

    def hand_over(self) -> Snapshot:
        """The same, for another connection of the client: this one ends, and keeps nothing more."""
        assert self._keeper is not None, "who keeps nothing has no token"
        snapshot = self._keeper.hand_over()
        self.end(WSCloseCode.SERVICE_RESTART, RESUMED_ELSEWHERE)
        return snapshot

    async def run(self) -> None:
        """Serve the client until it leaves, fails or is asked to; nothing of it is left behind."""
        if self._coming is None or self._keeper is None:
            ending = await self._serve()
        else:
            with self._coming.living(self._keeper.key, self):
                ending = await self._serve()
                await self._keeper.finish(forget=ending in _OVER)
        self._conversation.close()
        await self._close(ending)
        log.info("session ended", close_code=self._socket.close_code or ending.code, reason=ending.reason)

    async def _serve(self) -> Ending:
        ending = _CLIENT_GONE
        try:
            async with asyncio.timeout(self._limits.idle_timeout_s) as self._idle, asyncio.TaskGroup() as tasks:
                await self._send(self._codec.greeting())
                if self._coming is not None and self._coming.taken_up is not None:
                    await self._send(self._codec.resumed(self._coming.taken_up.snapshot))
                tasks.create_task(self._converse(), name=task_name("converse"))
                tasks.create_task(self._keep(), name=task_name("keep"))
                tasks.create_task(self._read(), name=task_name("read"))
                tasks.create_task(self._write(), name=task_name("write"))
                if (farewell := await self._farewell_asked) is not None:
                    tasks.create_task(self._take_leave(farewell), name=task_name("take-leave"))
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
        if ending.code == WSCloseCode.SERVICE_RESTART:
            await self._tell_the_rest()
        return ending

    # ---- the tasks ----------------------------------------------------------------------

    async def _converse(self) -> None:
        await self._conversation.run()

    async def _keep(self) -> None:
        if self._keeper is not None:
            self._keeper.want(self._codec.view.wants_resumption)
            await self._keeper.run()
            raise _Ended(_RESUMED_ELSEWHERE)

    async def _read(self) -> None:
        now_s, share, taken = asyncio.get_running_loop().time, FairShare(), 0
        while True:
            message = await self._socket.receive()
            began_s = now_s()
            answers = self._take(message)
            pause_s = share.pause_s(began_s, now_s())
            if message.type is WSMsgType.PING:
                await self._put(self._socket.pong(message.data), len(message.data))
            if answers:
                await self._tell(answers)
            if self._codec.unreadable_in_a_row >= UNREADABLE_IN_A_ROW:
                reason = f"{UNREADABLE_IN_A_ROW} messages in a row could not be read"
                raise _Ended(Ending(WSCloseCode.POLICY_VIOLATION, reason))
            self._rest()
            if self._conversation.is_crammed:
                await self._conversation.room()
            taken += 1
            # To wait for a message that is not there yet is a yield as well.
            if pause_s or taken % YIELD_EVERY == 0:
                await asyncio.sleep(pause_s)
            if self._codec.has_more_to_hear:
                await self._hear_out(share)

    def _rest(self) -> None:
        """Leave a client unread for a moment, where nothing has happened for long and nobody would notice."""
        rest_s = self._conversation.rest_s
        if rest_s >= REST_AFTER_S and not (self._farewell_asked.done() or self._codec.is_measured):
            self._naps.begin(rest_s)

    async def _hear_out(self, share: FairShare) -> None:
        """The rest of a long message of audio, with others in between."""
        now_s = asyncio.get_running_loop().time
        began_s = now_s()
        while (answers := self._codec.hear_on()) is not None:
            pause_s = share.pause_s(began_s, now_s())
            await self._tell(answers)
            await asyncio.sleep(pause_s)
            began_s = now_s()

    def _take(self, message: WSMessageNoDecodeText) -> list[Message]:
        self.was_reached = self.was_reached or message.type in _FROM_THE_CLIENT
        match message.type:
            case WSMsgType.TEXT:
                view, answers = self._codec.view, self._codec.receive_text(message.data)
                if self._keeper is not None and self._codec.view is not view:
                    self._keeper.want(self._codec.view.wants_resumption)
                return answers
            case WSMsgType.BINARY:
                return self._codec.receive_binary(message.data)
            case WSMsgType.PING | WSMsgType.PONG:
                return []
            case WSMsgType.CLOSE if message.data in _CLEAN_CLOSES:
                raise _Ended(_CLIENT_CLOSED)
            case _:
                raise _Ended(_CLIENT_GONE)

    async def _write(self) -> None:
        reader, now_s = SlowReader(self._limits.send_timeout_s), asyncio.get_running_loop().time
        while not self._conversation.overrun:
            if is_behind := self._conversation.is_behind:
                reader.saw_it_behind(now_s())
            if reader.is_given_up(now_s()):
                raise _Ended(_TOO_SLOW)
            if (notice := await self._conversation.next_notice()) is None:
                break
            self._put_off_idle()
            self._tally(notice)
            if self._keeper is not None:
                self._keeper.saw(notice)
            self._naps.end()
            if is_behind and isinstance(notice, OPTIONAL):
                reader.leave_out(self._codec.event_types(notice))
            else:
                await self._tell(self._codec.encode(notice))
            if reader.fell_behind and not self._conversation.is_behind:
                left_out = reader.caught_up()
                log.info("the client reads again", left_out=left_out)
                await self._tell(self._codec.caught_up(left_out))
        if self._conversation.failed:
            raise _Ended(_SESSION_FAILED)
        if self._conversation.left and (farewell := self._farewell_asked.result()) is not None:
            raise _Ended(Ending(WSCloseCode.SERVICE_RESTART, farewell.reason))
        raise _Ended(_TOO_SLOW if self._conversation.overrun else _CONVERSATION_OVER)

    async def _take_leave(self, farewell: Farewell) -> None:
        """Then `_write` ends: once the conversation is at rest, and its client was told everything."""
        self._naps.end()
        left_s = max(farewell.by_s - asyncio.get_running_loop().time(), 0.0)
        await self._tell(self._codec.goaway(round(left_s * 1000), farewell.reason))
        self._conversation.close_at_rest()

    async def _tell_the_rest(self) -> None:
        """What the session said before it was closed: a client that goes on elsewhere plays all that it was sent."""
        self._conversation.close()
        with suppress(TimeoutError, _Ended):
            async with asyncio.timeout(REST_WITHIN_S):
                while (notice := await self._conversation.next_notice()) is not None:
                    await self._tell(self._codec.encode(notice))

    async def _tell_news(self, news: ResumeNews) -> None:
        await self._send(self._codec.resume_news(news))

    # ---- the socket ---------------------------------------------------------------------------

    async def _tell(self, messages: list[Message]) -> None:
        for message in messages:
            await self._send(message)

    async def _send(self, message: Message) -> None:
        send_str, send_bytes = self._socket.send_str, self._socket.send_bytes
        sending = send_str(message) if isinstance(message, str) else send_bytes(message)
        await self._put(sending, len(message))

    async def _put(self, sending: Coroutine[None, None, None], characters: int) -> None:
        try:
            if takes_at_once(self._transport, characters):
                await sending
                return
            async with asyncio.timeout(self._limits.send_timeout_s):
                await sending
        except TimeoutError:
            raise _Ended(_TOO_SLOW) from None
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
