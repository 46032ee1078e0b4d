"""A paced, full-duplex caller: a microphone that never stops, a loudspeaker that plays at once.

It behaves as a standard client does: when the server says that the user speaks while agent audio is
playing, it falls silent at once and says how much of the item was really played.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from speakback.audio.pcm import Samples
from speakback.caller import client_events, server_events
from speakback.caller.call_log import CallLog, TranscriptLine
from speakback.caller.errors import CallError
from speakback.caller.line import ANSWER_WITHIN_S, Line, connected, receive
from speakback.caller.loudspeaker import Loudspeaker
from speakback.caller.microphone import Microphone, room_noise
from speakback.caller.pacing import Pacer
from speakback.caller.record import CallRecord, SentFrame

ACK_EVERY_MS = 200.0
"""How often the caller says how far its loudspeaker is."""

OnLine = Callable[[TranscriptLine], None]


def _ignore(line: TranscriptLine) -> None:
    """The default for who does not want the transcript as it comes."""


@asynccontextmanager
async def calling(
    url: str,
    api_key: str | None = None,
    *,
    background: Samples | None = None,
    on_line: OnLine = _ignore,
    wishes: client_events.Wishes = client_events.USUAL,
) -> AsyncIterator["Caller"]:
    """A call that lasts as long as the context; its microphone is open from the start.

    `background` is heard while the caller says nothing (a quiet room, unless given). Raises `CallError`.
    """
    async with connected(url, api_key, wishes) as line:
        caller = Caller(line, Microphone(room_noise() if background is None else background), on_line)
        tasks = [asyncio.create_task(work) for work in (caller.talk(), caller.listen())]
        try:
            yield caller
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class Caller:
    """One call. Made by `calling`."""

    def __init__(self, line: Line, microphone: Microphone, on_line: OnLine) -> None:
        self.log = CallLog(correlation_id=line.correlation_id)
        self._socket = line.socket
        self._microphone = microphone
        self._loudspeaker = Loudspeaker()
        self._on_line = on_line
        self._started_s = time.monotonic()
        self._pacer = Pacer(0.0)
        self._frames: list[SentFrame] = []
        self._silenced: set[str] = set()
        """Items that were cut here; what still comes of them is not played."""
        self._acknowledged_ms = 0.0
        self._news = asyncio.Event()
        self._failure: Exception | None = None

    # ---- what a script does -------------------------------------------------------------------

    async def say(self, audio_24k: Samples) -> None:
        """Say it; returns when its last frame has been handed over. Raises `CallError`."""
        self._microphone.say(audio_24k)
        await self.until(lambda: not self._microphone.is_talking)

    async def until(self, holds: Callable[[], bool], within_s: float | None = None) -> bool:
        """Wait until `holds()`, asked at each frame and event; False if it did not `within_s`. Raises `CallError`."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    if self._failure is not None:
                        raise self._failure
                    if holds():
                        return True
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False

    async def until_agent_spoke(self, ms: int, within_s: float) -> bool:
        """Wait until a reply can be heard that has been going on for `ms`; False if none was `within_s`."""
        return await self.until(lambda: self._agent_speaks_for(ms), within_s)

    async def until_answered(self, gap_ms: int, within_s: float) -> bool:
        """Wait until a reply to all that was said has been heard, and `gap_ms` more; False if none was `within_s`."""
        said_ms = self.now_ms()

        def is_answered() -> bool:
            return self._last_byte_ms() > said_ms and self.quiet_ms() >= gap_ms

        return await self.until(is_answered, within_s)

    async def until_quiet(self, ms: int, within_s: float) -> bool:
        """Wait until nothing has been said, and nothing was left to be answered, for `ms`; False if not `within_s`."""
        return await self.until(lambda: self.quiet_ms() >= ms, within_s)

    # ---- what can be asked --------------------------------------------------------------------

    def now_ms(self) -> float:
        """The call's clock."""
        return (time.monotonic() - self._started_s) * 1000

    def quiet_ms(self) -> float:
        """For how long neither side has said anything and the server had nothing more to do; 0 while it has."""
        if self._microphone.is_talking or self.log.is_busy:
            return 0.0
        spoke_ms = [interval.end_ms + self._pacer.slipped_ms for interval in self._microphone.spoken[-1:]]
        return self.now_ms() - max([self._loudspeaker.ends_ms(), self.log.last_news_ms, *spoke_ms])

    def record(self) -> CallRecord:
        """What was noted so far."""
        return CallRecord(
            frames=tuple(self._frames),
            spoken=tuple(interval for interval in self._microphone.spoken if interval.end_ms <= self._position_ms()),
            stretches=tuple(self._loudspeaker.stretches),
            log=self.log,
            slipped_ms=self._pacer.slipped_ms,
        )

    # ---- the two tasks ------------------------------------------------------------------------

    async def talk(self) -> None:
        """Send the microphone's frames, each when it is full."""
        await self._guarded(self._talk())

    async def listen(self) -> None:
        """Take in what the server sends."""
        await self._guarded(self._listen())

    async def _talk(self) -> None:
        while True:
            await asyncio.sleep(max(self._pacer.due_ms() - self.now_ms(), 0) / 1000)
            frame = self._microphone.next_frame()
            spoken_ms, at_ms = self._pacer.spoken_ms(), self.now_ms()
            await self._send(client_events.append(frame))
            self._frames.append(SentFrame(spoken_ms, at_ms, frame))
            self._pacer.sent(at_ms)
            await self._acknowledge(at_ms)
            self._news.set()

    async def _listen(self) -> None:
        while True:
            event = server_events.read_event(await receive(self._socket))
            at_ms = self.now_ms()
            line = self.log.take(event, at_ms)
            if line is not None:
                self._on_line(line)
            if isinstance(event, server_events.AudioDelta) and event.item_id not in self._silenced:
                self._loudspeaker.play(event.item_id, event.audio_24k(), at_ms)
            elif isinstance(event, server_events.SpeechStarted):
                await self._fall_silent(at_ms)
            self._news.set()

    async def _guarded(self, work: Coroutine[None, None, None]) -> None:
        """Whatever ends a task early ends the call: `until` raises it."""
        try:
            await work
        except Exception as problem:
            self._failure = self._failure or problem
            self._news.set()

    # ---- within -------------------------------------------------------------------------------

    async def _fall_silent(self, at_ms: float) -> None:
        item_id = self._loudspeaker.playing(at_ms)
        if item_id is None:
            return
        self._loudspeaker.flush(at_ms)
        self._silenced.add(item_id)
        await self._send(client_events.truncate(item_id, self._loudspeaker.played_ms(item_id, at_ms)))

    async def _acknowledge(self, at_ms: float) -> None:
        item_id = self._loudspeaker.playing(at_ms)
        if item_id is None:
            self._acknowledged_ms = 0.0  # the next reply's first audio is told of at once
        elif at_ms - self._acknowledged_ms >= ACK_EVERY_MS:
            self._acknowledged_ms = at_ms
            played_ms = self._loudspeaker.played_ms(item_id, at_ms)
            buffered_ms = self._loudspeaker.buffered_ms(item_id, at_ms)
            await self._send(client_events.playback_ack(item_id, played_ms, buffered_ms))

    async def _send(self, text: str) -> None:
        try:
            await self._socket.send_str(text)
        except ConnectionError:
            # `listen` learns why the line is closed, and says so.
            await asyncio.sleep(ANSWER_WITHIN_S)
            raise CallError("the line to the server is broken.") from None

    def _agent_speaks_for(self, ms: int) -> bool:
        now_ms = self.now_ms()
        item_id = self._loudspeaker.playing(now_ms)
        return item_id is not None and self._loudspeaker.played_ms(item_id, now_ms) >= ms

    def _last_byte_ms(self) -> float:
        return max((reply.last_byte_ms or 0.0 for reply in self.log.replies.values()), default=0.0)

    def _position_ms(self) -> int:
        return self._microphone.position_ms
