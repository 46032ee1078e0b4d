"""`speakback config`: effective values, their origins, and secrets that stay hidden."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from speakback.cli.config import config
from speakback.config import ConfigError
from speakback.config.catalogue import KEYS
from speakback.config.pages import example_file

SECRET = "sk-never-to-be-seen"

app = typer.Typer()
app.command()(config)


def run(*arguments: str, **variables: str) -> str:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", **variables}, catch_exceptions=False)
    assert result.exit_code == 0
    assert SECRET not in result.output
    return result.output


@pytest.fixture(autouse=True)
def _empty_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_table_shows_every_key_and_where_it_came_from() -> None:
    Path("speakback.toml").write_text("[tts]\nspeed = 1.5\n", encoding="utf-8")
    output = run(SPEAKBACK_LLM__PROVIDER="echo")
    assert all(name in output for name in KEYS)
    assert "environment: SPEAKBACK_LLM__PROVIDER" in output
    assert "file: speakback.toml" in output


def test_json_has_value_origin_and_place() -> None:
    rows = json.loads(run("--json", SPEAKBACK_SERVER__PORT="9000", SPEAKBACK_STT__MODEL_PATH="a/b"))
    assert list(rows) == list(KEYS)
    assert rows["server.port"] == {"value": 9000, "origin": "environment", "place": "SPEAKBACK_SERVER__PORT"}
    assert rows["stt.model_path"]["value"] == "a/b"
    assert rows["server.idle_timeout_s"] == {"value": None, "origin": "default", "place": None}


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_secrets_are_said_to_be_set_and_not_shown(arguments: tuple[str, ...]) -> None:
    assert "set, hidden" not in run(*arguments)
    output = run(*arguments, SPEAKBACK_LLM__API_KEY=SECRET, SPEAKBACK_SERVER__API_KEYS=SECRET)
    assert output.count("set, hidden") == 2


def test_a_named_file_is_read() -> None:
    Path("other.toml").write_text("[log]\nlevel = 'error'\n", encoding="utf-8")
    rows = json.loads(run("--config", "other.toml", "--json"))
    assert rows["log.level"] == {"value": "error", "origin": "file", "place": "other.toml"}


def test_the_example_is_printed_as_it_is() -> None:
    assert run("--example") == example_file()


def test_a_refused_configuration_is_an_error() -> None:
    with pytest.raises(ConfigError, match="SPEAKBACK_SERVER__PORT: must be"):
        CliRunner().invoke(app, [], env={"SPEAKBACK_SERVER__PORT": "x"}, catch_exceptions=False)
