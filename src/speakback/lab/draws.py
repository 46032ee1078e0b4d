"""Fast draws from the human baseline and other distributions of durations: one at a time, without arrays."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, log
from random import Random
from statistics import NormalDist

import numpy as np

from speakback.evaluate.baseline import Quantity, RateName, load_baseline
from speakback.evaluate.timeline import Act

STEPS = 1000
"""Values that stand for a distribution, each as likely as the others."""


@dataclass(frozen=True, slots=True)
class Draw:
    """A distribution of durations, in whole milliseconds: its quantiles at the middles of `STEPS` equal shares."""

    quantiles_ms: tuple[int, ...]

    def ms(self, rng: Random) -> int:
        """A draw."""
        return self.quantiles_ms[int(rng.random() * STEPS)]

    def late_ms(self, rng: Random, beyond_share: float) -> int:
        """A draw from what lies beyond this share."""
        return self.quantiles_ms[int((beyond_share + rng.random() * (1 - beyond_share)) * STEPS)]

    def share_below(self, value_ms: int) -> float:
        """The share that lies below a value."""
        return bisect_left(self.quantiles_ms, value_ms) / STEPS

    def mean_beyond(self, value_ms: int) -> float:
        """The mean of what each value has beyond this one, which is nothing for those below it."""
        return sum(max(quantile_ms - value_ms, 0) for quantile_ms in self.quantiles_ms) / STEPS


def from_quantiles(shares: Sequence[float], values_ms: Sequence[float]) -> Draw:
    """A draw from what is known of a distribution: linear in between, and never beyond the known ends."""
    middles = (np.arange(STEPS) + 0.5) / STEPS
    return Draw(tuple(np.rint(np.interp(middles, shares, values_ms)).astype(int).tolist()))


P95_SIGMAS = 1.645


def log_normal(p50_ms: float, p95_ms: float) -> Draw:
    """A log-normal distribution by its median and its 95th percentile."""
    mu, sigma = log(p50_ms), log(p95_ms / p50_ms) / P95_SIGMAS
    normal = NormalDist(mu, sigma) if sigma > 0 else None
    middles = [(step + 0.5) / STEPS for step in range(STEPS)]
    return Draw(tuple(round(exp(mu if normal is None else normal.inv_cdf(share))) for share in middles))


@cache
def draw_of(quantity: Quantity) -> Draw:
    """The draw from a quantity of the baseline: the reference sample where it has one, else its 99 percentiles."""
    found = load_baseline().distributions[quantity]
    if found.reference is None:
        return from_quantiles([percent / 100 for percent in range(1, 100)], found.percentiles_ms.tolist())
    values_ms = found.reference.quantiles_ms.tolist()
    return from_quantiles([(index + 0.5) / len(values_ms) for index in range(len(values_ms))], values_ms)


@cache
def rate_at(name: RateName, percent: float) -> float:
    """A rate of people at a percentile (0 to 100) over conversations or sides; linear between those that are known."""
    known = load_baseline().rates[name].percentiles
    places = sorted(known)
    upper = min(max(bisect_right(places, percent), 1), len(places) - 1)
    low, high = places[upper - 1], places[upper]
    part = min(max((percent - low) / (high - low), 0.0), 1.0)
    return known[low] + part * (known[high] - known[low])


@dataclass(frozen=True, slots=True)
class ActDraw:
    """Dialogue acts of turn ends as often as people use them, and how people time their answers to each."""

    acts: tuple[Act, ...]
    upto: tuple[float, ...]
    """Cumulated shares."""

    def act(self, rng: Random) -> Act:
        """The act that a turn ends with."""
        return self.acts[bisect_right(self.upto, rng.random())]


_FTO_OF = {
    Act.YN_QUESTION: Quantity.FTO_YN_QUESTION,
    Act.WH_QUESTION: Quantity.FTO_WH_QUESTION,
    Act.OPEN_QUESTION: Quantity.FTO_OPEN_QUESTION,
    Act.STATEMENT: Quantity.FTO_STATEMENT,
    Act.OPINION: Quantity.FTO_OPINION,
    Act.OTHER: Quantity.FTO_OTHER_ACT,
}


def answer_draw(act: Act | None) -> Draw:
    """When people answer this act, from its end on."""
    return draw_of(Quantity.FTO_TURN if act is None else _FTO_OF[act])


@cache
def act_draw() -> ActDraw:
    """Shares of acts: by how many transfers follow each in the baseline."""
    counts = [load_baseline().distributions[quantity].n for quantity in _FTO_OF.values()]
    total, upto = 0.0, []
    for count in counts:
        total += count / sum(counts)
        upto.append(total)
    upto[-1] = 1.0
    return ActDraw(tuple(_FTO_OF), tuple(upto))


@dataclass(frozen=True, slots=True)
class Habits:
    """Rates that follow from the baseline's figures, for a person in the middle."""

    ipus_per_turn: float
    ipus_per_min: float
    """Of one side."""
    interruptions_per_exposed_min: float
    """Per minute of the other's IPUs in which an interruption could begin. Answers that come over 0.5 s early count as
    interruptions in the baseline too, but are drawn as answers, so they are taken off here."""
    pause_entries_per_pause: float
    """How often one begins to speak in a pause within the other's turn. A short turn that is answered early looks like
    one in the baseline too, but is drawn as an answer, so it is taken off here."""
    floor_taken: float
    """Share of interruptions that take the floor."""
    backchannels_in_overlap: float
    listener_openers: float
    """Share of turns that open with a word that might be a backchannel, and go on."""


LISTENER_OPENERS = frozenset({"yeah", "oh", "right", "yes", "okay", "uh-huh"})
INTERRUPTS_AFTER_MS = 200
INTERRUPTS_BEFORE_MS = 500
"""An interruption begins this long after the onset of the other's IPU, with this much of it to come (baseline)."""
RESUMES_WITHIN_MS = 1000
"""A pause was cut into if its speaker goes on so soon after (baseline)."""


@cache
def habits() -> Habits:
    """Worked out once."""
    baseline = load_baseline()
    ipus_per_turn = baseline.distributions[Quantity.IPU].n / baseline.distributions[Quantity.TURN].n
    turns_per_min = baseline.rates[RateName.TURNS].pooled / 2
    ipus_per_min = turns_per_min * ipus_per_turn
    exposed_ms = draw_of(Quantity.IPU).mean_beyond(INTERRUPTS_AFTER_MS + INTERRUPTS_BEFORE_MS)
    early_answers = turns_per_min * draw_of(Quantity.FTO_TURN).share_below(-INTERRUPTS_BEFORE_MS)
    interruptions = baseline.rates[RateName.INTERRUPTIONS_BY_SIDE].pooled - early_answers
    pauses_per_min = ipus_per_min - turns_per_min
    short, early = draw_of(Quantity.TURN).share_below(RESUMES_WITHIN_MS), draw_of(Quantity.FTO_TURN).share_below(0)
    cut_ins = baseline.rates[RateName.CUT_INS_BY_SIDE].pooled - turns_per_min * short * early
    return Habits(
        ipus_per_turn=ipus_per_turn,
        ipus_per_min=ipus_per_min,
        interruptions_per_exposed_min=interruptions / (ipus_per_min * exposed_ms / 60_000),
        pause_entries_per_pause=cut_ins / pauses_per_min,
        floor_taken=baseline.shares.interruptions_that_took_the_floor,
        backchannels_in_overlap=baseline.shares.backchannel_starts_in_overlap,
        listener_openers=sum(opener.share for opener in baseline.openers if opener.word in LISTENER_OPENERS),
    )
