"""Who spoke when: the one form in which every conversation is measured, be it live, simulated, replayed or human."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

IPU_MERGE_MS = 200
"""Speech of one side that is interrupted for less than this is one inter-pausal unit."""
LONGEST_MS = 24 * 3600 * 1000
"""A longer conversation is none; what is measured on a grid of 10 ms must fit into memory."""


class Kind(Enum):
    """What an IPU does on the floor."""

    SPEECH = "s"
    BACKCHANNEL = "b"
    """Shows that one listens and claims no floor ("mm-hm")."""


class Act(Enum):
    """The dialogue act of the last utterance of an IPU, if that utterance ends in it (base tags of SWBD-DAMSL)."""

    YN_QUESTION = "qy"
    WH_QUESTION = "qw"
    OPEN_QUESTION = "qo"
    STATEMENT = "sd"
    OPINION = "sv"
    OTHER = "other"


class TimelineError(ValueError):
    """The intervals are not a conversation; the message says which one is wrong and why."""


@dataclass(frozen=True, slots=True)
class Ipu:
    """One side's speech without a silence of `IPU_MERGE_MS`, end excluded."""

    start_ms: int
    end_ms: int
    kind: Kind = Kind.SPEECH
    act: Act | None = None

    @property
    def duration_ms(self) -> int:
        """How long it lasts."""
        return self.end_ms - self.start_ms

    @property
    def is_speech(self) -> bool:
        """Whether it claims the floor: everything but a backchannel."""
        return self.kind is Kind.SPEECH


@dataclass(frozen=True, slots=True)
class Timeline:
    """Both sides of a conversation. Raises `TimelineError` where a side is out of order or outside of its time."""

    duration_ms: int
    user: tuple[Ipu, ...]
    agent: tuple[Ipu, ...]
    agent_pauses_known: bool = True
    """False: an IPU of the agent stands for a stretch in which it may have paused."""

    def __post_init__(self) -> None:
        if not 0 < self.duration_ms <= LONGEST_MS:
            raise TimelineError(f"a conversation cannot last {self.duration_ms} ms")
        _check_side("user", self.user, self.duration_ms)
        _check_side("agent", self.agent, self.duration_ms)

    def swapped(self) -> "Timeline":
        """The same conversation with the sides exchanged: every measure is of the agent, so this measures the user.

        Raises `TimelineError` where the agent's pauses are not known: that is only ever said of the agent's.
        """
        if not self.agent_pauses_known:
            raise TimelineError("a side whose pauses are not known cannot be the user's")
        return Timeline(self.duration_ms, user=self.agent, agent=self.user)


def _check_side(side: str, ipus: Sequence[Ipu], duration_ms: int) -> None:
    before_ms = 0
    for number, ipu in enumerate(ipus):
        where = f"{side} IPU {number} ({ipu.start_ms} to {ipu.end_ms} ms)"
        if ipu.end_ms <= ipu.start_ms:
            raise TimelineError(f"{where} ends before it begins")
        if ipu.start_ms < before_ms:
            raise TimelineError(f"{where} begins before {before_ms} ms, where the one before it ends")
        if ipu.end_ms > duration_ms:
            raise TimelineError(f"{where} lies outside of a conversation of {duration_ms} ms")
        before_ms = ipu.end_ms


def ipus_from_voice(voiced_ms: Iterable[tuple[int, int]]) -> tuple[Ipu, ...]:
    """IPUs of kind speech from voiced intervals (start, end) of one side, in any order, touching or overlapping.

    Raises `TimelineError` for an interval that does not last.
    """
    intervals = sorted(voiced_ms)
    for start_ms, end_ms in intervals:
        if end_ms <= start_ms:
            raise TimelineError(f"a voiced interval cannot go from {start_ms} to {end_ms} ms")
    return joined(Ipu(start_ms, end_ms) for start_ms, end_ms in intervals)


def joined(stretches: Iterable[Ipu]) -> tuple[Ipu, ...]:
    """IPUs from stretches of one side, in order, which may touch or overlap: those less than 200 ms apart are one.

    A backchannel that joins speech is speech; the act is that of the last stretch.
    """
    ipus: list[Ipu] = []
    for stretch in stretches:
        if ipus and stretch.start_ms - ipus[-1].end_ms < IPU_MERGE_MS:
            last = ipus.pop()
            kind = Kind.SPEECH if last.is_speech else stretch.kind
            ipus.append(Ipu(last.start_ms, max(last.end_ms, stretch.end_ms), kind, stretch.act))
        else:
            ipus.append(stretch)
    return tuple(ipus)
