"""What drafts are worth, from calls."""

import pytest

from benchmarks.drafts import Answer, Call, Gain, answers, findings, gain, pairs, percent_wasted
from speakback.caller.server_events import DraftsTold
from speakback.caller.timeline import AgentReply, Interval, ServerLatency, Timeline, Turn, UserSpeech

REPLY = AgentReply("r1", "a1", "Hi.", "completed", None, 1577.0, 2500.0, 1600.0, 900, ())
LEDGER = ServerLatency("u1", "r1", 300, 20, 100, 90, 80, 1, None, 600, 5, 0.9, None)
BOOK = DraftsTold(
    type="speakback.drafts",
    started=5,
    promoted=4,
    wasted_tokens=20,
    wasted_characters=50,
    useful_tokens=80,
    useful_characters=100,
)


def speech(number: int) -> UserSpeech:
    return UserSpeech(Interval(number * 1000, number * 1000 + 500), number * 1000.0, number * 1000.0 + 500)


def answered(user: UserSpeech | None, ttfb_ms: float | None, server: ServerLatency | None = LEDGER) -> Turn:
    return Turn(REPLY, None, user, ttfb_ms, None, server)


def call(drafts: bool, *ttfbs_ms: float | None, book: DraftsTold | None = None, slipped_ms: int = 0) -> Call:
    found = tuple(None if ttfb_ms is None else Answer(ttfb_ms, 300) for ttfb_ms in ttfbs_ms)
    return Call(drafts, found, book, slipped_ms, ())


def test_a_line_of_several_stretches_is_answered_where_its_last_is() -> None:
    said = tuple(speech(number) for number in range(5))
    turns = (
        answered(said[0], 900.0),
        answered(said[1], 1000.0),  # in the midst of the second line
        answered(said[2], 1100.0, server=None),
        answered(None, None),
        answered(said[4], None),
    )
    timeline = Timeline(9000, said, (), turns, (), (), 0, None)
    assert answers(timeline, [1, 2, 1, 1]) == (Answer(900.0, 300), Answer(1100.0, None), None, None)


def test_lines_are_compared_that_were_answered_both_ways_whichever_way_came_first() -> None:
    calls = [call(True, 1.0, 2.0, None), call(False, 3.0, None, 4.0), call(False, 5.0), call(True, 6.0)]
    assert [(a.ttfb_ms, b.ttfb_ms) for a, b in pairs(calls)] == [(1.0, 3.0), (6.0, 5.0)]


def test_the_gain_is_that_of_the_medians() -> None:
    assert gain([100.0, 200.0, 900.0], [400.0, 450.0, 1000.0]) == Gain(250.0, 100.0, 300.0)
    assert gain([], []) is None
    spread_out = gain([float(ms) for ms in range(0, 1000, 10)], [float(ms) for ms in range(200, 1200, 10)])
    assert spread_out == Gain(200.0, 200.0, 200.0)  # lines are drawn with both their answers
    crossed = gain([0.0, 500.0] * 20, [500.0, 0.0] * 20)
    assert crossed is not None
    assert crossed.low_ms < 0 < crossed.high_ms


def test_what_is_wasted_is_a_share_of_what_was_of_use() -> None:
    assert percent_wasted([10, 20], [40, 60]) == 30
    assert percent_wasted([], []) is None
    assert percent_wasted([5], [0]) is None


def test_the_table() -> None:
    calls = [call(True, 700.0, 800.0, book=BOOK), call(False, 900.0, 1000.0, slipped_ms=40)]
    found = findings(calls)
    values = {figure.what: figure.value for figure in found.figures}
    assert values["TTFB with drafts, median"] == 750
    assert values["TTFB without, median"] == 950
    assert values["TTFB less the endpointing wait without, median"] == 650
    assert values["TTFB lower by, median"] == values["TTFB less the wait lower by, median"] == 200
    assert (values["drafts started"], values["drafts promoted"]) == (5, 4)
    assert values["tokens wasted, of those of use"] == 25
    assert values["characters of speech wasted, of those of use"] == 50
    assert [figure.met for figure in found.figures if figure.goal is not None] == [True, True, False]
    assert found.n == "2 of 2 lines, answered both ways"
    assert any("40 ms behind" in note for note in found.notes)


def test_a_call_without_an_answer_has_no_figures() -> None:
    found = findings([call(True, None), call(False, 900.0)])
    assert {figure.value for figure in found.figures if figure.unit == "ms"} == {None}


@pytest.mark.parametrize("wait_ms", [None, 250.0])
def test_what_is_left_when_the_wait_is_over(wait_ms: float | None) -> None:
    assert Answer(900.0, wait_ms).work_ms == (None if wait_ms is None else 650.0)
