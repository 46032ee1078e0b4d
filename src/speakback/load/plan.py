"""When a caller says what: drawn beforehand from a seed, and never put off because the server is late. Pure.

A caller that waited for each answer would ask less of a server the slower that is, and so hide its worst times. Here
the next line comes when it was to come. How long a caller that lets the agent finish leaves it for its reply is a
setting; where replies last longer, more of the questions cut in on them, and the report counts them as they fell.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from random import Random

from speakback.load.repertoire import Line, Repertoire

PAUSE_MS = (300, 1500)
"""Left beyond the reply by a caller that does not cut in."""
SILENCE_MS = (4000, 8000)
"""Sometimes nothing is said for so much longer."""


class Kind(Enum):
    """What a line is to its caller."""

    QUESTION = "question"
    CUT_IN = "cut-in"
    BACKCHANNEL = "backchannel"


@dataclass(frozen=True, slots=True)
class Habits:
    """How the callers behave; shares are of lines."""

    barge_in_share: float = 0.3
    """Of the lines after the first: those said over the agent's reply."""
    reply_ms: int = 11_000
    """What a reply is given, from the end of the question on, before the next is asked."""
    first_ms: tuple[int, int] = (500, 3000)
    """Least and most until a caller's first question."""
    cut_in_ms: tuple[int, int] = (2000, 4000)
    """Between the end of a line and what is said over the reply to it: the agent has spoken for a second or more."""
    backchannel_share: float = 0.2
    silence_share: float = 0.1


@dataclass(frozen=True, slots=True)
class Utterance:
    """The next thing that a caller says."""

    kind: Kind
    line: Line
    after_ms: int
    """Silence between the end of what the caller said before (at first: its joining) and this."""


def utterances(repertoire: Repertoire, habits: Habits, seed: str) -> Iterator[Utterance]:
    """One caller's lines, without end."""
    chance = Random(seed)
    yield Utterance(Kind.QUESTION, chance.choice(repertoire.questions), chance.randint(*habits.first_ms))
    while True:
        if chance.random() < habits.barge_in_share:
            yield Utterance(Kind.CUT_IN, chance.choice(repertoire.cut_ins), chance.randint(*habits.cut_in_ms))
            continue
        left_ms = habits.reply_ms + chance.randint(*PAUSE_MS)
        if chance.random() < habits.silence_share:
            left_ms += chance.randint(*SILENCE_MS)
        if chance.random() < habits.backchannel_share:
            murmur = Utterance(
                Kind.BACKCHANNEL, chance.choice(repertoire.backchannels), chance.randint(*habits.cut_in_ms)
            )
            yield murmur
            left_ms -= murmur.after_ms + murmur.line.duration_ms
        yield Utterance(Kind.QUESTION, chance.choice(repertoire.questions), max(left_ms, PAUSE_MS[0]))
