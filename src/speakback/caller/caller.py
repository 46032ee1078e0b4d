"""A paced, full-duplex caller: a microphone that never stops, a loudspeaker that plays at once.

It behaves as a standard client does: when the server says that the user speaks while agent audio is
playing, it falls silent at once and says how much of the item was really played. And where the server gives resume
tokens, a line that is lost is not the end of the call: it takes the conversation up on another one, and sends faster
than real time what the microphone recorded meanwhile.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from random import Random

from speakback.audio.pcm import Samples
from speakback.caller import client_events, server_events
from speakback.caller.call_log import CallLog, TranscriptLine
from speakback.caller.errors import CallError
from speakback.caller.line import CannotConnectNow, Dialler, Line, LineEnded, dialling, receive
from speakback.caller.loudspeaker import Loudspeaker
from speakback.caller.microphone import Microphone, room_noise
from speakback.caller.outages import LostLine
from speakback.caller.pacing import Pacer
from speakback.caller.reconnecting import is_to_be_resumed, waits_s
from speakback.caller.record import CallRecord
from speakback.caller.uplink import Uplink

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
    async with dialling(url, api_key, wishes) as dialler:
        microphone = Microphone(room_noise() if background is None else background)
        caller = Caller(dialler, await dialler.dial(), microphone, on_line)
        tasks = [asyncio.create_task(work) for work in (caller.talk(), caller.listen())]
        try:
            yield caller
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await caller.hang_up()


class Caller:
    """One call. Made by `calling`."""

    def __init__(self, dialler: Dialler, line: Line, microphone: Microphone, on_line: OnLine) -> None:
        self.log = CallLog(correlation_id=line.correlation_id)
        self._dialler = dialler
        self._line: Line | None = line
        """None while there is none."""
        self._token = line.token
        self._is_told_to_go = False
        self._lost_lines: list[LostLine] = []
        self._microphone = microphone
        self._loudspeaker = Loudspeaker()
        self._on_line = on_line
        self._started_s = time.monotonic()
        self._pacer = Pacer(0.0)
        self._uplink = Uplink()
        self._silenced: set[str] = set()
        """Items that were cut here; what still comes of them is not played."""
        self._acknowledged_ms = 0.0
        self._news = asyncio.Event()
        self._failure: Exception | None = None

    # ---- what a script does -------------------------------------------------------------------

    async def say(self, audio_24k: Samples) -> None:
        """Say it; returns when its last frame has been handed over. Raises `CallError`."""
        self._microphone.say(audio_24k)
        await self.until(lambda: not self._is_talking)

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
        if self._is_talking or self._line is None or self.log.is_busy:
            return 0.0
        spoke_ms = [interval.end_ms + self._pacer.slipped_ms for interval in self._microphone.spoken[-1:]]
        return self.now_ms() - max([self._loudspeaker.ends_ms(), self.log.last_news_ms, *spoke_ms])

    def record(self) -> CallRecord:
        """What was noted so far."""
        return CallRecord(
            frames=self._uplink.frames(),
            spoken=tuple(each for each in self._microphone.spoken if each.end_ms <= self._uplink.handed_ms),
            stretches=tuple(self._loudspeaker.stretches),
            log=self.log,
            slipped_ms=self._pacer.slipped_ms,
            lost_lines=tuple(self._lost_lines),
        )

    # ---- the two tasks ------------------------------------------------------------------------

    async def talk(self) -> None:
        """Record the microphone's frames, each when it is full, and send what waits."""
        await self._guarded(self._talk())

    async def listen(self) -> None:
        """Take in what the server sends, on one line after the other."""
        await self._guarded(self._listen())

    async def hang_up(self) -> None:
        """Close the line, if there is one."""
        if self._line is not None:
            await self._line.socket.close()

    async def _talk(self) -> None:
        while True:
            await asyncio.sleep(max(self._pacer.due_ms() - self.now_ms(), 0) / 1000)
            self._uplink.record(self._pacer.spoken_ms(), self._microphone.next_frame())
            await self._send_frames()
            at_ms = self.now_ms()
            self._pacer.sent(at_ms)
            await self._acknowledge(at_ms)
            self._news.set()

    async def _listen(self) -> None:
        while self._line is not None:
            try:
                while True:
                    await self._take(server_events.read_event(await receive(self._line.socket)))
            except LineEnded as ended:
                self._line = await self._another_line(self._line, ended)

    async def _guarded(self, work: Coroutine[None, None, None]) -> None:
        """Whatever ends a task early ends the call: `until` raises it."""
        try:
            await work
        except Exception as problem:
            self._failure = self._failure or problem
            self._news.set()

    # ---- to the server ------------------------------------------------------------------------

    async def _send_frames(self) -> None:
        """All that wait: one, or behind an outage many at once."""
        while self._uplink.has_waiting:
            at_ms = self.now_ms()
            if not await self._send(client_events.append(self._uplink.next_frame())):
                return
            self._uplink.sent(at_ms)

    async def _acknowledge(self, at_ms: float) -> None:
        item_id = self._loudspeaker.playing(at_ms)
        if item_id is None:
            self._acknowledged_ms = 0.0  # the next reply's first audio is told of at once
        elif at_ms - self._acknowledged_ms >= ACK_EVERY_MS:
            self._acknowledged_ms = at_ms
            played_ms = self._loudspeaker.played_ms(item_id, at_ms)
            buffered_ms = self._loudspeaker.buffered_ms(item_id, at_ms)
            await self._send(client_events.playback_ack(item_id, played_ms, buffered_ms))

    async def _send(self, text: str) -> bool:
        """Whether there was a line to send it on."""
        if self._line is None:
            return False
        try:
            await self._line.socket.send_str(text)
        except ConnectionError:
            return False  # `listen` learns why the line is closed, and does what is to be done
        return True

    # ---- from the server ----------------------------------------------------------------------

    async def _take(self, event: server_events.ServerEvent) -> None:
        at_ms = self.now_ms()
        line = self.log.take(event, at_ms)
        if line is not None:
            self._on_line(line)
        match event:
            case server_events.AudioDelta() if event.item_id not in self._silenced:
                self._loudspeaker.play(event.item_id, event.audio_24k(), at_ms)
            case server_events.SpeechStarted():
                await self._fall_silent(at_ms)
            case server_events.ResumeToken():
                self._token = event
            case server_events.GoingAway():
                self._is_told_to_go = True
            case _:
                pass
        self._news.set()

    async def _fall_silent(self, at_ms: float) -> None:
        item_id = self._loudspeaker.playing(at_ms)
        if item_id is None:
            return
        self._loudspeaker.flush(at_ms)
        self._silenced.add(item_id)
        await self._send(client_events.truncate(item_id, self._loudspeaker.played_ms(item_id, at_ms)))

    # ---- between two lines --------------------------------------------------------------------

    async def _another_line(self, lost: Line, ended: LineEnded) -> Line:
        """Take the conversation up on another line. Raises `CallError` where that cannot be."""
        token, was_told = self._token, self._is_told_to_go
        if token is None or not is_to_be_resumed(ended.close_code, was_told=was_told):
            raise ended
        lost_ms, was_speaking = self.now_ms(), self.log.current_reply is not None
        self._line, self._is_told_to_go = None, False  # the token stays until another comes: it may count once more
        await lost.socket.close()
        line, tries = await self._dialled_again(token.token)
        back_ms, resumed = self.now_ms(), line.resumed
        assert resumed is not None
        self._lost_lines.append(
            LostLine(lost_ms, back_ms, ended.close_code, tries, was_speaking, resumed.owes_reply)
        )  # fmt: skip
        self.log.resumed(resumed.owes_reply, back_ms)
        self._uplink.go_back(resumed.heard_ms)
        return line

    async def _dialled_again(self, token: str) -> tuple[Line, int]:
        """The line, and how many tries it took. Raises `CallError` where none is to be had, or not in time."""
        problem: CallError | None = None
        tries = 0
        for wait_s in waits_s(Random()):
            await asyncio.sleep(wait_s)
            tries += 1
            try:
                return await self._dialler.dial_again(token), tries
            except (CannotConnectNow, LineEnded) as failed:
                problem = failed
        raise CallError(f"the line was lost and could not be had again in {tries} tries: {problem}")

    # ---- within -------------------------------------------------------------------------------

    @property
    def _is_talking(self) -> bool:
        return self._microphone.is_talking or self._uplink.has_waiting

    def _agent_speaks_for(self, ms: int) -> bool:
        now_ms = self.now_ms()
        item_id = self._loudspeaker.playing(now_ms)
        return item_id is not None and self._loudspeaker.played_ms(item_id, now_ms) >= ms

    def _last_byte_ms(self) -> float:
        return max((reply.last_byte_ms or 0.0 for reply in self.log.replies.values()), default=0.0)
