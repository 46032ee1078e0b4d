"""`speakback load`: what it prints and how it ends. The runs themselves: tests/load."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from speakback.cli.load import EXIT_VOID
from speakback.cli.main import EXIT_REFUSED, app
from speakback.load import run
from speakback.load.durations import Percentiles
from speakback.load.record import CallerRecord
from speakback.load.report import Client, Report, Window, report

NOWHERE = "ws://127.0.0.1:9/v1/realtime"
PUNCTUAL = Client(Percentiles(1000, 1.0, 2.0, 3.0, 4.0), None, 0.1)
FINE = report([CallerRecord(joined_ms=0.0)], Window(0.0, 1000.0), PUNCTUAL)
VOID = replace(FINE, void="the callers themselves were late.")


def found_by(found: Report) -> Callable[..., object]:
    async def held(*asked: object) -> Report:
        return found

    return held


def test_a_server_that_is_not_there() -> None:
    result = CliRunner().invoke(app, ["load", "--url", NOWHERE, "--sessions", "2", "--seconds", "1"])
    assert result.exit_code == EXIT_REFUSED
    assert "is the server running?" in result.stderr


def test_an_address_that_is_none() -> None:
    result = CliRunner().invoke(app, ["load", "--url", "http://127.0.0.1:9"])
    assert result.exit_code == EXIT_REFUSED
    assert "is not an address" in result.stderr


def test_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "run_load", found_by(FINE))
    result = CliRunner().invoke(app, ["load", "--url", NOWHERE])
    assert result.exit_code == 0, result.output
    assert "1 asked for, 1 opened, 1 held to the end" in result.stdout
    assert "TTFB" in result.stdout


def test_json_is_all_that_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "run_load", found_by(FINE))
    result = CliRunner().invoke(app, ["load", "--url", NOWHERE, "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads(json.dumps(FINE.to_json()))


def test_a_void_run_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "run_load", found_by(VOID))
    result = CliRunner().invoke(app, ["load", "--url", NOWHERE, "--json"])
    assert result.exit_code == EXIT_VOID
    assert json.loads(result.stdout)["void"] == VOID.void
    assert "this run is void: the callers themselves were late." in result.stderr


def test_a_recording_that_is_not_there(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["load", "--url", NOWHERE, "--voice", str(tmp_path / "gone.wav")])
    assert result.exit_code == EXIT_REFUSED
    assert "gone.wav: there is no such file." in result.stderr
