"""Where a voice that is to fall silent stops, and from where it would go on. Pure; samples of one rate."""

from collections.abc import Sequence
from dataclasses import dataclass

from speakback.audio.speech import SpokenWord


@dataclass(frozen=True, slots=True)
class Stop:
    """Positions in the reply as it was made."""

    ends_at: int
    """The sound goes on until here, fading out at its end."""
    goes_on_from: int
    """The beginning of the first word that was begun but not said in full; else `ends_at`."""


def stop_near(words: Sequence[SpokenWord], reached: int, made: int, fade: int, boundary_within: int) -> Stop:
    """The nearest stop from `reached` on, in a reply of which `made` samples exist.

    That is the end of the word under way if it is no more than `boundary_within` away; otherwise the word
    is cut by a fade of `fade` samples, which begins at once.
    """
    word_end = next((word.end_samples for word in words if word.start_samples < reached < word.end_samples), reached)
    said_to = word_end if word_end - reached <= boundary_within else reached
    # A fade of its full length always: a word's end is seldom silent.
    ends_at = min(max(said_to, reached + fade), made)
    cut = next((word for word in words if word.end_samples > said_to), None)
    return Stop(ends_at, min(cut.start_samples, ends_at) if cut is not None else ends_at)
