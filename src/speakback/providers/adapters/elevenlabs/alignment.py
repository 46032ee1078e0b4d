"""When each character is spoken, as the service says it, in any of its spellings."""

from dataclasses import dataclass
from itertools import pairwise

from speakback.timebase import VOICE_HZ, ms_to_samples

_CHARS = ("chars", "characters")
_STARTS = ("charStartTimesMs", "charsStartTimesMs", "char_start_times_ms", "chars_start_times_ms")
_DURATIONS = ("charDurationsMs", "charsDurationsMs", "char_durations_ms", "chars_durations_ms")


@dataclass(frozen=True, slots=True)
class TimedCharacter:
    """A single character, and its place in samples at 24 kHz."""

    character: str
    start_samples: int
    end_samples: int


def read_alignment(value: object, position: int) -> tuple[TimedCharacter, ...]:
    """Its characters; () where there is none, or one whose lists do not fit each other or run backwards.

    Its times count from the frame it came with, whose first sample lies at `position` (samples at 24 kHz).
    """
    if not isinstance(value, dict):
        return ()
    chars, starts, durations = (_first(value, names) for names in (_CHARS, _STARTS, _DURATIONS))
    if not len(chars) == len(starts) == len(durations):
        return ()
    timed: list[TimedCharacter] = []
    for text, start, duration in zip(chars, starts, durations, strict=True):
        start_ms, duration_ms = _time_ms(start), _time_ms(duration)
        if not isinstance(text, str) or start_ms is None or duration_ms is None:
            return ()
        begin = position + ms_to_samples(start_ms, VOICE_HZ)
        timed += _spread(text, begin, begin + ms_to_samples(duration_ms, VOICE_HZ))
    backwards = any(later.start_samples < earlier.start_samples for earlier, later in pairwise(timed))
    return () if backwards else tuple(timed)


def _spread(text: str, start: int, end: int) -> list[TimedCharacter]:
    """An entry may hold several characters."""
    edges = [start + (end - start) * number // max(len(text), 1) for number in range(len(text) + 1)]
    return [TimedCharacter(text[number], edges[number], edges[number + 1]) for number in range(len(text))]


def _first(value: dict[str, object], names: tuple[str, ...]) -> list[object]:
    found = next((value[name] for name in names if name in value), None)
    return found if isinstance(found, list) else [None]


def _time_ms(value: object) -> int | None:
    """A time up to some hours; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return round(value) if 0 <= value < 1e7 else None
