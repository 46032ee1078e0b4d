"""Where two IPUs meet that both claim the floor: collisions, interruptions, cut-ins, and how an overlap begins.

Backchannels take no part. Definitions as in `human_baseline.json`; the thresholds are named there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from speakback.evaluate.joint_state import Ints
from speakback.evaluate.timeline import Ipu, Timeline

COLLISION_MS = 500
SIMULTANEOUS_MS = 200
"""Onsets this close to one another are simultaneous starts: neither heard the other."""
TERMINAL_MS = 500
"""An overlap that begins with no more than this to come is at the end of the other's speech."""
RESUMES_WITHIN_MS = 1000
PAUSE_LIMIT_MS = 3000


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two overlapping IPUs."""

    user: Ipu
    agent: Ipu

    @property
    def overlap_ms(self) -> int:
        """How long both sound."""
        return min(self.user.end_ms, self.agent.end_ms) - max(self.user.start_ms, self.agent.start_ms)

    @property
    def agent_began(self) -> bool:
        """Whether the agent was the second to start, so that the overlap is its doing; it also answers for a draw."""
        return self.agent.start_ms >= self.user.start_ms


def meetings(timeline: Timeline) -> tuple[Meeting, ...]:
    """Every pair of speech IPUs that overlap, in order."""
    return tuple(_meetings(_speech(timeline.user), _speech(timeline.agent)))


def _speech(ipus: Sequence[Ipu]) -> list[Ipu]:
    return [ipu for ipu in ipus if ipu.is_speech]


def _meetings(user: Sequence[Ipu], agent: Sequence[Ipu]) -> Iterator[Meeting]:
    u = a = 0
    while u < len(user) and a < len(agent):
        if min(user[u].end_ms, agent[a].end_ms) > max(user[u].start_ms, agent[a].start_ms):
            yield Meeting(user[u], agent[a])
        if user[u].end_ms <= agent[a].end_ms:
            u += 1
        else:
            a += 1


@dataclass(frozen=True, slots=True)
class Onsets:
    """How one side began to speak over the other: one entry for each time."""

    after_ms: Ints
    """Since the other's IPU began."""
    remaining_ms: Ints
    """Of the other's IPU."""
    own_ms: Ints
    """How long the side that began speaks."""

    @property
    def simultaneous(self) -> int:
        """Both began as good as together."""
        return int(np.sum(self.after_ms <= SIMULTANEOUS_MS))

    @property
    def terminal(self) -> int:
        """At the end of the other's speech."""
        return int(np.sum((self.after_ms > SIMULTANEOUS_MS) & (self.remaining_ms <= TERMINAL_MS)))

    @property
    def interruptions(self) -> int:
        """In the middle of the other's speech."""
        return int(np.sum(self._interrupts()))

    def yield_times_ms(self) -> Ints:
        """For each interruption that took the floor: from its onset until the interrupted side stops.

        Over 500 ms by definition: who gives way faster than that cannot be told, from intervals alone, from someone
        who was about to end anyway.
        """
        return self.remaining_ms[self._interrupts() & (self.own_ms > self.remaining_ms)]

    def _interrupts(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        return (self.after_ms > SIMULTANEOUS_MS) & (self.remaining_ms > TERMINAL_MS)


def onsets(met: Sequence[Meeting], *, by_agent: bool) -> Onsets:
    """The overlaps that the agent, or the user, began."""
    pairs = [
        (meeting.agent, meeting.user) if by_agent else (meeting.user, meeting.agent)
        for meeting in met
        if meeting.agent_began is by_agent
    ]
    return Onsets(
        after_ms=np.array([second.start_ms - first.start_ms for second, first in pairs], dtype=np.int64),
        remaining_ms=np.array([first.end_ms - second.start_ms for second, first in pairs], dtype=np.int64),
        own_ms=np.array([second.duration_ms for second, _ in pairs], dtype=np.int64),
    )


def cut_ins(timeline: Timeline) -> int:
    """How often the agent entered a pause of the user, who went on while it spoke.

    The agent's speech starts in a silence after speech of the user, and the user resumes within 1 s of that start,
    while it lasts, after less than 3 s of own silence in all.
    """
    starts = np.array([ipu.start_ms for ipu in timeline.user], dtype=np.int64)
    agent = _speech(timeline.agent)
    following = np.searchsorted(starts, [ipu.start_ms for ipu in agent], side="right")
    return sum(_cuts_in(ipu, timeline.user, int(index)) for ipu, index in zip(agent, following, strict=True))


def _cuts_in(agent: Ipu, user: Sequence[Ipu], following: int) -> bool:
    """`following`: index of the first IPU of the user that begins after the agent does."""
    if following in (0, len(user)):
        return False
    before, after = user[following - 1], user[following]
    return (
        before.is_speech
        and before.end_ms <= agent.start_ms
        and after.start_ms - agent.start_ms <= RESUMES_WITHIN_MS
        and after.start_ms < agent.end_ms
        and after.start_ms - before.end_ms < PAUSE_LIMIT_MS
    )
