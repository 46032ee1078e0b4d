"""How late an event loop is, asked for from outside. The standard library only: it runs in both servers.

A server's standard input is read for lines; each is answered with one line of JSON about the time since the
last. Its end ends the server. The probe wakes 100 times a second and costs both servers the same.
"""

import asyncio
import json
import os
import signal
import sys
from time import monotonic
from typing import TypedDict

TICK_S = 0.010


class Lag(TypedDict):
    """Lateness of the loop's timers, in milliseconds."""

    p50_ms: float
    p99_ms: float
    max_ms: float


def summary(late_s: list[float]) -> Lag:
    """What became of `late_s`, in any order; nothing measured is no lag."""
    ordered = sorted(late_s) or [0.0]

    def at(share: float) -> float:
        return round(1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)], 3)

    return Lag(p50_ms=at(0.5), p99_ms=at(0.99), max_ms=at(1.0))


class LagProbe:
    """Measures the running loop for as long as it runs."""

    def __init__(self) -> None:
        self._late_s: list[float] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, and answer each line of the standard input."""
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._tick())
        loop.add_reader(sys.stdin.fileno(), self._asked)

    def take(self) -> Lag:
        """The lag since the last call."""
        taken, self._late_s = self._late_s, []
        return summary(taken)

    def _asked(self) -> None:
        if sys.stdin.readline():
            sys.stdout.write(json.dumps(self.take()) + "\n")
            sys.stdout.flush()
        else:  # whoever started this server is gone
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            os.kill(os.getpid(), signal.SIGTERM)

    async def _tick(self) -> None:
        # Not the loop's own clock: uvloop's stands still while callbacks run, and with it what they cost.
        while True:
            due_s = monotonic() + TICK_S
            await asyncio.sleep(TICK_S)
            self._late_s.append(max(0.0, monotonic() - due_s))
