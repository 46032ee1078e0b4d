"""One cell: a fresh server, so many callers, and what was measured in a window of time."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic as now_s

from benchmarks.peers.callers import Party, calling
from benchmarks.peers.candidates import Candidate
from benchmarks.peers.loop_lag import Lag
from benchmarks.peers.server_process import Server, serving
from benchmarks.peers.talk import PATIENCE_MS, Clip, Turn
from benchmarks.process import cpu_s, memory

SETTLE_S = 6.0
"""From the last to join to the window: all have had a turn by then, and what loads at first use is loaded."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The clock, and processor time so far, in seconds."""

    at_s: float
    server_s: float
    own_s: float
    taken_s: float
    """By all processes, and by other machines where this is a virtual one."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one cell gave. Times in milliseconds, processor time in cores."""

    candidate: Candidate
    sessions: int
    turns: tuple[Turn, ...]
    """Those begun within the window."""
    window_s: float
    server_cores: float
    own_cores: float
    others_cores: float
    """What other processes of this machine used, and what other machines took away."""
    idle_bytes: int
    """Resident memory of the server before anybody called."""
    full_bytes: int
    lag: Lag
    """Of the server's loop, within the window."""
    joining: Lag
    """The same while callers joined and began."""
    late_ms: tuple[float, ...]
    """The callers' own lateness, frame by frame."""
    lost: tuple[str, ...]


async def measure(
    candidate: Candidate, sessions: int, window_s: float, clips: Sequence[Clip], peer_python: Path
) -> Cell:
    """Serve and call. Raises `ServerFailed`."""
    async with serving(candidate.command(peer_python)) as server:
        idle_bytes = memory(server.pid).now_bytes
        async with calling(server.url, candidate.wire, clips, sessions) as party:
            await asyncio.sleep(SETTLE_S)
            return await _window(candidate, sessions, window_s, server, party, idle_bytes)


async def _window(
    candidate: Candidate, sessions: int, window_s: float, server: Server, party: Party, idle_bytes: int
) -> Cell:
    joining = await server.lag()
    party.late_ms.clear()
    before = _machine(server.pid)
    await asyncio.sleep(window_s)
    after = _machine(server.pid)
    lag = await server.lag()
    full_bytes = memory(server.pid).now_bytes
    late_ms = tuple(party.late_ms)
    await party.end(PATIENCE_MS / 1000)
    first_ms, last_ms = 1000 * before.at_s, 1000 * after.at_s
    turns = (turn for talk in party.talks for turn in talk.turns if first_ms <= turn.began_ms < last_ms)
    took_s = after.at_s - before.at_s
    server_s, own_s = after.server_s - before.server_s, after.own_s - before.own_s
    return Cell(
        candidate=candidate,
        sessions=sessions,
        turns=tuple(turns),
        window_s=took_s,
        server_cores=server_s / took_s,
        own_cores=own_s / took_s,
        others_cores=max(0.0, after.taken_s - before.taken_s - server_s - own_s) / took_s,
        idle_bytes=idle_bytes,
        full_bytes=full_bytes,
        lag=lag,
        joining=joining,
        late_ms=late_ms,
        lost=tuple(party.lost),
    )


def _machine(server_pid: int) -> Machine:
    return Machine(now_s(), cpu_s(server_pid), cpu_s(os.getpid()), _taken_s())


def _taken_s() -> float:
    """Processor time that is gone: user, nice, system, interrupts and stolen."""
    fields = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()
    user, nice, system, _idle, _waiting, irq, soft_irq, stolen = (int(field) for field in fields[1:9])
    return (user + nice + system + irq + soft_irq + stolen) / os.sysconf("SC_CLK_TCK")
