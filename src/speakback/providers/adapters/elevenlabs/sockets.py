"""A socket and its contexts: each utterance has a line of its own, and only hears what is meant for it."""

import asyncio
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pybase64 import b64decode

from speakback.providers.adapters.elevenlabs.contexts import Contexts, ContextState
from speakback.providers.adapters.elevenlabs.failures import Where, of_frame, of_link, request_id_of
from speakback.providers.adapters.elevenlabs.options import Patience
from speakback.providers.adapters.elevenlabs.wire import Answer, Dialect, NotUnderstood, read_answer
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.link.failures import LinkLost
from speakback.providers.link.opening import Destination
from speakback.providers.link.socket import LinkSocket, SocketEvents

FRAMES_AHEAD = 2048
"""Frames that wait for one utterance's reader; one that does not read for so long is dropped."""
TICKS_PER_KEEP_ALIVE = 4
PROPER_CLOSE = 1000


@dataclass(frozen=True, slots=True)
class Heard:
    """What came for an utterance: audio (bytes of the socket's format) and its alignment, or its end."""

    audio: bytes
    alignment: object
    is_final: bool


class Wake:
    """Put into an inbox by its reader's own side: there is more to say."""


@dataclass(eq=False, slots=True)
class Line:
    """One utterance on a socket."""

    socket: "ContextSocket"
    context_id: str
    inbox: "asyncio.Queue[Heard | ProviderError | Wake]" = field(default_factory=lambda: asyncio.Queue(FRAMES_AHEAD))

    def say(self, text: str) -> None:
        """Speak this now. On a socket that is gone it goes nowhere: the inbox has told why."""
        self.socket.say(self, text)

    @property
    def state(self) -> ContextState | None:
        """What has become of it."""
        return self.socket.contexts.state(self.context_id)

    def heard(self, *, of_last_words: bool) -> None:
        """Audio was taken from the inbox; `of_last_words`: of what was said last."""
        self.socket.write(self.socket.contexts.audio(self.context_id, of_last_words=of_last_words))

    def finish(self) -> None:
        """Nothing more will be said."""
        self.socket.write(self.socket.contexts.finish(self.context_id))

    def close_now(self) -> None:
        """End it, whatever has become of its last words."""
        self.socket.write(self.socket.contexts.close_now(self.context_id))

    def hang_up(self) -> None:
        """Nobody listens any more. Harmless where it has ended."""
        self.socket.hang_up(self)


class ContextSocket:
    """An open socket of one voice, with at most as many utterances at a time as it bears.

    A context that never ends, as its end marker was lost, keeps its slot at the service: then the socket
    takes no new utterance, and is closed once the others are over.
    """

    def __init__(self, dialect: Dialect, patience: Patience, where: Where, changed: Callable[[], None]) -> None:
        self.contexts = Contexts(dialect)
        self.where = where
        self._dialect = dialect
        self._patience = patience
        self._changed = changed
        self._lines: dict[str, Line] = {}
        self._closing_since: dict[str, float] = {}
        self._link: LinkSocket | None = None
        self._tainted = False
        self.was_of_use = False
        """Whether any audio came. See `Pooled`."""
        self._kept_at_s = self._now_s()

    @classmethod
    async def open(
        cls,
        destination: Destination,
        dialect: Dialect,
        patience: Patience,
        where: Where,
        changed: Callable[[], None],
    ) -> "ContextSocket":
        """Connect, and say what is to be said first. Raises `LinkRefused` or `LinkUnreachable`."""
        socket = cls(dialect, patience, where, changed)
        events = SocketEvents(socket._on_message, socket._on_lost, socket._on_tick)
        link = await LinkSocket.open(destination, events, patience.keep_alive_s / TICKS_PER_KEEP_ALIVE)
        socket._link = link
        socket.where = Where(where.provider, where.region, request_id_of(link.headers))
        socket.write(dialect.greeting())
        return socket

    @property
    def is_open(self) -> bool:
        """Whether it is connected."""
        return self._link is not None and self._link.is_open

    @property
    def is_ready(self) -> bool:
        """See `Pooled`. One that was silent too long may be dead without our knowing."""
        link = self._link
        is_fresh = link is not None and link.is_open and link.idle_s <= self._patience.max_idle_s
        return is_fresh and not self._tainted and self.contexts.has_room

    @property
    def is_spent(self) -> bool:
        """See `Pooled`."""
        return not self._lines and (not self.is_open or self._tainted or self.contexts.is_spent)

    @property
    def is_unused(self) -> bool:
        """See `Pooled`: closing contexts of utterances that nobody hears do count as use."""
        return self.contexts.in_use == 0

    def begin(self, dialect: Dialect | None = None) -> Line:
        """A line for one utterance, in `dialect` if it has one of its own. Raises `ContextMisused` without room."""
        line = Line(self, self.contexts.new(self._now_s(), dialect))
        self._lines[line.context_id] = line
        self._changed()
        return line

    def say(self, line: Line, text: str) -> None:
        """See `Line.say`."""
        if self._lines.get(line.context_id) is line and self.is_open:
            self.write(self.contexts.say(line.context_id, text, self._now_s()))

    def write(self, messages: Iterable[str]) -> None:
        """Queue messages."""
        if self._link is not None:
            for message in messages:
                self._link.send(message)

    def hang_up(self, line: Line) -> None:
        """See `Line.hang_up`."""
        if self._lines.pop(line.context_id, None) is not None:
            self.write(self.contexts.drop(line.context_id))
            # A socket that serves but once is not waited for: it is closed, with whatever it still makes.
            self._tainted = self._tainted or not self.contexts.serves_more
            if self.contexts.state(line.context_id) is not None:
                self._closing_since[line.context_id] = self._now_s()
        self._changed()

    def distrust(self) -> None:
        """It is open, but may not be alive: nothing new begins on it."""
        self._tainted = True
        self._changed()

    async def aclose(self) -> None:
        """Close; who still listens is told."""
        tainted = self._tainted
        self._tell_all(self.where.error(Failure.BROKE_OFF, "the connection was closed by us"))
        if self._link is not None:
            await self._link.aclose(None if tainted else self._dialect.goodbye())

    # ---- what the socket tells ----------------------------------------------------------------

    def _on_message(self, message: str) -> None:
        try:
            answer = read_answer(message)
        except NotUnderstood as error:
            self._tell_all(self.where.error(Failure.BAD_ANSWER, str(error)))
            return
        if answer.error is not None:
            self._tell_all(of_frame(answer.error, self.where))
            return
        context_id = answer.context_id if self._dialect.names_contexts else self.contexts.sole()
        line = self._lines.get(context_id or "")
        if context_id in self._closing_since:
            self._closing_since[context_id] = self._now_s()
        if answer.is_final:
            self.contexts.final(context_id)
            self._closing_since.pop(context_id or "", None)
            self._changed()
        if line is not None and (answer.audio is not None or answer.is_final):
            self.was_of_use = self.was_of_use or answer.audio is not None
            self._deliver(line, self._heard(answer))

    def _heard(self, answer: Answer) -> Heard | ProviderError:
        try:
            audio = b64decode(answer.audio or "", validate=True)
        except (binascii.Error, ValueError):
            return self.where.error(Failure.BAD_ANSWER, "audio came that is not whole base64")
        return Heard(audio, answer.alignment, answer.is_final)

    def _deliver(self, line: Line, what: Heard | ProviderError) -> None:
        try:
            line.inbox.put_nowait(what)
        except asyncio.QueueFull:
            self.hang_up(line)
            _put_last(line, self.where.error(Failure.BROKE_OFF, "its audio was not taken as fast as it came"))

    def _on_lost(self, loss: LinkLost) -> None:
        if loss.code == PROPER_CLOSE:
            # It did what closing contexts asked for, though their end markers were lost.
            for line in [one for one in self._lines.values() if one.state is ContextState.CLOSING]:
                self._deliver(line, Heard(b"", None, is_final=True))
                self._lines.pop(line.context_id, None)
                self.contexts.final(line.context_id)
        self._tell_all(of_link(loss, self.where))

    def _tell_all(self, error: ProviderError) -> None:
        """The socket is of no more use: each of its utterances has failed."""
        self._tainted = True
        lines, self._lines = self._lines, {}
        for line in lines.values():
            self.contexts.final(line.context_id)
            _put_last(line, error)
        self._changed()

    def _on_tick(self, now_s: float) -> tuple[str, ...]:
        """Keep alive what is silent; give up on contexts that do not come to their end."""
        overdue = [one for one, since_s in self._closing_since.items() if now_s - since_s > self._patience.keep_alive_s]
        for context_id in overdue:
            del self._closing_since[context_id]
            self._tainted = True
            self._changed()
        idle_s = self._patience.keep_alive_s * (1 - 1 / TICKS_PER_KEEP_ALIVE)
        messages = self.contexts.keep_alive(now_s, idle_s)
        if self.contexts.serves_more and now_s - self._kept_at_s >= idle_s:
            self._kept_at_s = now_s
            return (*messages, self._dialect.keep_socket())
        return messages

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()


def _put_last(line: Line, error: ProviderError) -> None:
    """The end of an utterance, in place of what was heard last where there is no room."""
    if line.inbox.full():
        line.inbox.get_nowait()
    line.inbox.put_nowait(error)
