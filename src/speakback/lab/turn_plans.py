"""What a turn is made of: IPUs and the pauses between them, so that turns, IPUs and pauses last as long as people's."""

from functools import cache
from random import Random
from typing import NamedTuple

from speakback.evaluate.baseline import Quantity
from speakback.evaluate.timeline import Act
from speakback.lab.draws import Draw, act_draw, draw_of
from speakback.turn.words import Unfinished

SHORTEST_IPU_MS = 200
"""No IPU of a turn is shorter."""
IPU_STRETCH = 1.17
"""IPUs are drawn longer by this: fitting them into turns, of which many are short, leaves them as long as people's."""
ACT_AT_A_PAUSE = 0.5
"""Share of pauses within turns at which an utterance ends, so that a dialogue act does. An assumption."""


class Phrase(NamedTuple):
    """An IPU, and the pause that its speaker will make after it."""

    duration_ms: int
    pause_ms: int
    act: Act | None
    unfinished: Unfinished = Unfinished.NO
    seems_final: bool = False
    """It sounds like the turn's end, but its speaker will think of more."""


def plan_turn(rng: Random, *, pause_stretch: float = 1.0, open_ended: float = 0.0) -> list[Phrase]:
    """A turn as people make them. `open_ended`: share of its inner IPUs that end in an "um" or an "and".

    The turn's length is drawn first, then as many IPUs and pauses as come nearest to it; the IPUs are scaled to fit.
    """
    durations_ms, pauses_ms = _parts(rng)
    phrases: list[Phrase] = []
    for duration_ms, pause_ms in zip(durations_ms, pauses_ms, strict=False):
        act = act_draw().act(rng) if rng.random() < ACT_AT_A_PAUSE else None
        trails = rng.random() < open_ended
        hint = Unfinished.HESITATION if trails else Unfinished.NO
        phrases.append(Phrase(duration_ms, round(pause_ms * pause_stretch), None if trails else act, hint))
    return [*phrases, Phrase(durations_ms[-1], 0, act_draw().act(rng))]


def _parts(rng: Random) -> tuple[list[int], list[int]]:
    """IPUs, and the pauses between them."""
    ipu, pause = _long_ipus(), draw_of(Quantity.PAUSE)
    turn_ms = max(draw_of(Quantity.TURN).ms(rng), SHORTEST_IPU_MS)
    durations_ms, pauses_ms = [ipu.ms(rng)], list[int]()
    so_far_ms = durations_ms[0]
    while so_far_ms < turn_ms:
        pause_ms, duration_ms = pause.ms(rng), ipu.ms(rng)
        if so_far_ms + pause_ms + duration_ms - turn_ms > turn_ms - so_far_ms:
            break
        pauses_ms.append(pause_ms)
        durations_ms.append(duration_ms)
        so_far_ms += pause_ms + duration_ms
    scale = (turn_ms - sum(pauses_ms)) / sum(durations_ms)
    return [max(round(duration_ms * scale), SHORTEST_IPU_MS) for duration_ms in durations_ms], pauses_ms


@cache
def _long_ipus() -> Draw:
    return Draw(tuple(round(duration_ms * IPU_STRETCH) for duration_ms in draw_of(Quantity.IPU).quantiles_ms))


GROUP_MS = (500, 1400)
GROUP_PAUSE_MS = (400, 1300)
"""How long a group of digits and the pause after it last. An assumption: the baseline has no dictation."""


def plan_spelling(rng: Random) -> list[Phrase]:
    """A number or a spelling, given in groups."""
    groups = rng.randint(3, 5)
    phrases = [
        Phrase(rng.randint(*GROUP_MS), rng.randint(*GROUP_PAUSE_MS), None, Unfinished.COUNTING)
        for _ in range(groups - 1)
    ]
    return [*phrases, Phrase(rng.randint(*GROUP_MS), 0, Act.STATEMENT)]


def with_correction(phrases: list[Phrase], rng: Random) -> list[Phrase]:
    """The same turn, which seems over, and then its speaker corrects it."""
    *inner, last = phrases
    seeming = Phrase(last.duration_ms, draw_of(Quantity.PAUSE).ms(rng), last.act, seems_final=True)
    return [*inner, seeming, Phrase(draw_of(Quantity.IPU).ms(rng), 0, last.act)]
