"""`speakback key`: a key on standard output, and a line that lets it in."""

import tomllib
from pathlib import Path

import typer
from typer.testing import CliRunner

from speakback.cli.key import key
from speakback.config import load_settings
from speakback.gateway.auth import KeyRing

app = typer.Typer()
app.command()(key)


def test_the_printed_lines_let_the_printed_key_in(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [], catch_exceptions=False)
    assert result.exit_code == 0
    made = result.stdout.strip()
    assert made not in result.stderr
    lines = result.stderr[result.stderr.index("[server]") :]
    assert tomllib.loads(lines)
    file = tmp_path / "speakback.toml"
    file.write_text(lines, encoding="utf-8")
    settings = load_settings(file, {"SPEAKBACK_SERVER__HOST": "0.0.0.0"}).settings
    ring = KeyRing(settings.server.accepted_key_hashes)
    assert ring.accepts(made)
    assert not ring.accepts(made[:-1])
