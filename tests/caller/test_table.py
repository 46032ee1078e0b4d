"""The latency table."""

from dataclasses import replace
from io import StringIO

from rich.console import Console

from speakback.audio.artifacts import ArtifactReport
from speakback.caller.table import STAGES, faults, latency_table, shortened
from speakback.caller.timeline import AgentReply, ServerLatency, Turn, UserTurn

CLEAN = ArtifactReport(0, 0, 0, 0, 0, False, 150.0)
REPLY = AgentReply("r1", "a1", "Hello.", "completed", None, 1500.0, 2500.0, 1520.0, 900, ())
LEDGER = ServerLatency("u1", "r1", 301, 22, 103, 94, 85, 6, 57, 617, 8, 0.91, CLEAN)
TURN = Turn(REPLY, UserTurn("u1", 0, 1000, "Hi [there]."), None, 619.4, 640.0, LEDGER)


def printed(*turns: Turn) -> str:
    console = Console(width=200, file=StringIO(), record=True)
    console.print(latency_table(turns))
    return console.export_text()


def test_a_row_has_every_stage() -> None:
    text = printed(TURN)
    row = next(line for line in text.splitlines() if "Hi [there]." in line)
    assert row.split()[3:] == ["619", "640", "301", "22", "103", "94", "85", "6", "57", "8", "91%", "none"]
    for stage in STAGES:
        assert f"{stage.head}: {stage.meaning}" in text


def test_the_footer_has_median_and_mean() -> None:
    turns = [replace(TURN, ttfb_ms=value) for value in (500.0, 600.0, 1000.0)]
    text = printed(*turns)
    footer = [line for line in text.splitlines() if "median" in line or "mean" in line]
    assert "600" in footer[0]
    assert "700" in footer[1]


def test_what_was_not_measured_is_a_dash() -> None:
    text = printed(Turn(REPLY, None, None, None, None, None))
    row = next(line for line in text.splitlines() if line.split()[:1] == ["1"])
    assert set(row.split()[1:]) == {"-"}


def test_faults_in_words() -> None:
    assert faults(None) == "-"
    assert faults(CLEAN) == "none"
    report = ArtifactReport(2, 1, 0, 3, 800, True, 600.0)
    assert faults(report) == "2 late, 1 missing, 3 jumps, 800 silent ms, cut off, length"


def test_long_texts_are_shortened() -> None:
    assert shortened("x" * 100).endswith("…")
    assert len(shortened("x" * 100)) == 28
    assert shortened("short") == "short"
