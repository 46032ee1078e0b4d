"""What callers say when."""

from itertools import islice

from speakback.load.plan import PAUSE_MS, Habits, Kind, Utterance, utterances
from tests.load.sounds import TONES


def plan(habits: Habits, seed: str = "1:0", n: int = 400) -> list[Utterance]:
    return list(islice(utterances(TONES, habits, seed), n))


def test_the_same_seed_gives_the_same_caller() -> None:
    assert plan(Habits()) == plan(Habits())
    assert plan(Habits()) != plan(Habits(), "1:1")


def test_it_begins_with_a_question() -> None:
    first = plan(Habits(barge_in_share=1.0))[0]
    assert first.kind is Kind.QUESTION
    assert 500 <= first.after_ms <= 3000


def test_the_share_of_barge_ins() -> None:
    asked = [one.kind for one in plan(Habits(barge_in_share=0.3), n=3000) if one.kind is not Kind.BACKCHANNEL]
    assert 0.27 < asked.count(Kind.CUT_IN) / len(asked) < 0.33
    assert all(one.kind is Kind.CUT_IN for one in plan(Habits(barge_in_share=1.0))[1:])
    assert all(one.kind is not Kind.CUT_IN for one in plan(Habits(barge_in_share=0.0)))


def test_cut_ins_fall_into_the_reply_and_polite_questions_behind_it() -> None:
    since_question_ms = 0
    for one in plan(Habits(reply_ms=9000, silence_share=0.0))[1:]:
        since_question_ms += one.after_ms
        if one.kind is Kind.BACKCHANNEL:
            since_question_ms += one.line.duration_ms
            continue
        if one.kind is Kind.CUT_IN:
            assert 2000 <= since_question_ms <= 4000
        else:
            assert 9000 + PAUSE_MS[0] <= since_question_ms <= 9000 + PAUSE_MS[1]
        since_question_ms = 0


def test_some_are_silent_for_long() -> None:
    polite = plan(Habits(barge_in_share=0.0, backchannel_share=0.0, silence_share=1.0, reply_ms=1000), n=20)
    assert all(one.after_ms >= 5000 for one in polite[1:])
