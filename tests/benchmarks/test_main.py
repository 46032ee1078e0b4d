"""python -m benchmarks on a machine that does not tell all."""

import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.figures import Figure, Findings
from benchmarks.process import NotToldHere


def test_what_cannot_be_measured_here_does_not_end_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async def untold(clips: Path | None) -> Findings:
        raise NotToldHere("/proc/1/stat cannot be read")

    async def told(clips: Path | None) -> Findings:
        return Findings("told", "1", (Figure("something", 1.0, "ms"),))

    monkeypatch.setattr(command, "BENCHMARKS", {"untold": untold, "told": told})
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--json", str(tmp_path / "figures.json")])
    command.main()
    shown = capsys.readouterr().out
    assert "not measured here: /proc/1/stat cannot be read" in shown
    assert "something" in shown
    assert '"told"' in (tmp_path / "figures.json").read_text(encoding="utf-8")
