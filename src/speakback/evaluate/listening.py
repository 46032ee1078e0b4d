"""How the agent listens: its backchannels, and short sounds that look like openers, against where people put theirs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speakback.evaluate.baseline import Baseline, Quantity
from speakback.evaluate.joint_state import GRID_MS, on_grid, spoken
from speakback.evaluate.timeline import Ipu, Timeline

WINDOW_MS = 700
"""A backchannel after the user's speech is in place if it begins within this time of its end, in the user's silence."""

OPENER_MS = 1000
"""A lone opener is shorter than this, and the agent does not speak for this time before and after it."""

NEAR_MS = 500
"""Within this time of where people put a backchannel, a lone opener is in its place."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How many short sounds began where people put a backchannel, and where they could have begun."""

    total: int
    placed: int
    window_ms: int
    """Time in which one would have been in place."""
    open_ms: int
    """Time in which one could have begun: the agent was not speaking. The share of `window_ms` in it is chance."""


def backchannel_placement(timeline: Timeline) -> Placement:
    """The agent's backchannels, against the silences of up to 700 ms that follow the user's speech."""
    ends = [ipu.end_ms for ipu in timeline.user if ipu.is_speech]
    silent = spoken(timeline.user, on_grid(timeline.duration_ms) + 1) == 0
    window = _marked(timeline, [(end_ms, end_ms + WINDOW_MS) for end_ms in ends]) & silent
    return _placement(timeline, [ipu for ipu in timeline.agent if not ipu.is_speech], window)


def human_placed_share(baseline: Baseline) -> float:
    """Share of people's backchannels that begin in that window."""
    onset = baseline.distributions[Quantity.BACKCHANNEL_ONSET]
    within = float(np.searchsorted(onset.percentiles_ms, WINDOW_MS, side="right")) / 100
    return (1 - baseline.shares.backchannel_starts_in_overlap) * within


def lone_opener_placement(timeline: Timeline, baseline: Baseline) -> Placement:
    """The agent's lone openers, of either kind, against the median place of people's backchannels, give or take 500 ms.

    That place is measured from each end of the user's speech. One-word answers are lone openers too.
    """
    place_ms = round(baseline.distributions[Quantity.BACKCHANNEL_ONSET].percentile_ms(50))
    centres = [ipu.end_ms + place_ms for ipu in timeline.user if ipu.is_speech]
    window = _marked(timeline, [(centre - NEAR_MS, centre + NEAR_MS) for centre in centres])
    return _placement(timeline, lone_openers(timeline.agent), window)


def lone_openers(ipus: Sequence[Ipu]) -> list[Ipu]:
    """Short IPUs with silence of their own side before and after."""
    found = []
    for index, ipu in enumerate(ipus):
        alone_before = index == 0 or ipu.start_ms - ipus[index - 1].end_ms >= OPENER_MS
        alone_after = index + 1 == len(ipus) or ipus[index + 1].start_ms - ipu.end_ms >= OPENER_MS
        if ipu.duration_ms < OPENER_MS and alone_before and alone_after:
            found.append(ipu)
    return found


def _placement(timeline: Timeline, sounds: Sequence[Ipu], window: NDArray[np.bool_]) -> Placement:
    speech = [ipu for ipu in timeline.agent if ipu.is_speech]
    own = {ipu.start_ms for ipu in sounds}
    free = spoken([ipu for ipu in speech if ipu.start_ms not in own], window.size) == 0
    return Placement(
        total=len(sounds),
        placed=sum(bool(window[on_grid(ipu.start_ms)]) for ipu in sounds),
        window_ms=int(np.sum(window & free)) * GRID_MS,
        open_ms=int(np.sum(free)) * GRID_MS,
    )


def _marked(timeline: Timeline, intervals_ms: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    frames = on_grid(timeline.duration_ms) + 1
    marked = np.zeros(frames, dtype=np.bool_)
    for start_ms, end_ms in intervals_ms:
        marked[max(0, on_grid(start_ms)) : max(0, on_grid(end_ms)) + 1] = True
    return marked
