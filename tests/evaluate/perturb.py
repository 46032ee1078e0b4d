"""What can go wrong with the timing of a conversation, done to one that is right (after the TurnNat perturbations)."""

from dataclasses import replace

import numpy as np

from speakback.evaluate.floor import take_overs
from speakback.evaluate.joint_state import joint_state
from speakback.evaluate.timeline import IPU_MERGE_MS, Ipu, Kind, Timeline


def agent_onsets(timeline: Timeline) -> list[int]:
    """Indices of the agent's IPUs that take over from speech."""
    taken = take_overs(timeline, joint_state(timeline))
    pairs = zip(taken.user_ipu.tolist(), taken.agent_ipu.tolist(), strict=True)
    return [a for u, a in pairs if timeline.user[u].is_speech and timeline.agent[a].is_speech]


def answer_later(timeline: Timeline, delay_ms: int) -> Timeline:
    """Each answer comes later, and so does all that starts after it."""
    return _retimed(timeline, [delay_ms for _ in agent_onsets(timeline)])


def answer_at(timeline: Timeline, fto_ms: int) -> Timeline:
    """Each answer comes at the same time; all that starts after it moves with it."""
    taken = take_overs(timeline, joint_state(timeline))
    now_ms = dict(zip(taken.agent_ipu.tolist(), taken.fto_ms.tolist(), strict=True))
    return _retimed(timeline, [fto_ms - now_ms[index] for index in agent_onsets(timeline)])


def _retimed(timeline: Timeline, changes_ms: list[int]) -> Timeline:
    """Each of the agent's onsets, and all that starts after it, moved."""
    onsets = np.array([timeline.agent[index].start_ms for index in agent_onsets(timeline)])
    total_ms = np.cumsum([0, *changes_ms])

    def moved(ipu: Ipu) -> Ipu:
        shift_ms = int(total_ms[np.searchsorted(onsets, ipu.start_ms, side="right")])
        return replace(ipu, start_ms=ipu.start_ms + shift_ms, end_ms=ipu.end_ms + shift_ms)

    user, agent = tuple(map(moved, timeline.user)), tuple(map(moved, timeline.agent))
    last_ms = max(ipu.end_ms for ipu in user + agent)
    return Timeline(max(last_ms, timeline.duration_ms + int(total_ms[-1])), user=user, agent=agent)


def enter_earlier(timeline: Timeline, by_ms: int) -> Timeline:
    """Each answer begins earlier, as far as the agent's own speech before it allows."""
    agent = list(timeline.agent)
    for index in agent_onsets(timeline):
        free_ms = agent[index - 1].end_ms + IPU_MERGE_MS if index else 0
        earlier_ms = max(free_ms, agent[index].start_ms - by_ms)
        agent[index] = replace(agent[index], start_ms=min(earlier_ms, agent[index].start_ms))
    return replace(timeline, agent=tuple(agent))


def take_pauses(timeline: Timeline, rng: np.random.Generator, share: float) -> Timeline:
    """Holds become shifts: the agent starts to speak in a share of the user's pauses, and the user goes on."""
    added = []
    for before, after in zip(timeline.user, timeline.user[1:], strict=False):
        if before.is_speech and after.start_ms - before.end_ms >= 300 and rng.random() < share:
            added.append(Ipu(before.end_ms + 200, before.end_ms + 1700))
    return _with_agent(timeline, added)


def chatter(timeline: Timeline, every_ms: int) -> Timeline:
    """Backchannels at a fixed beat, whatever the user does."""
    beats = range(0, timeline.duration_ms - 400, every_ms)
    return _with_agent(timeline, [Ipu(start_ms, start_ms + 400, Kind.BACKCHANNEL) for start_ms in beats])


def _with_agent(timeline: Timeline, added: list[Ipu]) -> Timeline:
    """The conversation with these IPUs of the agent too, where it has room for them."""
    agent = list(timeline.agent)
    for ipu in added:
        near = (other for other in agent if other.start_ms < ipu.end_ms + IPU_MERGE_MS)
        if all(other.end_ms <= ipu.start_ms - IPU_MERGE_MS for other in near) and ipu.end_ms <= timeline.duration_ms:
            agent.append(ipu)
    return replace(timeline, agent=tuple(sorted(agent, key=lambda ipu: ipu.start_ms)))
