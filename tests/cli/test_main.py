"""The command as a whole: quick to start, and one clear message when something is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from speakback import __version__
from speakback.cli.main import EXIT_REFUSED, app

HEAVY = ("aiohttp", "ctranslate2", "hibari", "numpy", "onnxruntime", "openai", "pydantic", "soundfile", "xllamacpp")


def test_the_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"speakback {__version__}\n"


@pytest.mark.parametrize(
    "verb",
    [
        "serve",
        "call",
        "demo",
        "doctor",
        "config",
        "key",
        "weights",
        "replay",
        "evaluate",
        "simulate",
        "emulate",
        "live-check",
        "load",
    ],
)
def test_every_verb_explains_itself(verb: str) -> None:
    result = CliRunner().invoke(app, [verb, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_starting_imports_nothing_heavy() -> None:
    code = f"import sys, speakback.cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_refused_configuration_ends_with_a_message_and_no_traceback(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["config", "--config", str(tmp_path / "gone.toml")])
    assert result.exit_code == EXIT_REFUSED
    assert "gone.toml: there is no such file." in result.stderr
    assert "Traceback" not in result.output


def test_an_unexpected_error_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("speakback.config.load_settings", broken)
    assert isinstance(CliRunner().invoke(app, ["config"]).exception, ZeroDivisionError)
