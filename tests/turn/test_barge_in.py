"""The graded policy as a table: all that is known in, one verdict out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.turn.barge_in import LET_BE, Overlap, OverlapEvidence, Verdict
from speakback.turn.words import HeardWords

OVERLAP = Overlap(
    duck_ms=120,
    provisional_ms=350,
    young_reply_ms=600,
    young_provisional_ms=150,
    final_ms=900,
    settle_ms=1200,
    last_ms=1300,
    bid_ms=700,
    words_ms=1800,
    broke_off_below=0.08,
    echo_at=0.6,
    echo_sure_at=0.85,
)
OPEN, HOLD, BACKCHANNEL = Verdict.OPEN, Verdict.HOLD, Verdict.BACKCHANNEL
NOISE, ECHO, INTERRUPTION = Verdict.NOISE, Verdict.ECHO, Verdict.INTERRUPTION
NO_WORDS, LISTENING = HeardWords.NONE, HeardWords.BACKCHANNEL
REMARK, CONTENT = HeardWords.REMARK, HeardWords.CONTENT


def voiced(since_onset_ms: int, words: HeardWords | None = None) -> OverlapEvidence:
    """The user is speaking since so long, over a reply that had been heard for two seconds."""
    return OverlapEvidence(since_onset_ms, since_onset_ms, True, words, False, None, None, reply_age_ms=2000)


def ended(voiced_ms: int, since_onset_ms: int, words: HeardWords | None = None) -> OverlapEvidence:
    """The user spoke for so long, and not all of it is read."""
    return OverlapEvidence(since_onset_ms, voiced_ms, False, words, False, None, None, reply_age_ms=2000)


def read(voiced_ms: int, since_onset_ms: int, words: HeardWords) -> OverlapEvidence:
    """The user spoke for so long, and all of it is read."""
    return ended(voiced_ms, since_onset_ms, words)._replace(is_read=True)


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        # while the voice goes on, whatever its first words are; later where they do not tell
        (voiced(0), OPEN),
        (voiced(349), OPEN),
        (voiced(350), HOLD),
        (voiced(1299), HOLD),
        (voiced(1300), INTERRUPTION),
        (voiced(349, LISTENING), OPEN),
        (voiced(350, LISTENING), HOLD),
        (voiced(1299, LISTENING), HOLD),
        (voiced(1300, LISTENING), INTERRUPTION),
        (voiced(1299, REMARK), HOLD),
        (voiced(1300, REMARK), INTERRUPTION),
        (voiced(1299, NO_WORDS), HOLD),
        (voiced(1300, NO_WORDS), INTERRUPTION),
        (voiced(100, CONTENT), OPEN),
        (voiced(899, CONTENT), HOLD),
        (voiced(900, CONTENT), INTERRUPTION),
        # … over a reply that has just begun: both started at once
        (voiced(149)._replace(reply_age_ms=599), OPEN),
        (voiced(150)._replace(reply_age_ms=599), HOLD),
        (voiced(150)._replace(reply_age_ms=-40), HOLD),
        (voiced(150)._replace(reply_age_ms=600), OPEN),
        # the voice fell silent, not all is read: it is never held then, and judged by what there is when settled
        (ended(200, 300), OPEN),
        (ended(300, 400), OPEN),
        (ended(800, 1199), OPEN),
        (ended(300, 1199, CONTENT), OPEN),
        (ended(699, 1200), BACKCHANNEL),
        (ended(700, 1200), INTERRUPTION),
        (ended(900, 1200, LISTENING), BACKCHANNEL),
        (ended(900, 1200, REMARK), BACKCHANNEL),
        (ended(900, 1200, NO_WORDS), NOISE),
        (ended(300, 1200, CONTENT), INTERRUPTION),
        # … all is read
        (read(300, 400, LISTENING), BACKCHANNEL),
        (read(800, 850, LISTENING), BACKCHANNEL),
        (read(300, 400, CONTENT), INTERRUPTION),
        (read(300, 1199, NO_WORDS), OPEN),
        (read(300, 1200, NO_WORDS), NOISE),
        (read(1500, 1600, NO_WORDS), NOISE),
        (read(300, 1199, REMARK), OPEN),
        (read(900, 1200, REMARK), BACKCHANNEL),
        (ended(300, 400, REMARK)._replace(end_of_turn=0.079), OPEN),
        (read(300, 400, REMARK)._replace(end_of_turn=0.079), INTERRUPTION),
        (read(300, 400, REMARK)._replace(end_of_turn=0.08), OPEN),
        (read(300, 1200, REMARK)._replace(end_of_turn=0.079), INTERRUPTION),
        (read(300, 1200, REMARK)._replace(end_of_turn=0.08), BACKCHANNEL),
        (read(300, 1200, REMARK)._replace(end_of_turn=float("nan")), BACKCHANNEL),
        (read(300, 400, LISTENING)._replace(end_of_turn=0.0), BACKCHANNEL),
        # … or nothing was, though all could be
        (ended(300, 1199)._replace(is_read=True), OPEN),
        (ended(300, 1200)._replace(is_read=True), BACKCHANNEL),
        # a word that asks the agent to stop does so at once
        (voiced(100, HeardWords.HALT), INTERRUPTION),
        (ended(200, 250, HeardWords.HALT), INTERRUPTION),
        (voiced(100, HeardWords.HALT)._replace(echo=1.0), INTERRUPTION),
        # echo, by its words or by its sound
        (voiced(2000, HeardWords.ECHO), ECHO),
        (ended(300, 400, HeardWords.ECHO), ECHO),
        (voiced(600)._replace(echo=0.6), ECHO),
        (voiced(600)._replace(echo=0.59), HOLD),
        (voiced(600)._replace(echo=float("nan")), HOLD),
        (ended(600, 950)._replace(echo=0.6), ECHO),
        (voiced(600, LISTENING)._replace(echo=0.6), ECHO),
        (voiced(600, CONTENT)._replace(echo=0.849), HOLD),
        (voiced(600, CONTENT)._replace(echo=0.85), ECHO),
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
    [(0, 2000, 350), (0, 0, 150), (150, 0, 900), (350, 2000, 900), (900, 0, 1200)]
    + [(1200, 0, 1300), (1300, 0, 1800), (1800, 0, None)],
)
def test_when_to_look_again(since_onset_ms: int, reply_age_ms: int, look_ms: int | None) -> None:
    evidence = voiced(since_onset_ms)._replace(reply_age_ms=reply_age_ms)
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
def test_by_the_last_time_it_is_decided_and_sooner_once_the_voice_stopped(evidence: OverlapEvidence) -> None:
    if evidence.since_onset_ms >= (OVERLAP.last_ms if evidence.is_voiced else OVERLAP.settle_ms):
        assert OVERLAP.verdict(evidence) in (*LET_BE, INTERRUPTION)


@given(anything)
def test_a_voice_that_stopped_makes_nobody_hold(evidence: OverlapEvidence) -> None:
    assert evidence.is_voiced or OVERLAP.verdict(evidence) is not HOLD


def test_the_times_of_the_policy_follow_each_other() -> None:
    """Else a verdict by one of them would never be seen: at `last_ms` the core has what is open count as a bid."""
    policy = Overlap()
    assert policy.provisional_ms < policy.final_ms <= policy.settle_ms <= policy.last_ms <= policy.words_ms


@given(anything)
def test_time_alone_changes_nothing_before_the_next_look(evidence: OverlapEvidence) -> None:
    """Else the core, which sleeps until then, would be late."""
    evidence = evidence._replace(voiced_ms=min(evidence.voiced_ms, evidence.since_onset_ms))
    look_ms = OVERLAP.next_look_ms(evidence)
    last_ms = 10_000 if look_ms is None else look_ms - 1
    later = evidence._replace(since_onset_ms=last_ms)
    assert OVERLAP.verdict(later) is OVERLAP.verdict(evidence)


def test_the_agent_keeps_the_floor_or_loses_it() -> None:
    assert set(Verdict) - {*LET_BE, INTERRUPTION} == {OPEN, HOLD}
