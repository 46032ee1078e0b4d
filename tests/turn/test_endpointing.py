"""Endpointing policies: evidence in, silence out."""

import pytest

from speakback.turn.endpointing import (
    FixedEndpointing,
    PauseEvidence,
    SemanticEndpointing,
)

SEMANTIC = SemanticEndpointing(sure_ms=200, doubtful_ms=800, unscored_ms=600)


@pytest.mark.parametrize("probability", [None, 0.0, 0.5, 1.0])
def test_a_fixed_wait_asks_for_no_evidence(probability: float | None) -> None:
    assert FixedEndpointing(450).silence_ms(PauseEvidence(probability, spoken_ms=900)) == 450


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
    assert SEMANTIC.silence_ms(PauseEvidence(probability, spoken_ms=900)) == silence_ms


def test_a_score_that_is_no_number_is_an_error_not_a_wait() -> None:
    with pytest.raises(ValueError, match="NaN"):
        SEMANTIC.silence_ms(PauseEvidence(float("nan"), spoken_ms=900))
