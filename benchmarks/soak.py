"""An hour of calls that come and go: whether the server keeps anything of them. SOAK_MINUTES sets another time.

Not among the benchmarks that run when none is named: `python -m benchmarks soak`.
"""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import numpy as np

from benchmarks.figures import Figure, Findings
from benchmarks.loaded import lines, loaded, scripted_server
from benchmarks.process import memory
from speakback.caller.server_process import ServerProcess
from speakback.load.report import Report
from speakback.load.run import LoadOptions

MINUTES_VARIABLE = "SOAK_MINUTES"
MINUTES = 60.0
SESSIONS = 30
ROUND_S = 60.0
AFTER_ROUND_S = 3.0
"""Nobody is on the line any more: what is held now is what stays."""
MB_AN_HOUR = 10.0
_COUNTED = (
    "speakback_sessions",
    "speakback_client_sockets",
    "speakback_session_objects",
    "speakback_left_behind_total",
)


@dataclass(frozen=True, slots=True)
class Rest:
    """The server when nobody is on the line."""

    hours: float
    resident_bytes: int
    sockets: int
    counted: dict[str, float]
    """Metrics of what is alive, summed over their labels."""


async def measure() -> Findings:
    """Rounds of calls; between them the server is looked at."""
    minutes = float(os.environ.get(MINUTES_VARIABLE, MINUTES))
    said = await lines()
    reports: list[Report] = []
    rests: list[Rest] = []
    async with scripted_server(max_sessions=SESSIONS) as server:
        now = asyncio.get_running_loop().time
        began_s = now()
        while now() - began_s < minutes * 60:
            reports.append(await loaded(server, LoadOptions(SESSIONS, ROUND_S, seed=len(reports)), said))
            await asyncio.sleep(AFTER_ROUND_S)
            rests.append(await _rest(server, (now() - began_s) / 3600))
    return findings(minutes, reports, rests)


async def _rest(server: ServerProcess, hours: float) -> Rest:
    found = await asyncio.to_thread(memory, server.pid)
    return Rest(hours, found.now_bytes, await asyncio.to_thread(_sockets, server.pid), await _counted(server))


def _sockets(pid: int) -> int:
    return sum(
        os.readlink(file).startswith("socket:") for file in Path(f"/proc/{pid}/fd").iterdir() if file.is_symlink()
    )


async def _counted(server: ServerProcess) -> dict[str, float]:
    address = server.url.replace("ws", "http", 1).removesuffix("/v1/realtime")
    headers = {"Authorization": f"Bearer {server.api_key}"}
    counted = dict.fromkeys(_COUNTED, 0.0)
    async with aiohttp.ClientSession(headers=headers) as http, http.get(f"{address}/metrics") as answer:
        for line in (await answer.text()).splitlines():
            name, _, value = line.rpartition(" ")
            name = name.partition("{")[0]
            if name in counted:
                counted[name] += float(value)
    return counted


def findings(minutes: float, reports: list[Report], rests: list[Rest]) -> Findings:
    """The growth of the second half: in the first, caches and arenas fill."""
    last = rests[-1]
    later = rests[len(rests) // 2 :]
    slope = None
    if len(later) > 1:
        resident_mb = [rest.resident_bytes / 1e6 for rest in later]
        slope = float(np.polyfit([rest.hours for rest in later], resident_mb, 1)[0])
    figures = (
        Figure("resident memory grows by, an hour (second half)", slope, "MB", MB_AN_HOUR),
        Figure("resident memory after the first round", rests[0].resident_bytes / 1e6, "MB"),
        Figure("resident memory after the last", last.resident_bytes / 1e6, "MB"),
        Figure("sockets more than after the first round", last.sockets - rests[0].sockets, "", 1),
        *(Figure(f"{name}, nobody on the line", value, "", 1) for name, value in last.counted.items()),
        Figure("sessions", sum(one.sessions.joined for one in reports), ""),
        Figure("of those, ended early", sum(sum(one.sessions.ended_early.values()) for one in reports), "", 1),
        Figure("turns without an answer", sum(one.answers.unanswered for one in reports), "", 1),
        Figure("turns", sum(one.answers.asked for one in reports), ""),
    )
    notes = [f"round {number}: void: {one.void}" for number, one in enumerate(reports, 1) if one.void]
    return Findings("soak", f"{minutes:g} minutes, {len(reports)} rounds of {SESSIONS} calls", figures, tuple(notes))
