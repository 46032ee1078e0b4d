"""`speakback replay`: a record checked, and compared with another strategy."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from speakback.cli.main import EXIT_REFUSED, app
from speakback.turn.endpointing import FixedEndpointing
from speakback.turn.events import SpeechStarted, SpeechStopped
from speakback.turn.strategies import STRATEGIES
from tests.turn.recorder import RECORDED_UNDER, Recorder, conversation

SIZE = "19 events, 11 ticks, 25 actions"


def replayed(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["replay", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture
def recorded() -> Recorder:
    return conversation()


@pytest.fixture
def path(tmp_path: Path, recorded: Recorder) -> Path:
    path = tmp_path / "trace-000007.jsonl"
    path.write_bytes(recorded.ended())
    return path


def test_a_trace_is_reproduced(path: Path) -> None:
    result = replayed(path)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "trace 7, recorded by Speakback 1.2.3 under a strategy with settings of its own",
        f"{SIZE}: identical",
    ]


def test_the_first_difference_is_shown_with_its_line(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"pause":1,"end_ms":1800', b'"pause":1,"end_ms":1700', 1))
    result = replayed(path)
    assert result.exit_code == 1
    assert "line 3, at 1900 ms, on SpeechStopped(end_ms=1800):" in result.output
    expected, got = result.output.split("  expected:\n")[1].split("  got:\n")
    assert "ExaminePause(turn_id=1, pause=1, end_ms=1700)" in expected
    assert "ExaminePause(turn_id=1, pause=1, end_ms=1800)" in got
    assert "not identical from line 3 on" in result.output
    assert "DAMAGED" in result.output


def test_a_change_that_alters_no_action_is_told_all_the_same(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"speakback":"1.2.3"', b'"speakback":"1.2.4"'))
    result = replayed(path)
    assert result.exit_code == 1
    assert "DAMAGED: the checksum in the last line does not fit" in result.output
    assert "identical" in result.output


def test_a_record_that_breaks_off_is_replayed_as_far_as_it_goes(path: Path, recorded: Recorder) -> None:
    path.write_bytes(b"".join(recorded.lines[:5])[:-3])
    result = replayed(path)
    assert result.exit_code == 0
    assert "note: the file breaks off without its last line" in result.output
    assert "3 events, 0 ticks, 3 actions: identical" in result.output
    path.write_bytes(recorded.ended("the disk could not keep up"))
    result = replayed(path)
    assert result.exit_code == 0
    assert "note: the record ends before the session did: the disk could not keep up" in result.output


def test_another_strategy_is_compared(path: Path) -> None:
    result = replayed(path, "--strategy", "half-duplex")
    assert result.exit_code == 0
    head, counts = result.output.split("\n\n", maxsplit=1)
    assert "half-duplex first decides otherwise at 1960 ms (line 5), on PauseTranscribed(" in head
    assert "  recorded:\n    StartDraft(reply_id=1, turn_id=1, pause=1)" in head
    assert "  half-duplex:\n    nothing" in head
    rows = {row.rsplit(maxsplit=2)[0]: row.split()[-2:] for row in counts.splitlines()[1:] if row.strip()}
    assert rows["CommitTurn"] == ["2", "3"]
    assert rows["StartDraft"][1] == rows["StopReply"][1] == "0"
    assert rows["ReportVerdict backchannel"] == ["1", "0"]
    assert "What follows the first difference is no longer what would have happened" in counts


def test_the_strategy_of_the_record_decides_the_same(path: Path) -> None:
    path.write_bytes(conversation(STRATEGIES["overlap-aware"]).ended())
    result = replayed(path, "--strategy", "overlap-aware")
    assert result.exit_code == 0
    assert "recorded by Speakback 1.2.3 under overlap-aware" in result.output
    assert "actions: overlap-aware decides the same throughout" in result.output


def test_single_keys_of_the_other_strategy_are_set(path: Path) -> None:
    path.write_bytes(conversation(STRATEGIES["overlap-aware"]).ended())
    result = replayed(path, "--strategy", "overlap-aware", "--set", "barge_in=never", "--set", "drafts.enabled=false")
    assert result.exit_code == 0
    assert "overlap-aware with barge_in=never, drafts.enabled=false first decides otherwise at " in result.output
    assert "\nStartDraft" in result.output
    assert "\nHoldReply" in result.output


def test_a_configuration_that_the_client_set_may_be_the_difference(path: Path) -> None:
    talk = Recorder()
    talk.at(1000, SpeechStarted(900))
    talk.at(2000, SpeechStopped(1900))
    talk.at(2200, STRATEGIES["rapid-duplex"])
    talk.at(2201, replace(RECORDED_UNDER, endpointing=FixedEndpointing(250)))
    path.write_bytes(talk.ended())
    asked = ("--strategy", "half-duplex", "--set", "barge_in=graded", "--set", "drafts.enabled=true")
    assert "first decides otherwise at 2201 ms (line 5), on another configuration:" in replayed(path, *asked).output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--strategy", "half"), "no strategy is called 'half'; did you mean 'half-duplex'?"),
        (("--strategy", "half-duplex", "--set", "wait_ms=3"), "no strategy setting is called 'wait_ms'"),
        (("--strategy", "half-duplex", "--set", "idle.wait_ms=soon"), "idle.wait_ms must be of type int, not str"),
        (("--strategy", "half-duplex", "--set", "idle.wait_ms=[1]"), "idle.wait_ms must be of type int, not str"),
        (("--strategy", "half-duplex", "--set", "idle.wait_ms"), "'idle.wait_ms' is not of the form KEY=VALUE"),
        (("--set", "idle.wait_ms=3"), "name that with --strategy"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_message(path: Path, arguments: tuple[str, ...], message: str) -> None:
    result = replayed(path, *arguments)
    assert result.exit_code == EXIT_REFUSED
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_a_file_that_is_no_trace_is_refused_with_a_message(tmp_path: Path) -> None:
    for name, text, message in (
        ("timeline.jsonl", '{"duration_ms":60000}\n', "timeline.jsonl, line 1: this is no trace of Speakback"),
        ("empty.jsonl", "", "empty.jsonl is empty"),
    ):
        (tmp_path / name).write_text(text, encoding="ascii")
        result = replayed(tmp_path / name)
        assert result.exit_code == EXIT_REFUSED
        assert message in result.stderr
    result = replayed(tmp_path / "gone.jsonl")
    assert result.exit_code == EXIT_REFUSED
    assert "gone.jsonl: cannot be read (No such file or directory)." in result.stderr
