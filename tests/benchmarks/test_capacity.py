"""Capacity, overload and soak: what their tables make of runs, and which goals they hold them to."""

import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import capacity, overload, soak
from benchmarks.figures import Figure, Findings
from speakback.load.durations import Percentiles
from speakback.load.plan import Kind
from speakback.load.record import CallerRecord, HeardReply, Spoken, Turned
from speakback.load.report import Client, Report, Window, report
from speakback.load.server_use import Reading

PUNCTUAL = Client(Percentiles(1000, 1.0, 2.0, 3.0, 4.0), None, 0.1)


def run(callers: int, ttfb_ms: float, resident_mb: float, refused: int = 0) -> Report:
    """So many callers asked one question each."""
    records = [
        CallerRecord(
            joined_ms=0.0,
            spoken=[Spoken(Kind.QUESTION, 1000.0, 2000.0)],
            replies=[HeardReply("resp_1", "item_1", 2000.0 + ttfb_ms, 9000.0, 9080.0, "completed")],
        )
        for _ in range(callers)
    ]
    records += [CallerRecord(turned_away=[Turned(5.0, 4.0)]) for _ in range(refused)]
    readings = (Reading(0.0, 0.0, 10**8), Reading(5.0, 1.0, 10**8), Reading(15.0, 2.0, round(resident_mb * 1e6)))
    return report(records, Window(0.0, 10_000.0), PUNCTUAL, readings)


def by_name(findings: Findings) -> dict[str, Figure]:
    return {figure.what: figure for figure in findings.figures}


def test_memory_of_a_session_is_what_is_held_beyond_one() -> None:
    levels = [capacity.Level(1, "none", run(1, 500, 110)), capacity.Level(100, "none", run(100, 500, 209))]
    figures = by_name(capacity.findings(levels))
    assert figures["1 sessions: memory, a session"].value is None
    assert figures["100 sessions: memory, a session"].value == pytest.approx(1.0)
    assert figures["100 sessions: memory, a session"].met
    assert figures["100 sessions: a session"].value == pytest.approx(0.0), "both used as much"
    assert figures["100 sessions: the server"].value == pytest.approx(0.1)


def test_goals_are_those_of_a_hundred_and_of_the_turn_model() -> None:
    levels = [
        capacity.Level(25, "none", run(25, 500, 110)),
        capacity.Level(100, "none", run(98, 500, 200)),
        capacity.Level(40, "smart-turn", run(40, 500, 200)),
    ]
    figures = by_name(capacity.findings(levels))
    assert figures["25 sessions: opened"].met is None
    assert figures["100 sessions: opened"].met is False
    assert figures["40 sessions with smart-turn: opened"].met is True
    assert figures["40 sessions with smart-turn: memory, a session"].value is None, "it holds the model, too"


def test_overload_compares_those_who_were_let_in() -> None:
    figures = by_name(overload.findings(run(40, 500, 100), run(40, 550, 100, refused=360)))
    assert figures["TTFB, p99 worse by"].value == pytest.approx(10)
    assert figures["refusals"].value == 360
    assert figures["knock → refusal, p99"].met
    assert figures["sessions let in"].met


def test_overload_is_not_passed_by_letting_fewer_in_than_there_are_places() -> None:
    figures = by_name(overload.findings(run(40, 500, 100), run(39, 500, 100, refused=361)))
    assert figures["sessions let in"].met is False


def test_turns_without_a_ledger_are_told_beside_the_overhead() -> None:
    found = overload.findings(run(40, 500, 100), run(40, 550, 100, refused=360))
    assert any("40 turns, 40 came without a ledger" in note for note in found.notes)
    assert any(
        "25 turns, 25 of them without a ledger" in note
        for note in capacity.findings([capacity.Level(25, "none", run(25, 500, 110))]).notes
    )


def test_soak_finds_growth() -> None:
    steady = dict.fromkeys(("speakback_sessions", "speakback_left_behind_total"), 0.0)
    rests = [soak.Rest(hours, round(1e8 + 3e7 * hours), 5, steady) for hours in (0.0, 0.25, 0.5, 0.75, 1.0)]
    figures = by_name(soak.findings(60, [run(2, 500, 100)] * 5, rests))
    assert figures["resident memory grows by, an hour (second half)"].value == pytest.approx(30)
    assert figures["resident memory grows by, an hour (second half)"].met is False
    assert figures["speakback_left_behind_total, nobody on the line"].met
    one = by_name(soak.findings(1, [run(2, 500, 100)], rests[:1]))
    assert one["resident memory grows by, an hour (second half)"].value is None


def test_what_takes_an_hour_runs_only_if_it_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def told(clips: Path | None) -> Findings:
        return Findings("told", "1", ())

    async def long(clips: Path | None) -> Findings:
        return Findings("long", "1", ())

    monkeypatch.setattr(command, "BENCHMARKS", {"told": told, "soak": long})
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    command.main()
    assert "long: n" not in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["benchmarks", "soak"])
    command.main()
    assert "long: n" in capsys.readouterr().out
