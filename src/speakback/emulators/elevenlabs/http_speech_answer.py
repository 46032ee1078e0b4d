"""One answer with speech in it, over HTTP: in chunks or whole, with times or without."""

import asyncio
import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from aiohttp import web

from speakback.emulators.elevenlabs.alignment import Alignment
from speakback.emulators.elevenlabs.catalogue import Model
from speakback.emulators.elevenlabs.formats import AudioFormat
from speakback.emulators.elevenlabs.http_answers import answer_headers, break_connection
from speakback.emulators.elevenlabs.pieces import Clip, Piece, cut, halved, odd, speak
from speakback.emulators.elevenlabs.service import Service
from speakback.emulators.faults import SLOW_FIRST_BYTE_MS, Fault

LEAST_CHUNK_BYTES, MOST_CHUNK_BYTES = 2001, 8801
"""Of a stream: 5.4 kB on average in the capture."""
OF_AN_ANSWER = (
    Fault.CLOSE_1006,
    Fault.STALLED,
    Fault.SILENT_SUCCESS,
    Fault.SLOW_FIRST_BYTE,
    Fault.NOT_JSON,
    Fault.TRUNCATED_BASE64,
    Fault.ODD_BYTES,
    Fault.LYING_CONTENT_LENGTH,
    Fault.NO_ALIGNMENT,
)


@dataclass(frozen=True, slots=True)
class Shape:
    """Which of the endpoints it is."""

    is_stream: bool
    has_times: bool
    is_dialogue: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be spoken, and what it costs."""

    text: str
    model: Model
    format: AudioFormat
    cost: int


class SpeechAnswer:
    """One answer, once everything about the request is right."""

    def __init__(self, service: Service, shape: Shape, request: web.Request, rng: Random, order: Order) -> None:
        self._service = service
        self._shape = shape
        self._request = request
        self._rng = rng
        self._order = order
        self._fault = service.options.faults.strike(rng, *OF_AN_ANSWER)

    async def give(self, arrived_s: float) -> web.StreamResponse:
        options, order = self._service.options, self._order
        clip = await speak(options.speaker, order.text, order.format, tags_are_read=order.model.is_dialogue)
        late_ms = SLOW_FIRST_BYTE_MS if self._fault is Fault.SLOW_FIRST_BYTE else 0
        wait_ms = options.profile.http_first_byte.draw_ms(self._rng) + options.region_ms + late_ms
        await asyncio.sleep(max(0.0, arrived_s + wait_ms / 1000 - asyncio.get_running_loop().time()))
        chunks = [] if self._fault is Fault.SILENT_SUCCESS else self._chunks(clip)
        return await (self._stream(chunks, clip) if self._shape.is_stream else self._whole(chunks))

    @property
    def _headers(self) -> dict[str, str]:
        """What comes with the first byte."""
        headers = answer_headers(self._service, self._rng, self._order.model)
        headers["character-cost"] = str(self._order.cost)
        headers["Content-Type"] = "application/json" if self._shape.has_times else self._order.format.content_type
        return headers

    def _chunks(self, clip: Clip) -> list[bytes]:
        if self._shape.has_times:
            return list(self._lines(self._pieces(clip)))
        audio = clip.audio[:-1] if self._fault is Fault.ODD_BYTES else clip.audio
        return list(self._slices(audio)) if self._shape.is_stream else [audio]

    def _slices(self, audio: bytes) -> Iterator[bytes]:
        """Of odd sizes on purpose: nobody may take a chunk for whole samples."""
        at = 0
        while at < len(audio):
            size = self._rng.randrange(LEAST_CHUNK_BYTES, MOST_CHUNK_BYTES, 2)
            yield audio[at : at + size]
            at += size

    def _pieces(self, clip: Clip) -> list[Piece]:
        guesses = self._service.options.guesses
        if not self._shape.is_stream:
            in_one = cut(clip, first_ms=float("inf"), tail_ms=clip.duration_ms, sync_alignment=True)
            return in_one or [Piece(b"", 0.0, None, None)]
        if self._fault in (Fault.CLOSE_1006, Fault.STALLED):
            return halved(clip, sync_alignment=True)
        pieces = cut(clip, first_ms=guesses.first_frame_ms, tail_ms=guesses.tail_ms, sync_alignment=True)
        return odd(pieces) if self._fault is Fault.ODD_BYTES else pieces

    def _lines(self, pieces: list[Piece]) -> Iterator[bytes]:
        """The times of a line go on from those of the line before.  # unverified -"""
        before_ms = 0.0
        for index, piece in enumerate(pieces):
            audio = base64.b64encode(piece.audio).decode("ascii")
            if index == 0 and self._fault is Fault.TRUNCATED_BASE64:
                audio = audio.rstrip("=")[:-3]
            is_bare = self._fault is Fault.NO_ALIGNMENT
            line = {
                "audio_base64": audio,
                "alignment": None if is_bare else _in_seconds(piece.alignment, before_ms),
                "normalized_alignment": None if is_bare else _in_seconds(piece.normalized, before_ms),
            }
            before_ms += piece.duration_ms
            text = "<html>" if index == 0 and self._fault is Fault.NOT_JSON else json.dumps(line)
            yield text.encode() + (b"\n" if self._shape.is_stream else b"")

    async def _whole(self, chunks: list[bytes]) -> web.StreamResponse:
        body = b"".join(chunks)
        if self._fault is Fault.CLOSE_1006:
            break_connection(self._request)
        if self._fault is Fault.STALLED:
            await asyncio.Event().wait()
        if self._fault is Fault.LYING_CONTENT_LENGTH:
            return await self._lie(body)
        return web.Response(body=body, headers=self._headers)

    async def _stream(self, chunks: list[bytes], clip: Clip) -> web.StreamResponse:
        if self._fault is Fault.LYING_CONTENT_LENGTH:
            return await self._lie(b"".join(chunks))
        response = web.StreamResponse(headers=self._headers)
        response.enable_chunked_encoding()
        await response.prepare(self._request)
        pace = self._service.options.profile.audio_times_real_time
        total = sum(map(len, chunks)) or 1
        for index, chunk in enumerate(chunks):
            if index and pace:
                await asyncio.sleep(clip.duration_ms / 1000 * len(chunk) / total / pace)
            if self._fault in (Fault.CLOSE_1006, Fault.STALLED) and index == (len(chunks) + 1) // 2:
                break
            await response.write(chunk)
        if self._fault is Fault.CLOSE_1006:
            break_connection(self._request)
            return response
        if self._fault is Fault.STALLED:
            await asyncio.Event().wait()
        await response.write_eof()
        return response

    async def _lie(self, body: bytes) -> web.StreamResponse:
        """Promise more than comes, then hang up."""
        response = web.StreamResponse(headers=self._headers)
        response.content_length = len(body) + 1000
        await response.prepare(self._request)
        await response.write(body)
        transport = self._request.transport
        if transport is not None:
            transport.close()
        return response


def _in_seconds(alignment: Alignment | None, before_ms: float) -> dict[str, object] | None:
    if alignment is None:
        return None
    starts = [round(start + before_ms) for start in alignment.starts_ms]
    ends = [start + duration for start, duration in zip(starts, alignment.durations_ms, strict=True)]
    return {
        "characters": alignment.chars,
        "character_start_times_seconds": [start / 1000 for start in starts],
        "character_end_times_seconds": [end / 1000 for end in ends],
    }
