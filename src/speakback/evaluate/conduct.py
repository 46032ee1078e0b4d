"""What intervals cannot show: what became of replies and drafts, and which speech was meant as an interruption."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np


class ConductError(ValueError):
    """The counts contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a server's own record shows, in counts over all scored conversations together.

    Raises `ConductError` where a part is larger than its whole.
    """

    replies: int
    """Replies that began to sound."""
    replies_truncated: int
    """Of these, those that ended before they were said in full, for whatever reason."""
    turns_committed: int
    """User turns that were to be answered."""
    turns_missed: int
    """Of these, those without any answer."""
    drafts_started: int
    drafts_promoted: int
    wasted_tokens: int
    """Language model tokens of discarded drafts."""
    useful_tokens: int
    wasted_chars: int
    """Characters synthesized and never played."""
    useful_chars: int

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct(Service):
    """All of it: also what only those know who made the callers. Raises `ConductError` as well."""

    callers: int
    """Different personas that called."""
    backchannels_heard: int
    """Backchannels of the user while the agent was speaking."""
    backchannels_that_stopped: int
    """Of these, those after which the reply was truncated or silent for over 1 s."""
    interruptions: int
    """Times the user began to speak over the agent and meant to take the floor."""
    interruptions_yielded: int
    """Of these, those after which the agent fell silent within 500 ms and stayed so."""
    yield_times_ms: tuple[int, ...]
    """From the onset of an interruption to the agent's silence, for each that it gave way to, however late."""

    def __post_init__(self) -> None:
        _check(self)
        if len(self.yield_times_ms) > self.interruptions:
            raise ConductError(f"{len(self.yield_times_ms)} yield times for {self.interruptions} interruptions")
        if any(time_ms < 0 for time_ms in self.yield_times_ms):
            raise ConductError("a yield time is below zero")


_S = TypeVar("_S", bound=Service)
_PARTS = (
    ("replies_truncated", "replies"),
    ("backchannels_that_stopped", "backchannels_heard"),
    ("interruptions_yielded", "interruptions"),
    ("turns_missed", "turns_committed"),
    ("drafts_promoted", "drafts_started"),
)
_NO_COUNTS = ("callers", "yield_times_ms")
"""What does not add up over conversations."""


def _check(counts: Service) -> None:
    names = {field.name for field in fields(counts)}
    for name in sorted(names - {"yield_times_ms"}):
        if getattr(counts, name) < 0:
            raise ConductError(f"{name} is {getattr(counts, name)}")
    for part, whole in _PARTS:
        if part in names and getattr(counts, part) > getattr(counts, whole):
            raise ConductError(f"{part} ({getattr(counts, part)}) is more than {whole} ({getattr(counts, whole)})")


def pooled(parts: Sequence[Conduct], callers: int) -> Conduct:
    """The counts of several conversations, with so many different personas, together."""
    times_ms = tuple(ms for part in parts for ms in part.yield_times_ms)
    return Conduct(callers=callers, yield_times_ms=times_ms, **_sums(Conduct, parts))


def pooled_service(parts: Sequence[Service]) -> Service:
    """The counts of several conversations together, as far as a server's record shows them."""
    return Service(**_sums(Service, parts))


def _sums(kind: type[Service], parts: Sequence[Service]) -> dict[str, int]:
    names = [field.name for field in fields(kind) if field.name not in _NO_COUNTS]
    return {name: sum(getattr(part, name) for part in parts) for name in names}


def resampled(counts: _S, rng: np.random.Generator) -> _S:
    """The counts that T3 and the gates use, drawn anew as if each event were independent of the others.

    They are of all conversations together, so they cannot be resampled by conversation.
    """

    def drawn(part: int, whole: int) -> int:
        return int(rng.binomial(whole, part / whole)) if whole else 0

    if not isinstance(counts, Conduct):
        return replace(counts, turns_missed=drawn(counts.turns_missed, counts.turns_committed))
    times_ms = counts.yield_times_ms
    return replace(
        counts,
        backchannels_that_stopped=drawn(counts.backchannels_that_stopped, counts.backchannels_heard),
        interruptions_yielded=drawn(counts.interruptions_yielded, counts.interruptions),
        yield_times_ms=tuple(rng.choice(times_ms, len(times_ms)).tolist()) if times_ms else (),
        turns_missed=drawn(counts.turns_missed, counts.turns_committed),
    )
