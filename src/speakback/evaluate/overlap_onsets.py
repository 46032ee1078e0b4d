"""Where in the user's speech the agent begins to speak over it: at its start, in its middle or at its end."""

from dataclasses import dataclass

import numpy as np

from speakback.evaluate.baseline import Baseline, Floats, RateName
from speakback.evaluate.measures import Measures


@dataclass(frozen=True, slots=True)
class OverlapOnsets:
    """Shares of the overlaps that the agent began, neither side a backchannel, and how far they are from people's."""

    events: int
    simultaneous: float
    """Within 200 ms of the user's onset."""
    terminal: float
    """With 500 ms or less of the user's IPU to come."""
    interrupting: float
    jsd_bits: float
    """Jensen-Shannon divergence (base 2) from people's shares; the baseline has no finer reference."""


def overlap_onsets(measures: Measures, baseline: Baseline) -> OverlapOnsets | None:
    """None: the agent began none."""
    counts = measures.counts
    own = np.array([counts.simultaneous_starts, counts.terminal_overlaps, counts.interruptions], dtype=np.float64)
    if not own.sum():
        return None
    names = (RateName.SIMULTANEOUS_STARTS, RateName.TERMINAL_OVERLAPS, RateName.INTERRUPTIONS)
    human = np.array([baseline.rates[name].pooled for name in names])
    shares = own / own.sum()
    simultaneous, terminal, interrupting = shares.tolist()
    return OverlapOnsets(int(own.sum()), simultaneous, terminal, interrupting, _jsd_bits(shares, human / human.sum()))


def _jsd_bits(p: Floats, q: Floats) -> float:
    middle = (p + q) / 2
    parts = [x * np.log2(x / m) for side in (p, q) for x, m in zip(side, middle, strict=True) if x > 0]
    return float(sum(parts) / 2)
