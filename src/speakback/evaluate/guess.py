"""Which IPUs are backchannels where there are no words to tell: a guess from durations and the other side alone.

Against the word lists and dialogue acts of 80 conversations of the Switchboard corpus the rule finds 77 % of the
backchannels, and 75 % of what it finds are some. Words, where there are any, are far better evidence.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from speakback.evaluate.timeline import Ipu, Kind, Timeline

LONGEST_MS = 700
FLOOR_MS = 1000
"""The other side has the floor if it speaks within this time before the IPU and again, or still, within it after."""


def guess_backchannels(timeline: Timeline) -> Timeline:
    """The same conversation, its short IPUs within the other side's floor made backchannels, whatever they were."""
    return replace(
        timeline,
        user=_guess_side(timeline.user, timeline.agent),
        agent=_guess_side(timeline.agent, timeline.user),
    )


def _guess_side(own: Sequence[Ipu], other: Sequence[Ipu]) -> tuple[Ipu, ...]:
    starts = np.array([ipu.start_ms for ipu in other])
    ends = np.array([ipu.end_ms for ipu in other])

    def is_backchannel(ipu: Ipu) -> bool:
        before = (starts < ipu.start_ms) & (ends > ipu.start_ms - FLOOR_MS)
        after = (ends > ipu.end_ms) & (starts < ipu.end_ms + FLOOR_MS)
        return ipu.duration_ms <= LONGEST_MS and bool(before.any()) and bool(after.any())

    return tuple(replace(ipu, kind=Kind.BACKCHANNEL if is_backchannel(ipu) else Kind.SPEECH) for ipu in own)
