"""`speakback call`: what it refuses before it calls. The call itself: tests/caller/test_call_end_to_end.py."""

from pathlib import Path

import numpy as np
import soundfile
from typer.testing import CliRunner

from speakback.cli.main import EXIT_REFUSED, app

NOWHERE = "ws://127.0.0.1:9/v1/realtime"


def test_a_recording_that_is_not_there(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["call", str(tmp_path / "gone.wav"), "--url", NOWHERE])
    assert result.exit_code == EXIT_REFUSED
    assert "gone.wav: there is no such file." in result.stderr


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(800), 8000)
    result = CliRunner().invoke(app, ["call", str(path), "--url", NOWHERE, "--out", str(tmp_path / "call")])
    assert result.exit_code == EXIT_REFUSED
    assert "is the server running?" in result.stderr
    assert not (tmp_path / "call.wav").exists()
