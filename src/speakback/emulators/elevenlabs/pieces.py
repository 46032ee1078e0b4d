"""A clip of encoded speech, cut as the service cuts it into frames: a large one, and a small tail."""

import asyncio
from dataclasses import dataclass, replace
from itertools import pairwise

from speakback.emulators.content import Speaker
from speakback.emulators.elevenlabs.alignment import (
    Alignment,
    of_spoken,
    of_spoken_without_tags,
    without_tags,
)
from speakback.emulators.elevenlabs.formats import CONTENT_HZ, AudioFormat, encode

MOST_MIDDLES = 2


@dataclass(frozen=True, slots=True)
class Clip:
    """The speech of one text."""

    audio: bytes
    duration_ms: float
    unit_bytes: int
    alignment: Alignment


@dataclass(frozen=True, slots=True)
class Piece:
    """What one frame carries."""

    audio: bytes
    duration_ms: float
    alignment: Alignment | None
    normalized: Alignment | None


async def speak(speaker: Speaker, text: str, target: AudioFormat, *, tags_are_read: bool) -> Clip:
    """The speech of a text; where tags are directions, they are not said."""
    spoken = await speaker.speak(without_tags(text) if tags_are_read else text)
    alignment = of_spoken_without_tags(text, spoken) if tags_are_read else of_spoken(text, spoken)
    audio = await asyncio.to_thread(encode, spoken.audio_24k, target)
    return Clip(audio, len(spoken.audio_24k) * 1000 / CONTENT_HZ, target.unit_bytes, alignment)


def cut(clip: Clip, *, first_ms: float, tail_ms: float, sync_alignment: bool) -> list[Piece]:
    """The frames of a clip; of one without audio, none.

    With `sync_alignment` every piece has the alignment of its own characters, cut where one of them begins. Else the
    first has the whole clip's.
    """
    return _cut_near(clip, _cuts_ms(clip.duration_ms, first_ms, tail_ms), sync_alignment) if clip.audio else []


def halved(clip: Clip, *, sync_alignment: bool) -> list[Piece]:
    """About half and half, for what breaks off in the midst."""
    return _cut_near(clip, [clip.duration_ms / 2], sync_alignment) if clip.audio else []


def _cut_near(clip: Clip, cuts_ms: list[float], sync_alignment: bool) -> list[Piece]:
    if not sync_alignment:
        return _cut_at(clip, cuts_ms, False)
    starts = [float(start) for start in clip.alignment.starts_ms if 0 < start < clip.duration_ms]
    nearest = {min(starts, key=lambda start: abs(start - at)) for at in cuts_ms} if starts else set[float]()
    return _cut_at(clip, sorted(nearest), True)


def _cuts_ms(duration_ms: float, first_ms: float, tail_ms: float) -> list[float]:
    if duration_ms <= 2 * tail_ms:
        return []
    last = duration_ms - tail_ms
    if last <= first_ms:
        return [last]
    middles = min(MOST_MIDDLES, 1 + int((last - first_ms) // first_ms))
    return [first_ms + (last - first_ms) * index / middles for index in range(middles + 1)]


def _cut_at(clip: Clip, cuts_ms: list[float], sync_alignment: bool) -> list[Piece]:
    marks = [0.0, *cuts_ms, clip.duration_ms]
    pieces = list[Piece]()
    for from_ms, to_ms in pairwise(marks):
        is_last = to_ms == clip.duration_ms
        part = clip.alignment.part(from_ms, float("inf") if is_last else to_ms) if sync_alignment else None
        if not sync_alignment and not pieces and clip.alignment.chars:
            part = clip.alignment
        normalized = part.normalized() if part and not pieces else part
        audio = clip.audio[_byte(clip, from_ms) : _byte(clip, to_ms)]
        pieces.append(Piece(audio, to_ms - from_ms, part, normalized))
    return pieces


def _byte(clip: Clip, at_ms: float) -> int:
    units = round(len(clip.audio) // clip.unit_bytes * at_ms / clip.duration_ms)
    return units * clip.unit_bytes


def odd(pieces: list[Piece]) -> list[Piece]:
    """The same audio, but each piece ends in the midst of a sample where the next one can go on."""
    shifted = list[Piece]()
    carried = b""
    for index, piece in enumerate(pieces):
        audio = carried + piece.audio
        keep = len(audio) - (1 if len(audio) % 2 == 0 and index + 1 < len(pieces) else 0)
        shifted.append(replace(piece, audio=audio[:keep]))
        carried = audio[keep:]
    if len(pieces) == 1:
        shifted[0] = replace(shifted[0], audio=shifted[0].audio[:-1])
    return shifted
