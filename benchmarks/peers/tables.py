"""The table of all cells, and the ratios."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.peers.candidates import Mode, Side
from benchmarks.peers.cell import Cell
from benchmarks.peers.figures import BASE_TURNS, RISEN_MS, Carried, Figures, Point, Spread, carried, figures

GOAL, AIM = 8.0, 12.0
"""Our sessions to theirs, in one process at the same rise of p99."""
_COLUMNS = (
    "", "sessions", "TTFB\np50 / p99", "barge-in\np50 / p99", "told\np50 / p99", "cores\nall / each", "MB\neach",
    "loop lag\np99", "joining\nmax lag", "turns", "not in order", "others'\ncores", "callers'\ncores / late p99",
)  # fmt: skip
LEGEND = (
    "Times in ms as the callers heard them. TTFB: last sample of speech to first byte of the answer. Barge-in: first "
    "frame of speech to last byte of the interrupted reply; told: to the message by which a player forgets what it "
    "still holds (Pipecat sends at twice real time and depends on that; Speakback is at most 80 ms ahead). "
    "MB each: what the process grew by since nobody had called, by sessions. "
    "not trusted: the callers were late or calls were lost; not compared. *: others used 0.3 cores or more."
)


def show(console: Console, cells: Sequence[Cell]) -> None:
    """All cells, those of a mode together, and the ratio of each mode."""
    for mode in Mode:
        those = [cell for cell in cells if cell.candidate.mode is mode]
        if not those:
            continue
        table = Table(*_COLUMNS, title=mode.value, title_justify="left")
        for cell in sorted(those, key=lambda cell: (cell.sessions, str(cell.candidate))):
            table.add_row(*row(cell, figures(cell)))
        console.print(table)
        console.print(verdict(mode, those), markup=False, highlight=False, soft_wrap=True)
        console.print()
    console.print(LEGEND, style="dim", markup=False, highlight=False, soft_wrap=True)


def row(cell: Cell, found: Figures) -> list[str]:
    """One line of the table."""
    trust = "" if found.is_trusted else ", not trusted"
    return [
        f"{cell.candidate}{trust}{' *' if found.is_disturbed else ''}",
        str(cell.sessions),
        _both(found.ttfb),
        _both(found.barge_in),
        _both(found.told),
        f"{found.cores:.2f} / {found.cores_per_session:.4f}",
        f"{found.bytes_per_session / 1e6:.2f}",
        f"{found.lag_p99:.1f}",
        f"{found.joining_max:.0f}",
        str(len(cell.turns)),
        _not_in_order(cell, found),
        f"{cell.others_cores:.2f}",
        f"{cell.own_cores:.2f} / {found.late_p99:.1f}",
    ]


def _both(spread: Spread | None) -> str:
    return "-" if spread is None else f"{spread.p50:.0f} / {spread.p99:.0f}"


def _not_in_order(cell: Cell, found: Figures) -> str:
    counts = {
        "unanswered": found.unanswered,
        "answered early": found.spoiled,
        "not stopped": found.not_stopped,
        "calls lost": len(cell.lost),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def verdict(mode: Mode, cells: Sequence[Cell]) -> str:
    """Which of the two carries how many times the other's sessions."""
    theirs, ours = (_carried(cells, side) for side in (Side.PIPECAT, Side.SPEAKBACK))
    if theirs is None or ours is None:
        return f"{mode.value}: too few cells to compare, or fewer than {BASE_TURNS} turns in the first of a side"
    at = (
        f"{mode.value}: each side's p99 has risen by {RISEN_MS:.0f} ms above its own with the fewest sessions "
        f"(Pipecat {_base(theirs)}, Speakback {_base(ours)}) at {theirs} sessions of Pipecat and {ours} of Speakback"
    )
    if not theirs.is_reached:
        return f"{at}: no ratio, as Pipecat was not loaded enough"
    ratio = ours.sessions / theirs.sessions
    met = "met" if ratio >= GOAL else "not met"
    least = "" if ours.is_reached else "at least "
    return f"{at}: {least}{ratio:.1f} times (at least {GOAL:.0f} is {met}, the aim is {AIM:.0f})"


def _carried(cells: Sequence[Cell], side: Side) -> Carried | None:
    points: list[Point] = []
    for cell in sorted(cells, key=lambda cell: cell.sessions):
        found = figures(cell)
        if cell.candidate.side is side and not cell.candidate.aside and found.is_trusted and found.ttfb is not None:
            points.append(Point(cell.sessions, found.ttfb.n, found.ttfb.p99))
    return carried(points)


def _base(found: Carried) -> str:
    base = found.base
    return f"{base.p99:.0f} ms with {base.sessions}, of {base.turns} turns"
