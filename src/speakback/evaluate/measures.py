"""Everything that is measured of the agent, in one conversation or many. To measure a user, swap the sides."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter

import numpy as np

from speakback.evaluate.baseline import Quantity, load_baseline
from speakback.evaluate.encounters import COLLISION_MS, cut_ins, meetings, onsets
from speakback.evaluate.floor import fto_samples, own_samples
from speakback.evaluate.joint_state import Ints, joint_state
from speakback.evaluate.listening import backchannel_placement, lone_opener_placement
from speakback.evaluate.timeline import Ipu, Timeline

MS_PER_MINUTE = 60_000

WITH_AGENT_PAUSES = (
    Quantity.PAUSE,
    Quantity.IPU,
    Quantity.OVERLAP,
    Quantity.WITHIN_SPEAKER_OVERLAP,
    Quantity.YIELD_TIME,
    Quantity.COLLISION,
)
"""What cannot be measured of an agent whose pauses are not known; nor can interruptions of its IPUs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts and times that add up over conversations."""

    duration_ms: int
    user_speech_ms: int
    """IPU time, backchannels included; so is the agent's."""
    agent_speech_ms: int
    cut_ins: int
    """Times that the agent entered a pause of the user, who went on."""
    collisions: int
    """Overlaps of 500 ms or more, neither side a backchannel, whoever began."""
    collisions_by_agent: int
    """Of these, those where the agent was the second to start."""
    simultaneous_starts: int
    """Overlaps that the agent began within 200 ms of the user's onset; the next two are the other overlaps it began."""
    terminal_overlaps: int
    """In the last 500 ms of the user's IPU."""
    interruptions: int
    """Before that."""
    user_interruptions: int
    user_took_floor: int
    """Interruptions by the user that outlast the interrupted IPU of the agent."""
    backchannels: int
    backchannels_placed: int
    """Of these, those in the user's silence within 700 ms of the end of its speech."""
    backchannel_window_ms: int
    backchannel_open_ms: int
    lone_openers: int
    lone_openers_placed: int
    """Of these, those within 500 ms of the place of a human backchannel."""
    lone_opener_window_ms: int
    lone_opener_open_ms: int


_COUNT_NAMES = tuple(field.name for field in fields(Counts))
_COUNTS_OF = attrgetter(*_COUNT_NAMES)


@dataclass(frozen=True, slots=True)
class Measures:
    """One conversation or several, pooled. All times in ms; over many conversations, order has no meaning."""

    conversations: int
    counts: Counts
    samples: Mapping[Quantity, Ints]
    """The agent's values; the keys come in the same order in all. `BACKCHANNEL_ONSET` only describes people."""
    overlap_onset_after_ms: Ints
    """When the agent began to speak over the user: since the user's IPU began, for each time."""
    overlap_onset_remaining_ms: Ints
    """How much of the user's IPU was to come."""

    def per_minute(self, count: int) -> float:
        """A count per minute of conversation."""
        return count * MS_PER_MINUTE / self.counts.duration_ms

    @property
    def backchannels_per_min_of_user_speech(self) -> float | None:
        """None: the user did not speak."""
        spoken_ms = self.counts.user_speech_ms
        return self.counts.backchannels * MS_PER_MINUTE / spoken_ms if spoken_ms else None

    @property
    def talk_share_pct(self) -> float | None:
        """The agent's part of the summed IPU time of both; None: nobody spoke."""
        spoken_ms = self.counts.user_speech_ms + self.counts.agent_speech_ms
        return 100 * self.counts.agent_speech_ms / spoken_ms if spoken_ms else None


def measure(timelines: Sequence[Timeline]) -> Measures:
    """All conversations together. Raises `ValueError` for none."""
    return pool([measure_one(timeline) for timeline in timelines])


def pool(parts: Sequence[Measures]) -> Measures:
    """Several measures as one; the same part may occur more than once. Raises `ValueError` for none."""
    if not parts:
        raise ValueError("no conversation to measure")
    counts = np.sum([_COUNTS_OF(part.counts) for part in parts], axis=0).tolist()
    columns = zip(*(part.samples.values() for part in parts), strict=True)
    return Measures(
        conversations=sum(part.conversations for part in parts),
        counts=Counts(**dict(zip(_COUNT_NAMES, counts, strict=True))),
        samples=dict(zip(parts[0].samples, map(np.concatenate, columns), strict=True)),
        overlap_onset_after_ms=np.concatenate([part.overlap_onset_after_ms for part in parts]),
        overlap_onset_remaining_ms=np.concatenate([part.overlap_onset_remaining_ms for part in parts]),
    )


def measure_one(timeline: Timeline) -> Measures:
    """One conversation."""
    met = meetings(timeline)
    by_agent, by_user = onsets(met, by_agent=True), onsets(met, by_agent=False)
    collided = [meeting for meeting in met if meeting.overlap_ms >= COLLISION_MS]
    backchannels = backchannel_placement(timeline)
    openers = lone_opener_placement(timeline, load_baseline())
    counts = Counts(
        duration_ms=timeline.duration_ms,
        user_speech_ms=_spoken_ms(timeline.user),
        agent_speech_ms=_spoken_ms(timeline.agent),
        cut_ins=cut_ins(timeline),
        collisions=len(collided),
        collisions_by_agent=sum(meeting.agent_began for meeting in collided),
        simultaneous_starts=by_agent.simultaneous,
        terminal_overlaps=by_agent.terminal,
        interruptions=by_agent.interruptions,
        user_interruptions=by_user.interruptions,
        user_took_floor=by_user.yield_times_ms().size,
        backchannels=backchannels.total,
        backchannels_placed=backchannels.placed,
        backchannel_window_ms=backchannels.window_ms,
        backchannel_open_ms=backchannels.open_ms,
        lone_openers=openers.total,
        lone_openers_placed=openers.placed,
        lone_opener_window_ms=openers.window_ms,
        lone_opener_open_ms=openers.open_ms,
    )
    joint = joint_state(timeline)
    samples: dict[Quantity, Ints] = {
        **fto_samples(timeline, joint),
        **own_samples(joint),
        Quantity.IPU: _durations_ms(ipu for ipu in timeline.agent if ipu.is_speech),
        Quantity.BACKCHANNEL_DURATION: _durations_ms(ipu for ipu in timeline.agent if not ipu.is_speech),
        Quantity.TURN: agent_turns_ms(timeline),
        Quantity.YIELD_TIME: by_user.yield_times_ms(),
        Quantity.COLLISION: np.array([meeting.overlap_ms for meeting in met], dtype=np.int64),
    }
    if not timeline.agent_pauses_known:
        samples |= {quantity: np.zeros(0, dtype=np.int64) for quantity in WITH_AGENT_PAUSES}
        counts = replace(counts, user_interruptions=0, user_took_floor=0)
    return Measures(1, counts, samples, by_agent.after_ms, by_agent.remaining_ms)


def agent_turns_ms(timeline: Timeline) -> Ints:
    """Durations of the agent's turns: its speech IPUs joined, pauses included, until the user begins one."""
    user = [(ipu, False) for ipu in timeline.user if ipu.is_speech]
    agent = [(ipu, True) for ipu in timeline.agent if ipu.is_speech]
    turns: list[tuple[int, int]] = []
    agent_had_floor = False
    for ipu, is_agents in sorted(user + agent, key=lambda pair: pair[0].start_ms):
        if is_agents:
            start_ms = turns.pop()[0] if agent_had_floor else ipu.start_ms
            turns.append((start_ms, ipu.end_ms))
        agent_had_floor = is_agents
    return np.array([end_ms - start_ms for start_ms, end_ms in turns], dtype=np.int64)


def _durations_ms(ipus: Iterable[Ipu]) -> Ints:
    return np.array([ipu.duration_ms for ipu in ipus], dtype=np.int64)


def _spoken_ms(ipus: Iterable[Ipu]) -> int:
    return sum(ipu.duration_ms for ipu in ipus)
