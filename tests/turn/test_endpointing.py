"""Endpointing policies: evidence in, silence out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.turn.endpointing import (
    CalibratedEndpointing,
    FixedEndpointing,
    Patience,
    PauseEvidence,
    SemanticEndpointing,
)
from speakback.turn.words import Unfinished

SEMANTIC = SemanticEndpointing(sure_ms=200, doubtful_ms=800, unscored_ms=600, sure_at=0.8, doubtful_at=0.2)
PATIENCE = Patience(hesitation_ms=1400, counting_ms=1600, address_ms=1800)
CALIBRATED = CalibratedEndpointing(
    confidence=0.85, least_ms=240, most_ms=2500, unscored_ms=700, unread_ms=500, prior_pauses=8, patience=PATIENCE
)
LONG_PAUSES_MS, SHORT_PAUSES_MS = (1500,) * 8, (250,) * 8
probabilities = st.floats(0, 1)


def scored(probability: float | None, own_pauses_ms: tuple[int, ...] = ()) -> PauseEvidence:
    return PauseEvidence(probability, spoken_ms=900, own_pauses_ms=own_pauses_ms)


@pytest.mark.parametrize("probability", [None, 0.0, 0.5, 1.0])
def test_a_fixed_wait_asks_for_no_evidence(probability: float | None) -> None:
    assert FixedEndpointing(450).silence_ms(scored(probability)) == 450


@pytest.mark.parametrize(
    ("probability", "silence_ms"),
    [
        (None, 600),
        (1.0, 200),
        (0.8, 200),
        (0.65, 350),
        (0.5, 500),
        (0.2, 800),
        (0.0, 800),
        (-3.0, 800),
        (7.0, 200),
    ],
)
def test_the_likelier_the_end_the_shorter_the_wait(probability: float | None, silence_ms: int) -> None:
    assert SEMANTIC.silence_ms(scored(probability)) == silence_ms


@pytest.mark.parametrize("policy", [SEMANTIC, CALIBRATED])
def test_a_score_that_is_no_number_is_an_error_not_a_wait(policy: SemanticEndpointing | CalibratedEndpointing) -> None:
    with pytest.raises(ValueError, match="NaN"):
        policy.silence_ms(scored(float("nan")))


# ---- calibrated -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("probability", "silence_ms"),
    [(None, 700), (1.0, 240), (0.9, 240), (0.0, 2500), (-3.0, 2500), (7.0, 240)],
)
def test_a_calibrated_wait_has_its_bounds(probability: float | None, silence_ms: int) -> None:
    assert CALIBRATED.silence_ms(scored(probability)) == silence_ms


def test_a_calibrated_wait_follows_from_the_rule() -> None:
    """At a score of 0.5 the odds are even: the wait is what 15/85 of people's pauses outlast."""
    assert CALIBRATED.silence_ms(scored(0.5)) == pytest.approx(814, abs=3)


@given(probabilities, probabilities)
def test_a_better_score_never_makes_the_wait_longer(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert CALIBRATED.silence_ms(scored(high)) <= CALIBRATED.silence_ms(scored(low))


@given(probabilities, st.floats(0.5, 0.99), st.floats(0.5, 0.99))
def test_more_confidence_never_makes_the_wait_shorter(probability: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    waits = [replace(CALIBRATED, confidence=sure).silence_ms(scored(probability)) for sure in (low, high)]
    assert waits == sorted(waits)


@pytest.mark.parametrize(
    ("unfinished", "silence_ms"),
    [(Unfinished.NO, 240), (Unfinished.HESITATION, 1400), (Unfinished.COUNTING, 1600), (Unfinished.ADDRESS, 1800)],
)
def test_patience_for_what_is_not_finished(unfinished: Unfinished, silence_ms: int) -> None:
    assert PATIENCE.silence_ms(unfinished) == (0 if unfinished is Unfinished.NO else silence_ms)
    assert CALIBRATED.silence_ms(scored(1.0)._replace(unfinished=unfinished)) == silence_ms
    unscored_ms = CALIBRATED.silence_ms(scored(None)._replace(unfinished=unfinished))
    assert unscored_ms == max(700, PATIENCE.silence_ms(unfinished))


def test_patience_makes_no_wait_shorter() -> None:
    assert CALIBRATED.silence_ms(scored(0.0)._replace(unfinished=Unfinished.HESITATION)) == 2500


def test_a_sure_sound_waits_for_its_words() -> None:
    """They may say that more is to come."""
    assert CALIBRATED.silence_ms(scored(1.0)._replace(is_read=False)) == 500
    assert CALIBRATED.silence_ms(scored(0.0)._replace(is_read=False)) == 2500


def test_the_wait_learns_this_users_pauses() -> None:
    usual_ms = CALIBRATED.silence_ms(scored(0.5))
    assert (
        CALIBRATED.silence_ms(scored(0.5, LONG_PAUSES_MS))
        > usual_ms
        > CALIBRATED.silence_ms(scored(0.5, SHORT_PAUSES_MS))
    )


def test_few_pauses_teach_less_than_many() -> None:
    waits = [CALIBRATED.silence_ms(scored(0.5, (1500,) * count)) for count in range(12)]
    assert waits == sorted(set(waits))


def test_as_many_pauses_as_the_prior_weigh_half() -> None:
    human_ms = CALIBRATED.silence_ms(scored(0.5))
    half = (1500 / (1000 * 2.718281828 ** (-0.704))) ** 0.5
    assert CALIBRATED.silence_ms(scored(0.5, LONG_PAUSES_MS)) == pytest.approx(human_ms * half, abs=3)


def test_one_who_does_not_learn_and_one_without_a_prior() -> None:
    assert replace(CALIBRATED, learns=False).silence_ms(scored(0.5, LONG_PAUSES_MS)) == CALIBRATED.silence_ms(
        scored(0.5)
    )
    assert replace(CALIBRATED, prior_pauses=0).silence_ms(scored(0.5)) == CALIBRATED.silence_ms(scored(0.5))
