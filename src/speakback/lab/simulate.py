"""Many conversations of one strategy, the same callers for every strategy."""

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from speakback.evaluate.conduct import Conduct
from speakback.lab.conduct import conduct_of
from speakback.lab.latencies import Latencies
from speakback.lab.personas import PERSONAS, Persona
from speakback.lab.records import CallRecord
from speakback.lab.world import World
from speakback.turn.config import TurnConfig

CALL_MS = 300_000
"""Length of a conversation; those of the baseline last 5 to 10 minutes."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What strategies are compared under."""

    hours: float
    seed: int
    auc: float
    """Of the end-of-turn score, ends of turns against pauses within them."""
    latencies: Latencies
    personas: Sequence[Persona] = PERSONAS


@dataclass(frozen=True, slots=True)
class Simulated:
    """The conversations of one strategy."""

    calls: tuple[CallRecord, ...]
    times_real_time: float
    """How much faster than real time they were held, on one core and without scoring."""

    @property
    def conducts(self) -> tuple[Conduct, ...]:
        """The counts of each conversation."""
        return tuple(conduct_of(call) for call in self.calls)


def simulate(config: TurnConfig, setting: Setting) -> Simulated:
    """Hold the conversations: the personas call in turn."""
    count = max(round(setting.hours * 3_600_000 / CALL_MS), 1)
    began_s = time.process_time()
    with _without_collector():
        calls = tuple(
            World(
                config,
                setting.personas[index % len(setting.personas)],
                setting.latencies,
                auc=setting.auc,
                seed=f"{setting.seed}/{index}",
            ).run(CALL_MS)
            for index in range(count)
        )
    lasted_s = time.process_time() - began_s
    return Simulated(calls, sum(call.timeline.duration_ms for call in calls) / 1000 / lasted_s)


@contextmanager
def _without_collector() -> Iterator[None]:
    """A conversation leaves little garbage in cycles, and looking for it takes a sixth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
