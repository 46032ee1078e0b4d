"""What the numbers of a strategy may be, alone and beside each other. Pure.

The least values of the timeouts are not 0: with such a bound every turn and every reply would fail at once.
"""

from collections.abc import Iterator

from speakback.turn.config import TurnConfig
from speakback.turn.endpointing import CalibratedEndpointing, SemanticEndpointing

LONGEST_MS = 24 * 3600 * 1000
USUAL_RANGE = (0, LONGEST_MS)
"""A day in milliseconds, also for counts."""
RANGES: dict[str, tuple[int, int]] = {
    "max_turn_ms": (1000, LONGEST_MS),
    "transcript_timeout_ms": (500, LONGEST_MS),
    "first_audio_timeout_ms": (500, LONGEST_MS),
    "stall_timeout_ms": (1500, LONGEST_MS),  # a reply in good health gives a sign of life about once a second
    "tool_timeout_ms": (500, LONGEST_MS),
    "idle.wait_ms": (1000, LONGEST_MS),
    "stop_fade_ms": (0, 1000),
    "drafts.least_probability": (0, 1),
    "overlap.broke_off_below": (0, 1),
    "overlap.echo_at": (0, 1),
    "overlap.echo_sure_at": (0, 1),
    "overlap.not_echo_below": (0, 1),
    "endpointing.confidence": (0, 1),
    "endpointing.sure_at": (0, 1),
    "endpointing.doubtful_at": (0, 1),
}
"""The least and the most of each number, by its dotted name; all others have the usual range."""


def out_of_range(path: str, value: float) -> str | None:
    """Why the setting of that name cannot have this value; None: it can. What is no number is out of every range."""
    least, most = RANGES.get(path, USUAL_RANGE)
    if least <= value <= most:
        return None
    meaning = " (a day in milliseconds)" if most == LONGEST_MS else ""
    return f"{path} must be between {least} and {most}{meaning}"


def contradictions(config: TurnConfig) -> Iterator[str]:
    """Values that are each fine and cannot stand together, a sentence each."""
    match config.endpointing:
        case SemanticEndpointing(sure_at=sure_at, doubtful_at=doubtful_at) if sure_at <= doubtful_at:
            yield f"endpointing.sure_at must be above endpointing.doubtful_at ({doubtful_at:g})"
        case CalibratedEndpointing(least_ms=least_ms, most_ms=most_ms) if least_ms > most_ms:
            yield f"endpointing.least_ms must not be above endpointing.most_ms ({most_ms})"
    if config.overlap.provisional_ms > config.overlap.last_ms:
        yield f"overlap.provisional_ms must not be above overlap.last_ms ({config.overlap.last_ms})"
    if config.overlap.last_ms >= config.max_turn_ms:  # the turn would be dropped before its last verdict
        yield f"overlap.last_ms must be below max_turn_ms ({config.max_turn_ms})"
