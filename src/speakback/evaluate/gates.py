"""Gates: what no good average may hide. Each caps the composite."""

from dataclasses import dataclass
from typing import Final

from speakback.evaluate.baseline import Baseline, Quantity, RateName
from speakback.evaluate.conduct import Conduct, Service
from speakback.evaluate.measures import MS_PER_MINUTE, Measures
from speakback.evaluate.parts import FloorRespect

BAD: Final = 4.0
UNPROVEN: Final = 6.0

MISSED_SHARE: Final = 0.05
CUT_INS_OVER_P95: Final = 2.0
TRANSITIONS: Final = 80
MINUTES: Final = 10
CALLERS: Final = 3


@dataclass(frozen=True, slots=True)
class Gate:
    """The composite is at most `cap`, and why."""

    cap: float
    reason: str


def gates(measures: Measures, floor: FloorRespect, conduct: Service | None, baseline: Baseline) -> tuple[Gate, ...]:
    """Those that apply. What only the conduct shows is not judged without it."""
    found = []
    limit = CUT_INS_OVER_P95 * baseline.rates[RateName.CUT_INS_BY_SIDE].percentiles[95]
    if floor.cut_ins_per_min > limit:
        found.append(Gate(BAD, f"{floor.cut_ins_per_min:.2f} cut-ins a minute, over {limit:.2f}"))
    if not measures.counts.agent_speech_ms:
        found.append(Gate(BAD, "the agent never spoke"))
    if conduct is not None:
        found += _gates_of_conduct(conduct)
    transitions = measures.samples[Quantity.FTO_TURN].size
    if transitions < TRANSITIONS:
        found.append(Gate(UNPROVEN, f"{transitions} scored transitions, under {TRANSITIONS}"))
    minutes = measures.counts.duration_ms / MS_PER_MINUTE
    if minutes < MINUTES:
        found.append(Gate(UNPROVEN, f"{minutes:.1f} minutes of conversation, under {MINUTES}"))
    return tuple(found)


def _gates_of_conduct(conduct: Service) -> list[Gate]:
    found = []
    missed = conduct.turns_missed / conduct.turns_committed if conduct.turns_committed else 0.0
    if missed > MISSED_SHARE:
        found.append(Gate(BAD, f"{missed:.0%} of the user's turns had no answer, over {MISSED_SHARE:.0%}"))
    if isinstance(conduct, Conduct) and conduct.callers < CALLERS:
        found.append(Gate(UNPROVEN, f"{conduct.callers} kinds of caller, under {CALLERS}"))
    return found
