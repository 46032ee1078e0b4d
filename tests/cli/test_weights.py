"""`speakback weights` from the outside."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from speakback.cli.weights import weights
from speakback.weights import DEFAULT_WEIGHTS, REGISTRY, WeightsError

app = typer.Typer()
app.command()(weights)


def test_list_shows_every_entry_and_fetches_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPEAKBACK_WEIGHTS__DIRECTORY", str(tmp_path / "none"))
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["--list"])
    assert result.exit_code == 0
    for weights_id in REGISTRY:
        assert weights_id in result.output
    assert not (tmp_path / "none").exists()


def test_nothing_named_means_what_the_default_settings_need() -> None:
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 0, result.output
    for weights_id in DEFAULT_WEIGHTS:
        assert f"{weights_id}: " in result.output


def test_nothing_named_fetches_no_more_than_the_settings_need() -> None:
    environ = {"SPEAKBACK_LLM__PROVIDER": "echo", "SPEAKBACK_STT__MODEL": "base"}
    result = CliRunner(env=environ).invoke(app, [])
    assert result.exit_code == 0, result.output
    named = [line.partition(": ")[0] for line in result.output.splitlines()]
    assert [name for name in named if name in REGISTRY] == ["silero-vad", "whisper-base", "smart-turn-v3.2"]


def test_an_unknown_id_is_left_to_the_command_to_report() -> None:
    result = CliRunner().invoke(app, ["whisper-huge"])
    assert isinstance(result.exception, WeightsError)
