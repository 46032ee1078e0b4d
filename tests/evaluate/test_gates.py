from dataclasses import replace

import numpy as np
import pytest

from speakback.evaluate.baseline import Quantity, load_baseline
from speakback.evaluate.conduct import Service
from speakback.evaluate.gates import BAD, UNPROVEN, gates
from speakback.evaluate.measures import Measures, measure_one
from speakback.evaluate.parts import floor_respect
from tests.evaluate.build import GOOD, TRACED, ipu, talk

BASELINE = load_baseline()
ONE = measure_one(talk([ipu(0, 1000)], [ipu(1200, 2000)], 600_000))
FINE = replace(ONE, samples={**ONE.samples, Quantity.FTO_TURN: np.full(80, 130)})


def caps(measures: Measures, conduct: Service | None) -> list[float]:
    return [gate.cap for gate in gates(measures, floor_respect(measures, BASELINE), conduct, BASELINE)]


def test_a_good_agent_passes_all() -> None:
    assert caps(FINE, GOOD) == caps(FINE, None) == []


@pytest.mark.parametrize(
    ("measures", "cap"),
    [
        (replace(FINE, counts=replace(FINE.counts, cut_ins=22)), None),
        (replace(FINE, counts=replace(FINE.counts, cut_ins=23)), BAD),
        (replace(FINE, counts=replace(FINE.counts, agent_speech_ms=0)), BAD),
        (replace(FINE, samples={**ONE.samples, Quantity.FTO_TURN: np.full(79, 130)}), UNPROVEN),
        (replace(FINE, counts=replace(FINE.counts, duration_ms=599_999)), UNPROVEN),
    ],
    ids=["cut-ins up to the limit", "cut-ins over it", "never spoke", "too few transitions", "too short"],
)
def test_gates_of_the_intervals(measures: Measures, cap: float | None) -> None:
    assert caps(measures, GOOD) == ([] if cap is None else [cap])


@pytest.mark.parametrize(
    ("conduct", "cap"),
    [
        (replace(GOOD, turns_missed=15), None),
        (replace(GOOD, turns_missed=16), BAD),
        (replace(GOOD, turns_committed=0, turns_missed=0), None),
        (replace(GOOD, callers=2), UNPROVEN),
        (replace(TRACED, turns_missed=0), None),
        (TRACED, BAD),
    ],
)
def test_gates_of_the_conduct(conduct: Service, cap: float | None) -> None:
    assert caps(FINE, conduct) == ([] if cap is None else [cap])
