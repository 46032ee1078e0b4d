"""When the agent takes the floor over from the user, and its own pauses: read from the joint state."""

from dataclasses import dataclass

import numpy as np

from speakback.evaluate.baseline import Quantity
from speakback.evaluate.joint_state import AGENT, BOTH, NOBODY, USER, Ints, JointState, rounded_ms
from speakback.evaluate.timeline import Act, Timeline

LONGEST_FTO_MS = 5000
"""Farther apart, one IPU is no response to the other."""

SHORTEST_PAUSE_MS = 200

LONG_PAUSE_MS = 1000


@dataclass(frozen=True, slots=True)
class TakeOvers:
    """One entry for each time that the agent takes the floor over, in order."""

    fto_ms: Ints
    """Over 0 a gap, under 0 an overlap, 0 a direct switch."""
    user_ipu: Ints
    """Index of the IPU that yields the floor."""
    agent_ipu: Ints
    """Index of the IPU that takes it."""


def take_overs(timeline: Timeline, joint: JointState) -> TakeOvers:
    """Every floor transfer to the agent, backchannels included."""
    silent, overlapped = joint.between(NOBODY, USER, AGENT), joint.between(BOTH, USER, AGENT)
    switched = np.zeros(joint.state.size, dtype=np.bool_)
    switched[1:] = (joint.state[:-1] == USER) & (joint.state[1:] == AGENT)
    fto_ms = np.select([silent, overlapped], [joint.duration_ms, -joint.duration_ms], default=0)
    user_end_ms = np.where(silent, joint.start_ms, np.where(overlapped, joint.end_ms, joint.start_ms))
    agent_start_ms = np.where(silent, joint.end_ms, joint.start_ms)
    taken = silent | overlapped | switched
    ends = rounded_ms([ipu.end_ms for ipu in timeline.user])
    starts = rounded_ms([ipu.start_ms for ipu in timeline.agent])
    return TakeOvers(
        fto_ms[taken], np.searchsorted(ends, user_end_ms[taken]), np.searchsorted(starts, agent_start_ms[taken])
    )


ACT_CLASSES = {
    Act.YN_QUESTION: Quantity.FTO_YN_QUESTION,
    Act.WH_QUESTION: Quantity.FTO_WH_QUESTION,
    Act.OPEN_QUESTION: Quantity.FTO_OPEN_QUESTION,
    Act.STATEMENT: Quantity.FTO_STATEMENT,
    Act.OPINION: Quantity.FTO_OPINION,
    Act.OTHER: Quantity.FTO_OTHER_ACT,
}
"""How people time their answer depends on what is answered."""


def fto_samples(timeline: Timeline, joint: JointState) -> dict[Quantity, Ints]:
    """The agent's floor-transfer offsets: all, between turns, by the act that they answer, and after a long pause."""
    taken = take_overs(timeline, joint)
    user = [timeline.user[index] for index in taken.user_ipu]
    agent = [timeline.agent[index] for index in taken.agent_ipu]
    speech = np.array([u.is_speech and a.is_speech for u, a in zip(user, agent, strict=True)], dtype=np.bool_)
    turn = speech & (np.abs(taken.fto_ms) < LONGEST_FTO_MS)
    samples = {
        Quantity.FTO: taken.fto_ms,
        Quantity.FTO_TURN: taken.fto_ms[turn],
        Quantity.GAP: taken.fto_ms[taken.fto_ms > 0],
        Quantity.OVERLAP: -taken.fto_ms[taken.fto_ms < 0],
    }
    for act, quantity in ACT_CLASSES.items():
        answers = np.array([ipu.act is act for ipu in user], dtype=np.bool_)
        samples[quantity] = taken.fto_ms[turn & answers]
    resumed_ms = _resumed_after_long_pause_ms(joint)
    after = np.isin(rounded_ms([ipu.start_ms for ipu in user]), resumed_ms)
    samples[Quantity.FTO_AFTER_LONG_PAUSE] = taken.fto_ms[turn & after]
    return samples


def _resumed_after_long_pause_ms(joint: JointState) -> Ints:
    """When the user went on after own silence in which nobody spoke."""
    paused = joint.between(NOBODY, USER, USER) & (joint.duration_ms >= LONG_PAUSE_MS)
    return joint.end_ms[paused]


def own_samples(joint: JointState) -> dict[Quantity, Ints]:
    """The agent's pauses, and its overlaps within the user's floor."""
    pauses = joint.duration_ms[joint.between(NOBODY, AGENT, AGENT)]
    return {
        Quantity.PAUSE: pauses[pauses >= SHORTEST_PAUSE_MS],
        Quantity.WITHIN_SPEAKER_OVERLAP: joint.duration_ms[joint.between(BOTH, USER, USER)],
    }
