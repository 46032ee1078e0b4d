"""One context's way from texts to frames: one clip after the other, each when the service would have it."""

import asyncio
from dataclasses import dataclass
from random import Random

from speakback.emulators.elevenlabs.errors import SOMETHING_WENT_WRONG, RefusedError
from speakback.emulators.elevenlabs.frames import FrameWriter
from speakback.emulators.elevenlabs.pieces import Clip, Piece, cut, halved, odd, speak
from speakback.emulators.elevenlabs.query import SocketQuery
from speakback.emulators.elevenlabs.service import Service
from speakback.emulators.elevenlabs.wire import AbortedEnding, FailedEnding, Wire
from speakback.emulators.faults import SLOW_FIRST_BYTE_MS, Fault
from speakback.emulators.latency import Percentiles
from speakback.emulators.profiles import Profile

BREAKING_OFF = (Fault.CLOSE_1008, Fault.CLOSE_1006, Fault.STALLED)
OF_AN_UTTERANCE = (
    *BREAKING_OFF,
    Fault.SILENT_SUCCESS,
    Fault.SLOW_FIRST_BYTE,
    Fault.NOT_JSON,
    Fault.TRUNCATED_BASE64,
    Fault.ODD_BYTES,
)
NOT_JSON = "<html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Desk:
    """What the contexts of one socket share."""

    service: Service
    wire: Wire
    query: SocketQuery
    name: str
    """The socket's."""


@dataclass(frozen=True, slots=True)
class _Order:
    text: str
    due_s: float
    """Of the loop's clock: when the first frame may go."""
    fault: Fault | None


class Line:
    """Speaks what it is told in order, then says that it was all. `run` must run for that.

    Everything is drawn when it is told, so that the draws do not depend on how long anything takes.
    """

    def __init__(self, desk: Desk, writer: FrameWriter, rng: Random) -> None:
        self._desk = desk
        self._writer = writer
        self._rng = rng
        self._orders = asyncio.Queue[_Order | None]()
        self._unheard = 0
        self._is_dropped = False
        self._has_final = True

    def say(self, texts: list[str]) -> None:
        """Each becomes a clip. Raises `FailedEnding` where the credits do not suffice."""
        options = self._desk.service.options
        for text in texts:
            quota_is_out = options.faults.strike(self._rng, Fault.QUOTA) is not None
            try:
                self._desk.service.charge(self._desk.query.model, text, quota_is_out=quota_is_out)
            except RefusedError as refused:
                raise FailedEnding(refused.refusal.as_socket_error()) from None
            latency_ms = first_audio(options.profile, self._desk.query.model.model_id).draw_ms(self._rng)
            fault = options.faults.strike(self._rng, *OF_AN_UTTERANCE)
            latency_ms += options.region_ms + (SLOW_FIRST_BYTE_MS if fault is Fault.SLOW_FIRST_BYTE else 0)
            due_s = asyncio.get_running_loop().time() + latency_ms / 1000
            self._unheard += 1
            self._orders.put_nowait(_Order(text, due_s, fault))

    def finish(self, *, may_lose: bool = False) -> None:
        """No more texts. What was set off, and is not heard yet, may be lost where that may happen at all."""
        loses = self._loses_race()
        self._is_dropped = loses and may_lose and self._unheard > 0
        self._has_final = self._desk.service.options.faults.strike(self._rng, Fault.MISSING_FINAL) is None
        self._orders.put_nowait(None)

    async def run(self) -> None:
        """Until the final message was sent. Raises an `Ending`."""
        while (order := await self._orders.get()) is not None:
            with self._desk.service.generating(self._desk.name):
                await self._generate(order)
        if self._has_final:
            await self._desk.wire.send(self._writer.final())

    def _loses_race(self) -> bool:
        """As often as the faults say; on a bad day on half as many occasions as any common fault."""
        faults = self._desk.service.options.faults
        return self._rng.random() < faults.shares.get(Fault.DROP_AFTER_FLUSH_CLOSE, faults.any_share / 2)

    async def _generate(self, order: _Order) -> None:
        service, query = self._desk.service, self._desk.query
        clip = await speak(service.options.speaker, order.text, query.format, tags_are_read=query.model.is_dialogue)
        await asyncio.sleep(max(0.0, order.due_s - asyncio.get_running_loop().time()))
        if self._is_dropped:
            return
        self._unheard -= 1
        if order.fault is not Fault.SILENT_SUCCESS:
            await self._send(self._pieces(clip, order.fault), order.fault)
        message = self._writer.generated()
        if message is not None:
            await self._desk.wire.send(message)

    def _pieces(self, clip: Clip, fault: Fault | None) -> list[Piece]:
        guesses, sync_alignment = self._desk.service.options.guesses, self._desk.query.sync_alignment
        if fault in BREAKING_OFF:
            return halved(clip, sync_alignment=sync_alignment)
        pieces = cut(clip, first_ms=guesses.first_frame_ms, tail_ms=guesses.tail_ms, sync_alignment=sync_alignment)
        return odd(pieces) if fault is Fault.ODD_BYTES else pieces

    async def _send(self, pieces: list[Piece], fault: Fault | None) -> None:
        pace = self._desk.service.options.profile.audio_times_real_time
        for index, piece in enumerate(pieces):
            if index and pace:
                await asyncio.sleep(piece.duration_ms / 1000 / pace)
            if index == 0 and fault is Fault.NOT_JSON:
                await self._desk.wire.send(NOT_JSON)
            is_truncated = index == 0 and fault is Fault.TRUNCATED_BASE64
            await self._desk.wire.send(self._writer.audio(piece, is_truncated=is_truncated))
            if fault in BREAKING_OFF:
                await break_off(fault)


async def break_off(fault: Fault | None) -> None:
    """In the midst of an utterance. Raises an `Ending`, or never returns."""
    if fault is Fault.CLOSE_1008:
        raise FailedEnding(SOMETHING_WENT_WRONG)
    if fault is Fault.CLOSE_1006:
        raise AbortedEnding
    await asyncio.Event().wait()


def first_audio(profile: Profile, model_id: str) -> Percentiles:
    """How long a model takes to its first frame."""
    if model_id == "eleven_v4_turbo":
        return profile.turbo_v4_first_audio
    if model_id.startswith(("eleven_v3", "eleven_v4")):
        return profile.expressive_first_audio
    return profile.flash_first_audio
