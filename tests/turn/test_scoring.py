"""Which pauses the end-of-turn model is spared, and by when it must have answered."""

import pytest

from speakback.turn.endpointing import CalibratedEndpointing, FixedEndpointing, PauseEvidence, SemanticEndpointing
from speakback.turn.judging import FALLBACK_SILENCE_MS
from speakback.turn.scoring import SHORTEST_SCORED_MS, Spared, needs_score, scored_within
from speakback.turn.words import HeardWords, Unfinished

CALIBRATED = CalibratedEndpointing()
SEMANTIC = SemanticEndpointing(sure_ms=260, doubtful_ms=800, unscored_ms=600)


def test_a_score_is_of_use_until_the_silence_that_ends_the_turn_without() -> None:
    assert scored_within(CALIBRATED, 2000) == CALIBRATED.unscored_ms
    assert scored_within(SEMANTIC, 2000) == SEMANTIC.unscored_ms


def test_a_policy_that_waits_equally_long_needs_no_score() -> None:
    assert scored_within(FixedEndpointing(700), 2000) is Spared.POLICY
    assert scored_within(SemanticEndpointing(600, 600, 600), 2000) is Spared.POLICY


def test_a_policy_that_a_score_can_only_make_more_patient_needs_it() -> None:
    assert scored_within(SemanticEndpointing(sure_ms=600, doubtful_ms=900, unscored_ms=600), 2000) == 600


def test_speech_too_short_to_tell_needs_none() -> None:
    assert scored_within(CALIBRATED, SHORTEST_SCORED_MS - 1) is Spared.SHORT
    assert scored_within(CALIBRATED, SHORTEST_SCORED_MS) == CALIBRATED.unscored_ms


@pytest.mark.parametrize("words", [words for words in Unfinished if words is not Unfinished.NO])
def test_words_that_ask_for_patience_anyway_need_none(words: Unfinished) -> None:
    assert scored_within(CALIBRATED, 2000, words) is Spared.WORDS
    assert scored_within(SEMANTIC, 2000, words) == SEMANTIC.unscored_ms, "this policy has no patience for words"


def test_a_policy_that_fails_is_scored_for() -> None:
    class Failing:
        def silence_ms(self, evidence: PauseEvidence) -> int:
            raise ValueError

    assert scored_within(Failing(), 2000) == FALLBACK_SILENCE_MS


def test_over_the_agent_only_what_may_be_a_turn_needs_a_score() -> None:
    needed = {words for words in HeardWords if needs_score(words)}
    assert needed == {HeardWords.REMARK, HeardWords.CONTENT, HeardWords.HALT}
