"""The shuffled control: the same agent, with what it knew of the user's timing taken away.

A score can be gamed by sounds at random times. So the agent's onsets are paired anew with the user's turns: an onset
within a turn of the user goes to a random time in such a turn; a delay after one goes to another turn, in any
conversation, and all that follows moves with it. What a strategy scores above its control, it owes to knowing when.
A strategy that never starts early has nothing of this kind, and scores like its control.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from speakback.evaluate.floor import take_overs
from speakback.evaluate.joint_state import joint_state
from speakback.evaluate.listening import OPENER_MS
from speakback.evaluate.timeline import IPU_MERGE_MS, Ipu, Timeline

PLACEMENT_TRIES = 20
"""An onset that finds no room in so many random places stays where it is."""


def shuffled_control(timelines: Sequence[Timeline], rng: np.random.Generator) -> tuple[Timeline, ...]:
    """The control of each conversation, in order."""
    late = [_late_take_overs(timeline) for timeline in timelines]
    delays_ms = rng.permutation([delay.ms for delays in late for delay in delays]).tolist()
    shuffled = []
    for timeline, delays in zip(timelines, late, strict=True):
        new_ms = [delays_ms.pop() for _ in delays]
        shuffled.append(_scatter_early(_with_delays(timeline, delays, new_ms), rng))
    return tuple(shuffled)


@dataclass(frozen=True, slots=True)
class _Delay:
    """A silence before the agent took over."""

    ms: int
    until_ms: int


def _late_take_overs(timeline: Timeline) -> list[_Delay]:
    taken = take_overs(timeline, joint_state(timeline))
    pairs = zip(taken.fto_ms.tolist(), taken.agent_ipu.tolist(), strict=True)
    return [_Delay(fto_ms, timeline.agent[index].start_ms) for fto_ms, index in pairs if fto_ms > 0]


def _with_delays(timeline: Timeline, delays: Sequence[_Delay], new_ms: Sequence[int]) -> Timeline:
    """The conversation with other delays; the silence grows or shrinks, and everything after it moves."""
    until_ms = np.array([delay.until_ms for delay in delays], dtype=np.int64)
    change_ms = np.array([new - delay.ms for new, delay in zip(new_ms, delays, strict=True)], dtype=np.int64)
    total_ms = np.concatenate(([0], np.cumsum(change_ms)))

    def moved(ipu: Ipu) -> Ipu:
        shift_ms = int(total_ms[np.searchsorted(until_ms, ipu.start_ms, side="right")])
        return replace(ipu, start_ms=ipu.start_ms + shift_ms, end_ms=ipu.end_ms + shift_ms)

    user, agent = tuple(map(moved, timeline.user)), tuple(map(moved, timeline.agent))
    return replace(timeline, duration_ms=timeline.duration_ms + int(total_ms[-1]), user=user, agent=agent)


def user_floors_ms(timeline: Timeline) -> list[tuple[int, int]]:
    """The user's turns (start, end), which short sounds of the agent do not end: only an IPU of 1 s or more does."""
    takers = np.array([ipu.start_ms for ipu in timeline.agent if ipu.duration_ms >= OPENER_MS], dtype=np.int64)
    floors: list[tuple[int, int]] = []
    for ipu in timeline.user:
        if not ipu.is_speech:
            continue
        if floors and not np.any((takers >= floors[-1][0]) & (takers < ipu.start_ms)):
            floors[-1] = (floors[-1][0], ipu.end_ms)
        else:
            floors.append((ipu.start_ms, ipu.end_ms))
    return floors


def _scatter_early(timeline: Timeline, rng: np.random.Generator) -> Timeline:
    """Every IPU of the agent that starts within a turn of the user, at a random time within one."""
    floors = user_floors_ms(timeline)
    agent = list(timeline.agent)
    for index in [i for i, ipu in enumerate(agent) if any(start < ipu.start_ms < end for start, end in floors)]:
        others = agent[:index] + agent[index + 1 :]
        agent[index] = _scattered(agent[index], others, floors, timeline.duration_ms, rng)
    return replace(timeline, agent=tuple(sorted(agent, key=lambda ipu: ipu.start_ms)))


def _scattered(
    ipu: Ipu, others: Sequence[Ipu], floors: Sequence[tuple[int, int]], limit_ms: int, rng: np.random.Generator
) -> Ipu:
    """The IPU at a random time within the user's turns, an IPU's distance away from the agent's others."""
    lengths_ms = np.array([end_ms - start_ms for start_ms, end_ms in floors])
    before_ms = np.cumsum(lengths_ms) - lengths_ms
    starts = np.array([other.start_ms for other in others], dtype=np.int64)
    ends = np.array([other.end_ms for other in others], dtype=np.int64)
    for elapsed_ms in rng.integers(lengths_ms.sum(), size=PLACEMENT_TRIES):
        floor = int(np.searchsorted(before_ms, elapsed_ms, side="right")) - 1
        start_ms = floors[floor][0] + int(elapsed_ms - before_ms[floor])
        end_ms = start_ms + ipu.duration_ms
        is_free = not np.any((starts < end_ms + IPU_MERGE_MS) & (ends > start_ms - IPU_MERGE_MS))
        if is_free and end_ms <= limit_ms:
            return replace(ipu, start_ms=start_ms, end_ms=end_ms)
    return ipu
