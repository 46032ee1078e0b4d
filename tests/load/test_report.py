"""What a run came to."""

import json
from dataclasses import replace
from io import StringIO

from rich.console import Console

from speakback.load.durations import Percentiles
from speakback.load.plan import Kind
from speakback.load.record import CallerRecord, Ended, HeardReply, Spoken, Turned
from speakback.load.report import FRAME_LATE_MS, FRAMES_LATE_P99_MS, Client, Report, Window, report
from speakback.load.server_use import Reading
from speakback.load.table import show

WINDOW = Window(1000.0, 11_000.0)
PUNCTUAL = Client(Percentiles(1000, 1.0, 2.0, 3.0, 4.0), None, 0.1)


def talked(**fields: object) -> CallerRecord:
    """A caller that asked one question and was answered."""
    record = CallerRecord(
        joined_ms=0.0,
        spoken=[Spoken(Kind.QUESTION, 2000.0, 3000.0)],
        replies=[HeardReply("resp_1", "item_1", 3500.0, 9000.0, 9080.0, "completed")],
    )
    for name, value in fields.items():
        setattr(record, name, value)
    return record


def of(*records: CallerRecord, client: Client = PUNCTUAL) -> Report:
    return report(records, WINDOW, client)


def test_only_what_was_said_within_the_window_counts() -> None:
    late = talked(spoken=[Spoken(Kind.QUESTION, 11_500.0, 12_000.0)])
    found = of(talked(), late)
    assert found.answers.asked == 1
    assert found.answers.ttfb == Percentiles(1, 500.0, 500.0, 500.0, 500.0)
    assert found.void is None


def test_a_turn_without_an_answer_is_counted() -> None:
    found = of(talked(replies=[]))
    assert (found.answers.asked, found.answers.unanswered, found.answers.ttfb) == (1, 1, None)


def test_answered_turns_without_a_ledger_are_missing_in_the_overhead_and_counted() -> None:
    found = of(talked(), talked(), talked(replies=[]))
    assert (found.answers.overhead, found.answers.overhead_unknown) == (None, 2)
    assert any("2 answered turns of which the server sent no ledger" in line for line in shown(found).splitlines())


def test_refused_callers_are_counted_apart() -> None:
    away = CallerRecord(turned_away=[Turned(12.0, 5.0), Turned(8.0, None)])
    came_back = talked(turned_away=[Turned(10.0, 7.0)])
    sessions = of(away, came_back, talked()).sessions
    assert (sessions.asked, sessions.joined, sessions.held) == (3, 2, 2)
    assert (sessions.refused.callers, sessions.refused.knocks) == (1, 3)
    assert (sessions.refused.retry_after_s, sessions.refused.without_retry_after) == ((5.0, 7.0), 1)
    assert sessions.refused.took_ms is not None
    assert sessions.refused.took_ms.p50 == 10.0


def test_sessions_that_end_early_are_counted_by_their_code() -> None:
    sessions = of(talked(ended=Ended(1.0, 1012, "")), talked(ended=Ended(1.0, 1006, "")), talked()).sessions
    assert (sessions.held, sessions.ended_early) == (1, {"1012": 1, "1006": 1})


def test_callers_that_failed_are_told_with_the_reason() -> None:
    assert of(talked(), CallerRecord(failure="no")).sessions.failed == {"no": 1}


def test_callers_that_were_late_make_a_run_void() -> None:
    often = Client(Percentiles(1000, 1.0, 5.0, FRAMES_LATE_P99_MS + 1, 40.0), None, 0.9)
    once = Client(Percentiles(1000, 1.0, 2.0, 3.0, FRAME_LATE_MS + 1), None, 0.9)
    for client in (often, once):
        void = of(talked(), client=client).void
        assert void is not None
        assert "the callers themselves" in void


def test_a_run_without_a_session_is_void() -> None:
    assert of(CallerRecord(failure="no")).void == "no session was opened."
    assert of(talked(ended=Ended(1.0, 1006, ""))).void == "every session ended before its caller hung up."


def test_backchannels_and_barge_ins() -> None:
    replies = [HeardReply("resp_1", "item_1", 3500.0, 9000.0, 9080.0, "cancelled")]
    murmured = talked(replies=replies, spoken=[Spoken(Kind.BACKCHANNEL, 6000.0, 6200.0)])
    cut_in = talked(replies=replies, spoken=[Spoken(Kind.CUT_IN, 8700.0, 9900.0)])
    ignored = talked(
        replies=[HeardReply("resp_1", "item_1", 3500.0, 9000.0, 9080.0, "completed")],
        spoken=[Spoken(Kind.CUT_IN, 6000.0, 7000.0)],
    )
    found = of(murmured, cut_in, ignored).barge_ins
    assert (found.backchannels, found.stopped_by_backchannel, found.not_yielded) == (1, 1, 1)
    assert found.last_byte is not None
    assert (found.last_byte.n, found.last_byte.worst) == (1, 300.0)


def test_gaps_in_replies() -> None:
    gappy = HeardReply("resp_1", "item_1", 3500.0, 9000.0, 9080.0, "completed", gaps_ms=[10.0, 30.0])
    found = of(talked(), talked(replies=[gappy])).underruns
    assert (found.replies, found.replies_with) == (2, 1)
    assert found.gaps is not None
    assert found.gaps.worst == 30.0


def test_errors_are_counted() -> None:
    errors = of(talked(errors=["a", "b"]), talked(errors=["a"], gaps_in_sequence=4, congested_frames=9)).errors
    assert errors["a"] == 2
    assert [n for text, n in errors.items() if "out of order" in text] == [4]
    assert [n for text, n in errors.items() if "more slowly" in text] == [1]


def test_what_the_server_used() -> None:
    readings = (Reading(0.0, 1.0, 100_000_000), Reading(5.0, 2.0, 150_000_000), Reading(15.0, 4.0, 160_000_000))
    server = report([talked(), talked()], WINDOW, PUNCTUAL, readings).server
    assert server is not None
    assert (server.cpu_cores, server.cpu_cores_a_session) == (0.2, 0.1)
    assert server.resident_bytes_a_session == 30_000_000
    assert server.loop_lag_p99_ms is None
    assert report([talked()], WINDOW, PUNCTUAL, (readings[0], None, readings[2])).server is None


def test_what_several_processes_used_is_not_compared() -> None:
    readings = tuple(Reading(at_s, at_s, 10**8, started_s=at_s // 10) for at_s in (0.0, 5.0, 15.0))
    before, start, end = readings
    found = report([talked()], WINDOW, PUNCTUAL, (before, start, end))
    assert (found.server, found.server_processes) == (None, 2)
    assert "its /metrics came from 2 or more processes" in shown(found)
    same = replace(end, started_s=start.started_s)
    assert report([talked()], WINDOW, PUNCTUAL, (before, start, same)).server is not None


def shown(found: Report) -> str:
    console = Console(width=200, file=StringIO())
    show(console, found)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_it_is_json() -> None:
    found = json.loads(json.dumps(of(talked(ended=Ended(1.0, 1006, ""))).to_json()))
    assert set(found) == {
        "void",
        "seconds",
        "sessions",
        "answers",
        "barge_ins",
        "underruns",
        "errors",
        "server",
        "server_processes",
        "client",
    }
    assert found["sessions"]["ended_early"] == {"1006": 1}
    assert found["answers"]["ttfb"]["n"] == 1
