"""Times without a line, and how much of them could be heard. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from speakback.caller.loudspeaker import Stretch
from speakback.caller.timeline import Outage
from speakback.timebase import VOICE_HZ


@dataclass(frozen=True, slots=True)
class LostLine:
    """What the caller noted of a time without a line."""

    lost_ms: float
    back_ms: float
    close_code: int | None
    """None: the line broke without a close."""
    tries: int
    was_speaking: bool
    """A reply was under way when the line was lost."""
    owes_reply: bool
    """The server said, once the line was back, that the agent goes on by itself."""


def outage_of(lost: LostLine, stretches: Sequence[Stretch]) -> Outage:
    """What became of it, given all agent audio as it was played."""
    return Outage(lost.lost_ms, lost.back_ms, lost.close_code, lost.tries, _unheard_ms(lost, stretches))


def _unheard_ms(lost: LostLine, stretches: Sequence[Stretch]) -> float | None:
    if not lost.owes_reply:
        return 0.0
    if not lost.was_speaking:
        return lost.back_ms - lost.lost_ms  # an answer was being made: it is late by no more than that
    starts = [stretch.start_samples * 1000 / VOICE_HZ for stretch in stretches]
    ends = [stretch.end_samples * 1000 / VOICE_HZ for stretch in stretches]
    silent_ms = max([lost.lost_ms, *(end for start, end in zip(starts, ends, strict=True) if start < lost.back_ms)])
    on_ms = min((start for start in starts if start >= lost.back_ms), default=None)
    return None if on_ms is None else max(on_ms - silent_ms, 0.0)
