"""What intervals cannot show: which speech was meant as an interruption, and what became of replies and drafts."""

from dataclasses import dataclass, fields, replace

import numpy as np


class ConductError(ValueError):
    """The counts contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """Counts over all scored conversations together. Raises `ConductError` where a part is larger than its whole."""

    callers: int
    """Different personas that called."""
    replies: int
    """Replies that began to sound."""
    replies_truncated: int
    """Of these, those that ended before they were said in full, for whatever reason."""
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
        for name in (field.name for field in fields(self) if field.name != "yield_times_ms"):
            if getattr(self, name) < 0:
                raise ConductError(f"{name} is {getattr(self, name)}")
        for part, whole in _PARTS:
            if getattr(self, part) > getattr(self, whole):
                raise ConductError(f"{part} ({getattr(self, part)}) is more than {whole} ({getattr(self, whole)})")
        if len(self.yield_times_ms) > self.interruptions:
            raise ConductError(f"{len(self.yield_times_ms)} yield times for {self.interruptions} interruptions")
        if any(time_ms < 0 for time_ms in self.yield_times_ms):
            raise ConductError("a yield time is below zero")


_PARTS = (
    ("replies_truncated", "replies"),
    ("backchannels_that_stopped", "backchannels_heard"),
    ("interruptions_yielded", "interruptions"),
    ("turns_missed", "turns_committed"),
    ("drafts_promoted", "drafts_started"),
)


def resampled(conduct: Conduct, rng: np.random.Generator) -> Conduct:
    """The counts that T3 and the gates use, drawn anew as if each event were independent of the others.

    The conduct is of all conversations together, so it cannot be resampled by conversation.
    """

    def drawn(part: int, whole: int) -> int:
        return int(rng.binomial(whole, part / whole)) if whole else 0

    times_ms = conduct.yield_times_ms
    return replace(
        conduct,
        backchannels_that_stopped=drawn(conduct.backchannels_that_stopped, conduct.backchannels_heard),
        interruptions_yielded=drawn(conduct.interruptions_yielded, conduct.interruptions),
        yield_times_ms=tuple(rng.choice(times_ms, len(times_ms)).tolist()) if times_ms else (),
        turns_missed=drawn(conduct.turns_missed, conduct.turns_committed),
    )
