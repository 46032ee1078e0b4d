"""A real Redis server of the system, on a free port, that can be stopped and started again."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

ENDS_WITHIN_S = 10.0
NO_REDIS = "no redis-server on this machine (Debian: apt install redis-server), or no package redis"


class RedisProcess:
    """Keeps nothing on the disk: whoever stops it loses all records. Its methods block."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [self._program, *options, "--dir", str(self._folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self._process.stdout is not None
        lines = []
        for line in self._process.stdout:
            lines.append(line)
            if b"Ready to accept connections" in line:
                return
        raise AssertionError(f"redis-server did not start: {b''.join(lines)!r}")

    def hold(self) -> None:
        """It answers nobody until `go_on`; what is sent to it waits."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None:
            self.go_on()
            self._process.terminate()
            self._process.communicate(timeout=ENDS_WITHIN_S)
            self._process = None


def found(folder: Path) -> RedisProcess | None:
    """One that is not running; None: there is none on this machine, which only a user's may lack."""
    program = shutil.which("redis-server")
    has_package = importlib.util.find_spec("redis") is not None
    if program is not None and has_package:
        return RedisProcess(program, folder)
    assert not os.environ.get("CI"), NO_REDIS
    return None
