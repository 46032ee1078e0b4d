"""The graded policy as a table: all that is known in, one verdict out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.turn.barge_in import DECIDED, LET_BE, Overlap, OverlapEvidence, Verdict
from speakback.turn.words import HeardWords

OVERLAP = Overlap(
    duck_ms=120,
    provisional_ms=350,
    young_reply_ms=600,
    young_provisional_ms=150,
    final_ms=900,
    remark_ms=300,
    words_ms=1800,
    broke_off_below=0.08,
    echo_at=0.6,
)
OPEN, HOLD, BACKCHANNEL = Verdict.OPEN, Verdict.HOLD, Verdict.BACKCHANNEL
NOISE, ECHO, INTERRUPTION = Verdict.NOISE, Verdict.ECHO, Verdict.INTERRUPTION
NO_WORDS, LISTENING = HeardWords.NONE, HeardWords.BACKCHANNEL


def voiced(since_onset_ms: int, words: HeardWords | None = None) -> OverlapEvidence:
    """The user is speaking since so long, over a reply that had been heard for two seconds."""
    return OverlapEvidence(since_onset_ms, since_onset_ms, True, words, False, None, None, reply_age_ms=2000)


def ended(voiced_ms: int, since_onset_ms: int, words: HeardWords | None = None) -> OverlapEvidence:
    """The user spoke for so long, and not all of it is read."""
    return OverlapEvidence(since_onset_ms, voiced_ms, False, words, False, None, None, reply_age_ms=2000)


def read(voiced_ms: int, since_onset_ms: int, words: HeardWords) -> OverlapEvidence:
    """The user spoke for so long, and all of it is read."""
    return replace(ended(voiced_ms, since_onset_ms, words), is_read=True)


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        # while the voice goes on, whatever its first words are
        (voiced(0), OPEN),
        (voiced(349), OPEN),
        (voiced(350), HOLD),
        (voiced(899), HOLD),
        (voiced(900), INTERRUPTION),
        (voiced(349, LISTENING), OPEN),
        (voiced(899, LISTENING), HOLD),
        (voiced(900, LISTENING), INTERRUPTION),
        (voiced(100, HeardWords.CONTENT), OPEN),
        (voiced(900, NO_WORDS), INTERRUPTION),
        # … over a reply that has just begun: both started at once
        (replace(voiced(149), reply_age_ms=599), OPEN),
        (replace(voiced(150), reply_age_ms=599), HOLD),
        (replace(voiced(150), reply_age_ms=-40), HOLD),
        (replace(voiced(150), reply_age_ms=600), OPEN),
        # the voice fell silent, not all is read
        (ended(300, 400), OPEN),
        (ended(800, 899), OPEN),
        (ended(300, 900), BACKCHANNEL),
        (ended(800, 900), BACKCHANNEL),
        (ended(800, 900, HeardWords.CONTENT), INTERRUPTION),
        # … all is read
        (read(300, 400, LISTENING), BACKCHANNEL),
        (read(800, 850, LISTENING), BACKCHANNEL),
        (read(300, 400, NO_WORDS), NOISE),
        (read(1500, 1600, NO_WORDS), NOISE),
        (read(300, 400, HeardWords.CONTENT), INTERRUPTION),
        (read(299, 400, HeardWords.CONTENT), BACKCHANNEL),
        (replace(read(299, 400, HeardWords.CONTENT), end_of_turn=0.079), INTERRUPTION),
        (replace(read(299, 400, HeardWords.CONTENT), end_of_turn=0.08), BACKCHANNEL),
        (replace(read(299, 400, HeardWords.CONTENT), end_of_turn=float("nan")), BACKCHANNEL),
        # a word that asks the agent to stop does so at once
        (voiced(100, HeardWords.HALT), INTERRUPTION),
        (ended(200, 250, HeardWords.HALT), INTERRUPTION),
        (replace(voiced(100, HeardWords.HALT), echo=1.0), INTERRUPTION),
        # echo, by its words or by its sound
        (voiced(2000, HeardWords.ECHO), ECHO),
        (ended(300, 400, HeardWords.ECHO), ECHO),
        (replace(voiced(600), echo=0.6), ECHO),
        (replace(voiced(600), echo=0.59), HOLD),
        (replace(voiced(600), echo=float("nan")), HOLD),
        (replace(ended(600, 950), echo=0.6), ECHO),
        (replace(voiced(600, LISTENING), echo=0.6), ECHO),
        (replace(voiced(600, HeardWords.CONTENT), echo=OVERLAP.echo_at), HOLD),
        (replace(voiced(600, HeardWords.CONTENT), echo=OVERLAP.echo_sure_at), ECHO),
    ],
)
def test_the_verdict(evidence: OverlapEvidence, verdict: Verdict) -> None:
    assert OVERLAP.verdict(evidence) is verdict


@pytest.mark.parametrize(
    ("evidence", "ducks"),
    [(voiced(119), False), (voiced(120), True), (ended(300, 400), False)],
)
def test_the_voice_is_lowered_while_the_users_goes_on(evidence: OverlapEvidence, ducks: bool) -> None:
    assert OVERLAP.ducks(evidence) is ducks


@pytest.mark.parametrize(
    ("since_onset_ms", "reply_age_ms", "look_ms"),
    [(0, 2000, 350), (0, 0, 150), (150, 0, 900), (350, 2000, 900), (900, 2000, 1800), (1800, 0, None)],
)
def test_when_to_look_again(since_onset_ms: int, reply_age_ms: int, look_ms: int | None) -> None:
    evidence = replace(voiced(since_onset_ms), reply_age_ms=reply_age_ms)
    assert OVERLAP.next_look_ms(evidence) == look_ms


@pytest.mark.parametrize(
    ("evidence", "is_conclusive"),
    [
        (read(300, 899, LISTENING), False),
        (read(300, 900, LISTENING), True),
        (ended(300, 1799), False),
        (ended(300, 1800), True),
    ],
)
def test_when_nothing_more_is_to_be_learnt(evidence: OverlapEvidence, is_conclusive: bool) -> None:
    assert OVERLAP.is_conclusive(evidence) is is_conclusive


anything = st.builds(
    OverlapEvidence,
    since_onset_ms=st.integers(0, 4000),
    voiced_ms=st.integers(0, 4000),
    is_voiced=st.booleans(),
    words=st.none() | st.sampled_from(HeardWords),
    is_read=st.booleans(),
    end_of_turn=st.none() | st.floats(0, 1),
    echo=st.none() | st.floats(0, 1),
    reply_age_ms=st.integers(-500, 9000),
)


@given(anything)
def test_by_the_final_time_it_is_decided(evidence: OverlapEvidence) -> None:
    if evidence.since_onset_ms >= OVERLAP.final_ms:
        assert OVERLAP.verdict(evidence) in DECIDED


@given(anything)
def test_time_alone_changes_nothing_before_the_next_look(evidence: OverlapEvidence) -> None:
    """Else the core, which sleeps until then, would be late."""
    evidence = replace(evidence, voiced_ms=min(evidence.voiced_ms, evidence.since_onset_ms))
    look_ms = OVERLAP.next_look_ms(evidence)
    last_ms = 10_000 if look_ms is None else look_ms - 1
    later = replace(evidence, since_onset_ms=last_ms)
    assert OVERLAP.verdict(later) is OVERLAP.verdict(evidence)


def test_the_agent_keeps_the_floor_or_loses_it() -> None:
    assert {INTERRUPTION} | LET_BE == DECIDED
    assert set(Verdict) - DECIDED == {OPEN, HOLD}
