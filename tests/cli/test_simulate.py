"""The command `speakback simulate`."""

import json

import pytest
from typer.testing import CliRunner

from speakback.cli.main import app

SHORT = ["simulate", "--hours", "0.4", "--seed", "3"]


def test_it_prints_a_table_for_each_auc() -> None:
    result = CliRunner().invoke(app, [*SHORT, "--strategy", "half-duplex, overlap-aware", "--auc", "0.95,0.7"])
    assert result.exit_code == 0, result.output
    assert "end-of-turn AUC 0.95" in result.output
    assert "end-of-turn AUC 0.7" in result.output
    assert "times real time" in result.output


def test_it_prints_json_and_nothing_else() -> None:
    result = CliRunner().invoke(app, [*SHORT, "--strategy", "half-duplex", "--json"])
    form = json.loads(result.stdout)
    (one,) = form["results"]
    assert one["auc"] == 0.88
    assert one["strategies"][0]["strategy"] == "half-duplex"
    assert form["seed"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--strategy", "half-duplx"], "half-duplex"),
        (["--auc", "much"], "not a number"),
        (["--auc", "0.3"], "between 0.5"),
        (["--auc", ","], "not a number"),
        (["--providers", "none"], "hosted"),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_the_reason(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, [*SHORT, *arguments])
    assert result.exit_code == 2
    assert message in result.output
