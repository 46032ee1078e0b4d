"""`speakback emulate`: it runs until it is told to stop, and refuses in one line."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from speakback.cli.main import EXIT_REFUSED, app

WRONG = [
    (["azure"], "'azure' is no service; there are groq, elevenlabs"),
    (["groq", "--profile", "slow"], "'slow' is no profile; there are zero, fast, typical, bad-day"),
    (["groq", "--faults", "close-1006=2"], "close-1006=2: the share of a fault is a number from 0 to 1"),
    (["groq", "--faults", "fire"], "'fire' is no fault; there are"),
    (["groq", "--content", "scripted", "--port-groq", "99999"], "groq: cannot listen on 127.0.0.1:99999"),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_what_cannot_be_done_is_said_in_one_line(words: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["emulate", *words])
    assert result.exit_code == EXIT_REFUSED
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output


@contextmanager
def emulating(*words: str) -> Iterator[tuple["subprocess.Popen[str]", dict[str, str]]]:
    """The command in a process of its own, and the environment that it prints."""
    command = [sys.executable, "-m", "speakback", "emulate", *words, "--content", "scripted", "--profile", "zero"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            given: dict[str, str] = {}
            while len(given) < 2 * sum(word in ("groq", "elevenlabs") for word in words):
                line = process.stdout.readline()
                found = re.fullmatch(r"export (\w+)=(\S+)\n", line)
                assert found, (line, process.stderr and process.stderr.read())
                given[found[1]] = found[2]
            yield process, given
        finally:
            process.kill()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_both_until_interrupted(stop: signal.Signals) -> None:
    with emulating("groq", "elevenlabs", "--port-groq", "0", "--port-elevenlabs", "0") as (process, given):
        assert given["SPEAKBACK_ELEVENLABS__BASE_URL"].startswith("http://127.0.0.1:")
        assert given["ELEVENLABS_API_KEY"]
        request = urllib.request.Request(
            given["SPEAKBACK_GROQ__BASE_URL"] + "/models", headers={"Authorization": f"Bearer {given['GROQ_API_KEY']}"}
        )
        with urllib.request.urlopen(request) as response:
            assert json.load(response)["object"] == "list"
        process.send_signal(stop)
        assert process.wait() == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["emulate", "groq", "--content", "scripted", "--port-groq", port])
    assert result.exit_code == EXIT_REFUSED
    assert f"groq: cannot listen on 127.0.0.1:{port}" in result.stderr
