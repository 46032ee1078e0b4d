"""One caller: says its lines when they are due, plays what it is sent, notes both.

It behaves as a standard client does: it tells how far its loudspeaker is, and when the server says that the user speaks
over the agent it falls silent and says how much was played. It has no task: the clock and the line call it.
"""

import asyncio
from collections.abc import Callable, Iterator

from speakback.audio.resample import DELAY_MS
from speakback.caller import client_events
from speakback.caller import server_events as se
from speakback.caller.errors import CallError
from speakback.gateway.binary import AudioFrame, BadFrame, Kind, pack, unpack
from speakback.load.hearing import Ear, NoReply
from speakback.load.plan import Utterance
from speakback.load.record import CallerRecord, Ended
from speakback.load.speaking import Mouth
from speakback.load.wire import Wire
from speakback.vad.hysteresis import VadConfig

SESSION_UPDATE = (
    '{"type": "session.update", "session": {"type": "realtime", '
    '"speakback": {"binary_audio": true, "events": ["latency"], "playback_ack": true}}}'
)
"""Audio both ways in binary messages, and the server's ledger of each turn."""
ACK_EVERY_FRAMES = 10
"""200 ms."""
OWN_SPEECH_MS = 3000.0
"""After the caller spoke up for the last time, a pause in the reply may be the agent giving way."""
MIN_SILENCE_MS = VadConfig().min_silence_ms
_LESS_THAN_A_SAMPLE_MS = 0.03


class TurnedAwayError(Exception):
    """The server has no room now."""

    def __init__(self, retry_after_s: float | None) -> None:
        super().__init__("the server has no room")
        self.retry_after_s = retry_after_s


class Talker:
    """Is a `wire.Receiver` and `pacing.Paced`. To be made on the event loop."""

    def __init__(
        self,
        record: CallerRecord,
        lines: Iterator[Utterance],
        room: tuple[bytes, ...],
        now_ms: Callable[[], float],
        hush_ms: Callable[[], float],
        on_end: Callable[["Talker"], None],
    ) -> None:
        """`hush_ms` tells by when the caller must have said its last word; `on_end` is told once its line is down."""
        self.record = record
        self.settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once the session is set up. Else raises `TurnedAwayError` or `CallError`."""
        self._wire: Wire | None = None
        self._is_leaving = False
        self._now_ms = now_ms
        self._on_end = on_end
        self._mouth = Mouth(lines, room, hush_ms, record.spoken)
        self._ear = Ear(record.replies)

    @property
    def is_on_line(self) -> bool:
        return self._wire is not None and self._wire.is_open

    def hang_up(self) -> None:
        """Begin to leave; `on_end` is called once that is done."""
        self._is_leaving = True
        if self._wire is not None:
            self._wire.hang_up()

    def give_up(self) -> None:
        """Leave at once."""
        self._is_leaving = True
        self.settled.cancel()
        if self._wire is not None:
            self._wire.abort()

    # ---- speaking: pacing.Paced ---------------------------------------------------------------

    def send_frame(self, at_ms: float) -> None:
        """See `Paced`."""
        if self._wire is None or not self._wire.is_open:
            return
        number = self._mouth.frames
        self._wire.send_binary(pack(AudioFrame(Kind.USER_AUDIO, number, self._mouth.next_frame(at_ms))))
        self.record.congested_frames += self._wire.is_congested
        if self._mouth.frames % ACK_EVERY_FRAMES == 0 and (position := self._ear.position(at_ms)):
            played_ms, buffered_ms = position.played_ms, position.buffered_ms
            self._wire.send_text(client_events.playback_ack(position.item_id, played_ms, buffered_ms))

    def has_open_business(self) -> bool:
        """Whether it asked and has heard nothing since, or the reply is not over: its ledger comes at its end."""
        asked = self._mouth.last_question()
        if asked is None or self.record.ended is not None:
            return False
        answers = [
            reply
            for reply in self.record.replies[-2:]
            if asked.last_ms is not None and reply.first_byte_ms > asked.last_ms
        ]
        return not answers or answers[-1].status is None

    # ---- hearing: wire.Receiver ---------------------------------------------------------------

    def connected(self, wire: Wire) -> None:
        """See `Receiver`."""
        self._wire = wire

    def opened(self) -> None:
        """See `Receiver`."""
        assert self._wire is not None
        self._wire.send_text(SESSION_UPDATE)

    def refused(self, status: int, retry_after_s: float | None) -> None:
        """See `Receiver`."""
        self._is_leaving = True
        self._settle(TurnedAwayError(retry_after_s) if status == 503 else CallError(_refusal(status)))

    def text(self, text: str) -> None:
        """See `Receiver`."""
        try:
            self._take(se.read_event(text), self._now_ms())
        except CallError as problem:
            self._fault(str(problem))

    def binary(self, data: bytes) -> None:
        """See `Receiver`."""
        at_ms = self._now_ms()
        try:
            dry_ms = self._ear.take(unpack(data), at_ms)
        except BadFrame as problem:
            self._fault(str(problem))
        except NoReply:
            self._fault("the server sent agent audio without saying of which reply")
        else:
            self.record.gaps_in_sequence = self._ear.gaps_in_sequence
            if dry_ms > 0 and not self._mouth.spoke_since(at_ms - dry_ms - OWN_SPEECH_MS):
                self.record.replies[-1].gaps_ms.append(dry_ms)

    def closed(self, code: int, reason: str) -> None:
        """See `Receiver`."""
        self._settle(
            CallError(f"the server ended the call before it began (close code {code}: {reason or 'no reason'})")
        )
        if self.record.joined_ms is not None and not self._is_leaving:
            self.record.ended = Ended(self._now_ms(), code, reason)
        self._on_end(self)

    # ---- within -------------------------------------------------------------------------------

    def _take(self, event: se.ServerEvent, at_ms: float) -> None:
        match event:
            case se.SessionAnswered(type="session.updated"):
                self._settle(None)
            case se.AudioBegun():
                self._ear.begin(event.response_id, event.item_id, at_ms)
            case se.SpeechStarted():
                self._fall_silent(at_ms)
            case se.SpeechStopped():
                self._note_end_of_voice(event)
            case se.LatencyTold(latency=latency):
                for reply in self._ear.called(latency.response_id):
                    reply.latency = latency
            case se.ReplyDone():
                for reply in self._ear.called(event.response.id):
                    reply.done_ms, reply.status = at_ms, event.response.status
            case se.ServerError():
                self._fault(event.error.message)
            case _:
                pass

    def _fault(self, message: str) -> None:
        self.record.errors.append(message)
        self._settle(CallError(f"the server refused the session: {message}"))

    def _settle(self, problem: Exception | None) -> None:
        if self.settled.done():
            return
        if problem is None:
            self.settled.set_result(None)
        else:
            self.settled.set_exception(problem)

    def _fall_silent(self, at_ms: float) -> None:
        position = self._ear.fall_silent(at_ms)
        if self._wire is not None and position is not None:
            self._wire.send_text(client_events.truncate(position.item_id, position.played_ms))

    def _note_end_of_voice(self, event: se.SpeechStopped) -> None:
        """The server dates the end back by its VAD's silence from the packet that made it sure; so does this."""
        sure_at_ms = event.audio_end_ms + MIN_SILENCE_MS + DELAY_MS - _LESS_THAN_A_SAMPLE_MS
        handed_ms = self._mouth.handed_ms(sure_at_ms)
        if handed_ms is not None:
            self.record.voice_ended_ms[event.item_id] = handed_ms - MIN_SILENCE_MS


def _refusal(status: int) -> str:
    reasons = {
        401: "the server wants an API key, and none was given or a wrong one: set SPEAKBACK_API_KEY to one it accepts",
        403: "the server refuses this caller",
        404: "there is no conversation at this path: it is usually /v1/realtime",
    }
    return f"{reasons.get(status, 'the server did not open a WebSocket')} (HTTP {status})."
