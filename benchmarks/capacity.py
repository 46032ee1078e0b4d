"""How many conversations one process bears: the server's own delay, its loop, processor time and memory."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.figures import Figure, Findings
from benchmarks.loaded import lines, loaded, p50, p99, scripted_server
from speakback.load.repertoire import Repertoire
from speakback.load.report import Report, Server
from speakback.load.run import LoadOptions

LEVELS = (1, 25, 50, 100, 150)
GOAL_LEVEL = 100
WITH_TURN_MODEL = 40
SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class _Goals:
    overhead_p50_ms: float | None = 10.0
    overhead_p99_ms: float | None = 60.0
    lag_p99_ms: float | None = 5.0
    stall_ms: float | None = 10.0
    cores_a_session: float | None = 0.01
    mb_a_session: float | None = 2.0

    @property
    def is_none(self) -> bool:
        return self == _NO_GOALS


_NO_GOALS = _Goals(None, None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Level:
    """So many sessions at once, at a server of their own."""

    sessions: int
    end_of_turn: str
    found: Report

    @property
    def name(self) -> str:
        model = "" if self.end_of_turn == "none" else f" with {self.end_of_turn}"
        return f"{self.sessions} sessions{model}"


async def measure() -> Findings:
    """Each level in turn."""
    said = await lines()
    levels = [await _level(sessions, "none", said) for sessions in LEVELS]
    levels.append(await _level(WITH_TURN_MODEL, "smart-turn", said))
    return findings(levels)


async def _level(sessions: int, end_of_turn: str, said: Repertoire) -> Level:
    async with scripted_server(max_sessions=sessions, end_of_turn=end_of_turn) as server:
        return Level(sessions, end_of_turn, await loaded(server, LoadOptions(sessions, SECONDS), said))


def findings(levels: list[Level]) -> Findings:
    """Goals stand where the issue sets them."""
    figures = [figure for level in levels for figure in _figures(level, levels[0])]
    notes = [
        "Providers are stand-ins with 170 ms in sum; TTFB less the intended wait and their work is overhead, the "
        "network and both event loops included.",
        "A session's memory and processor time: what the server uses beyond one session's, shared among the others.",
        *(f"{level.name}: void: {level.found.void}" for level in levels if level.found.void),
        *(f"{level.name}: {text}, {n} times" for level in levels for text, n in level.found.errors.items()),
        *(_told(level) for level in levels),
    ]
    return Findings("capacity", f"{SECONDS:.0f} s at each level", tuple(figures), tuple(notes))


def _figures(level: Level, least: Level) -> list[Figure]:
    name, found = level.name, level.found
    overhead, server = found.answers.overhead, found.server
    all_of = _Goals() if level.sessions == GOAL_LEVEL else _NO_GOALS
    delays = _Goals() if level.end_of_turn != "none" else all_of
    return [
        Figure(f"{name}: opened", found.sessions.joined, "", None if delays.is_none else level.sessions, at_least=True),
        Figure(f"{name}: overhead, p50", p50(overhead), "ms", delays.overhead_p50_ms),
        Figure(f"{name}: overhead, p99", p99(overhead), "ms", delays.overhead_p99_ms),
        Figure(f"{name}: TTFB, p99", p99(found.answers.ttfb), "ms"),
        Figure(f"{name}: turns without an answer", found.answers.unanswered, "", None if delays.is_none else 1),
        Figure(f"{name}: event loop late, p99", server.loop_lag_p99_ms if server else None, "ms", delays.lag_p99_ms),
        Figure(f"{name}: opening a session, p99", server.join_p99_ms if server else None, "ms", delays.stall_ms),
        Figure(f"{name}: the server", server.cpu_cores if server else None, "cores"),
        Figure(f"{name}: a session", _a_session(level, least, _cores), "cores", all_of.cores_a_session),
        Figure(f"{name}: memory, a session", _a_session(level, least, _mb), "MB", all_of.mb_a_session),
    ]


def _a_session(level: Level, least: Level, used: Callable[[Server], float]) -> float | None:
    """What each session used beyond the base, as two levels tell it. None: between these two they do not."""
    here, there = level.found.server, least.found.server
    more = level.found.sessions.joined - least.found.sessions.joined
    if more < 1 or level.end_of_turn != least.end_of_turn or here is None or there is None:
        return None
    return (used(here) - used(there)) / more


def _cores(server: Server) -> float:
    return server.cpu_cores


def _mb(server: Server) -> float:
    return server.resident_bytes / 1e6


def _told(level: Level) -> str:
    found = level.found
    late = found.client.frames_late
    return (
        f"{level.name}: {found.answers.asked} turns, {found.answers.overhead_unknown} of them without a ledger "
        f"(missing in the overhead), {found.barge_ins.not_yielded} barge-ins not yielded to, "
        f"{found.underruns.replies_with} of {found.underruns.replies} replies with gaps; the callers were late by "
        f"{'-' if late is None else f'{late.p99:.1f}'} ms at p99 and used {found.client.cpu_cores:.2f} of a core"
    )
