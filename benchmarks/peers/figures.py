"""From what a cell measured to its figures, and from the figures to how many sessions a process carries. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.peers.cell import Cell
from benchmarks.peers.talk import PATIENCE_MS, Turn

RISEN_MS = 100.0
"""A p99 that is so much above the one of the fewest sessions: the others are noticed."""
LATE_MS = 10.0
"""Callers whose p99 was later than this measured themselves."""
DISTURBED_CORES = 0.3
BASE_TURNS = 20
"""A p99 of fewer turns is hardly more than one of them: nothing is measured from it."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 99th percentile of `n` values."""

    n: int
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Times in milliseconds."""

    ttfb: Spread | None
    """None: there was no turn to measure. A turn that was never answered counts as long as the caller waited."""
    barge_in: Spread | None
    told: Spread | None
    """From the onset to the message by which the caller forgets what it still holds."""
    unanswered: int
    spoiled: int
    """Turns that the agent answered before the caller had finished."""
    not_stopped: int
    """Barge-ins of which the caller was never told."""
    lag_p99: float
    joining_max: float
    cores: float
    cores_per_session: float
    bytes_per_session: float
    late_p99: float
    is_trusted: bool
    """False where the callers were late or calls were lost: such a cell is shown and not compared."""
    is_disturbed: bool
    """Others were at work on this machine: tails may be theirs."""


def figures(cell: Cell) -> Figures:
    """Those of a cell."""
    late_p99 = float(np.percentile(cell.late_ms, 99)) if cell.late_ms else 0.0
    barge_ins = [turn for turn in cell.turns if turn.is_barge_in]
    return Figures(
        ttfb=spread(waits(cell.turns)),
        barge_in=spread(turn.barge_in_ms for turn in barge_ins),
        told=spread(turn.told_ms - turn.began_ms for turn in barge_ins if turn.told_ms is not None),
        unanswered=sum(_is_unanswered(turn) for turn in cell.turns),
        spoiled=sum(turn.is_spoiled for turn in cell.turns),
        not_stopped=sum(turn.told_ms is None for turn in barge_ins),
        lag_p99=cell.lag["p99_ms"],
        joining_max=cell.joining["max_ms"],
        cores=cell.server_cores,
        cores_per_session=cell.server_cores / cell.sessions,
        bytes_per_session=(cell.full_bytes - cell.idle_bytes) / cell.sessions,
        late_p99=late_p99,
        is_trusted=late_p99 <= LATE_MS and not cell.lost,
        is_disturbed=cell.others_cores >= DISTURBED_CORES,
    )


def waits(turns: Iterable[Turn]) -> list[float]:
    """The times to the first audio, of all turns but the spoiled ones."""
    return [
        PATIENCE_MS if turn.ttfb_ms is None else turn.ttfb_ms
        for turn in turns
        if turn.ended_ms is not None and not turn.is_spoiled
    ]


def spread(values: Iterable[float | None]) -> Spread | None:
    """None where there is nothing; values that are None are left out."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(len(known), float(np.percentile(known, 50)), float(np.percentile(known, 99)))


def _is_unanswered(turn: Turn) -> bool:
    return turn.ended_ms is not None and turn.answered_ms is None and not turn.is_spoiled


@dataclass(frozen=True, slots=True)
class Point:
    """One cell of a side: its sessions, its turns, and their p99 in ms."""

    sessions: int
    turns: int
    p99: float


@dataclass(frozen=True, slots=True)
class Carried:
    """How many sessions one process carries before its p99 has risen above that of its own fewest: the base."""

    base: Point
    sessions: float
    is_reached: bool
    """False: it had not risen with the most that were tried, so that it carries more than this."""

    def __str__(self) -> str:
        return f"{self.sessions:.1f}" if self.is_reached else f"more than {self.sessions:.0f}"


def carried(points: Sequence[Point]) -> Carried | None:
    """From points in ascending order; between two of them on a straight line. None: too few to tell.

    The first is the base, and too few turns of it (`BASE_TURNS`) are none.
    """
    if len(points) < 2 or points[0].turns < BASE_TURNS:
        return None
    base = before = points[0]
    limit = base.p99 + RISEN_MS
    for point in points[1:]:
        if point.p99 > limit:
            share = (limit - before.p99) / (point.p99 - before.p99)
            sessions = before.sessions + share * (point.sessions - before.sessions)
            return Carried(base, sessions, is_reached=True)
        before = point
    return Carried(base, float(before.sessions), is_reached=False)
