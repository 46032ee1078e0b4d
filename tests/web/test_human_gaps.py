"""People's gaps as the page draws them: made from the baseline of today, and a density."""

import json
from pathlib import Path

import pytest

from speakback.evaluate.baseline import load_baseline
from speakback.web.human_gaps import QUANTITY, human_gaps, main
from speakback.web.page import FOLDER

FILE: Path = FOLDER / "static" / "human-gaps.json"


def test_the_file_is_current() -> None:
    assert FILE.read_text("utf-8") == human_gaps(), "put the output of `python -m speakback.web.human_gaps` there"


def test_the_command_prints_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    assert capsys.readouterr().out == human_gaps()


def test_it_is_a_density_with_its_source() -> None:
    gaps = json.loads(human_gaps())
    per_column = gaps["column_ms"] / gaps["step_ms"]
    assert sum(gaps["share_per_column"]) / per_column == pytest.approx(1.0, abs=0.005)
    assert gaps["citation"].startswith("Switchboard-1")
    assert gaps["percentiles_ms"]["50"] == load_baseline().distributions[QUANTITY].percentile_ms(50) == 130
    mode_ms = gaps["first_ms"] + gaps["step_ms"] * gaps["share_per_column"].index(max(gaps["share_per_column"]))
    assert 50 <= mode_ms <= 200
