"""In which order cells are run, and which are not worth it. Pure."""

from collections.abc import Mapping, Sequence

from benchmarks.peers.candidates import Candidate, Mode, Side
from benchmarks.peers.cell import Cell
from benchmarks.peers.figures import figures

HOPELESS_MS = 500.0
"""A median that has risen by so much says enough: more sessions would only wait longer."""


def order(candidates: Sequence[Candidate], sessions: Mapping[Side, Sequence[int]]) -> list[tuple[Candidate, int]]:
    """From few sessions to many, the two sides in turns; who of them is first alternates.

    Where the sides have other numbers of sessions, the nth of one stands beside the nth of the other.
    """
    planned: list[tuple[Candidate, int]] = []
    for step in range(max(len(counts) for counts in sessions.values())):
        for mode in Mode:
            pair = [
                (candidate, sessions[candidate.side][step])
                for candidate in candidates
                if candidate.mode is mode and step < len(sessions[candidate.side])
            ]
            planned += reversed(pair) if step % 2 else pair
    return planned


def is_hopeless(cells: Sequence[Cell], candidate: Candidate) -> bool:
    """Whether the median of this candidate has risen so far that more sessions need not be tried."""
    spreads = [figures(cell).ttfb for cell in cells if cell.candidate == candidate]
    medians = [spread.p50 for spread in spreads if spread is not None]
    return bool(medians) and medians[-1] > medians[0] + HOPELESS_MS
