"""Turns are as long as people's, and so are their parts."""

from random import Random

import numpy as np
import pytest

from speakback.evaluate.baseline import Quantity, load_baseline
from speakback.evaluate.distance import wasserstein_ms
from speakback.lab.turn_plans import SHORTEST_IPU_MS, Phrase, plan_spelling, plan_turn, with_correction
from speakback.turn.words import Unfinished

EVENTS = 160


def _turns() -> list[list[Phrase]]:
    rng = Random(3)
    return [plan_turn(rng) for _ in range(20_000)]


def _values_ms(quantity: Quantity) -> list[int]:
    turns = _turns()
    if quantity is Quantity.TURN:
        return [sum(phrase.duration_ms + phrase.pause_ms for phrase in turn) for turn in turns]
    if quantity is Quantity.IPU:
        return [phrase.duration_ms for turn in turns for phrase in turn]
    return [phrase.pause_ms for turn in turns for phrase in turn[:-1]]


@pytest.mark.parametrize("quantity", [Quantity.TURN, Quantity.IPU, Quantity.PAUSE])
def test_durations_are_within_the_noise_of_people(quantity: Quantity) -> None:
    human = load_baseline().distributions[quantity]
    calibration = human.calibration(EVENTS)
    assert human.reference is not None
    assert calibration is not None
    samples = np.random.default_rng(1).choice(_values_ms(quantity), (50, EVENTS))
    assert wasserstein_ms(samples, human.reference).mean() < calibration.w1_ms.p95


def test_a_turn_ends_without_a_pause_and_with_an_act() -> None:
    for turn in _turns()[:500]:
        assert turn[-1].pause_ms == 0
        assert turn[-1].act is not None
        assert all(phrase.pause_ms > 0 for phrase in turn[:-1])
        assert min(phrase.duration_ms for phrase in turn) >= SHORTEST_IPU_MS


def test_pauses_are_stretched_and_trail_off() -> None:
    rng = Random(5)
    turns = [plan_turn(rng, pause_stretch=2.0, open_ended=0.5) for _ in range(3000)]
    inner = [phrase for turn in turns for phrase in turn[:-1]]
    assert np.median([phrase.pause_ms for phrase in inner]) == pytest.approx(960, rel=0.1)
    trailing = [phrase for phrase in inner if phrase.unfinished is Unfinished.HESITATION]
    assert len(trailing) / len(inner) == pytest.approx(0.5, abs=0.05)
    assert all(turn[-1].unfinished is Unfinished.NO for turn in turns)


def test_a_spelling_comes_in_groups() -> None:
    turn = plan_spelling(Random(6))
    assert len(turn) >= 3
    assert {phrase.unfinished for phrase in turn[:-1]} == {Unfinished.COUNTING}


def test_a_correction_follows_what_seemed_the_end() -> None:
    turn = plan_turn(Random(7))
    corrected = with_correction(turn, Random(8))
    assert len(corrected) == len(turn) + 1
    assert corrected[-2].seems_final
    assert corrected[-2].pause_ms > 0
    assert not corrected[-1].seems_final
