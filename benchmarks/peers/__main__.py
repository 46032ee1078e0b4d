"""python -m benchmarks.peers: measure Pipecat and Speakback side by side and print the tables."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import uvloop
from rich.console import Console

from benchmarks.conditions import conditions
from benchmarks.peers.candidates import CANDIDATES, WITH_JSON, Mode, Side
from benchmarks.peers.cell import Cell, measure
from benchmarks.peers.clips import NoClips, find_clips
from benchmarks.peers.environment import NoEnvironment, peer_python
from benchmarks.peers.figures import figures
from benchmarks.peers.plan import is_hopeless, order
from benchmarks.peers.server_process import ServerFailed
from benchmarks.peers.tables import show
from benchmarks.peers.talk import Clip

WIDTH = 170
"""Of the tables, whatever the terminal's."""
RUNS = 2
"""A cell that cannot be trusted is run so often."""


def _counts(text: str) -> tuple[int, ...]:
    counts = tuple(sorted({int(part) for part in text.split(",")}))
    if counts[0] < 1:
        raise ValueError
    return counts


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--sessions", type=_counts, default=(1, 5, 10, 25, 50, 100), metavar="N,…", help="for both")
    parser.add_argument("--theirs", type=_counts, metavar="N,…", help="other numbers of sessions for Pipecat")
    parser.add_argument("--ours", type=_counts, metavar="N,…", help="other numbers of sessions for Speakback")
    parser.add_argument("--seconds", type=float, default=25.0, metavar="S", help="length of each window")
    parser.add_argument("--base-seconds", type=float, default=120.0, metavar="S", help="of the fewest sessions' window")
    parser.add_argument("--clips", type=Path, metavar="FOLDER", help="recordings with a transcripts.json")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    parser.add_argument("--modes", nargs="+", choices=[mode.name for mode in Mode], default=[m.name for m in Mode])
    return parser.parse_args()


async def _run(asked: argparse.Namespace, clips: Sequence[Clip], python: Path, console: Console) -> list[Cell]:
    theirs, ours = asked.theirs or asked.sessions, asked.ours or asked.sessions
    wanted = [candidate for candidate in CANDIDATES if candidate.mode.name in asked.modes]
    cells: list[Cell] = []
    plan = order(wanted, {Side.PIPECAT: theirs, Side.SPEAKBACK: ours})
    if Mode.VAD_ONLY.name in asked.modes:
        plan.append((WITH_JSON, ours[-1]))
    for candidate, sessions in plan:
        what = f"{candidate}, {candidate.mode.value}, {sessions} sessions"
        if is_hopeless(cells, candidate):
            console.print(f"{what}: left out, even its median has risen by half a second", style="dim")
            continue
        is_base = sessions == (theirs if candidate.side is Side.PIPECAT else ours)[0]
        window_s = max(asked.base_seconds, asked.seconds) if is_base else asked.seconds
        for _ in range(RUNS):
            try:
                cell = await measure(candidate, sessions, window_s, clips, python)
            except ServerFailed as problem:
                console.print(f"{what}: {problem}", markup=False, style="red")
                break
            cells.append(cell)
            console.print(_in_short(what, cell), style="dim", markup=False)
            if figures(cell).is_trusted:
                break
    return cells


def _in_short(what: str, cell: Cell) -> str:
    found = figures(cell)
    ttfb = "no turns" if found.ttfb is None else f"TTFB {found.ttfb.p50:.0f}/{found.ttfb.p99:.0f} ms"
    lost = f"; {len(cell.lost)} calls lost, the first: {cell.lost[0]}" if cell.lost else ""
    return (
        f"{what}: {ttfb}, {found.cores:.2f} cores, others {cell.others_cores:.2f}, late {found.late_p99:.1f} ms{lost}"
    )


def _to_json(cell: Cell) -> dict[str, object]:
    about = {"server": str(cell.candidate), "mode": cell.candidate.mode.value, "sessions": cell.sessions}
    return {**about, **asdict(figures(cell)), "turns": len(cell.turns), "others_cpu": cell.others_cores}


def main() -> None:
    """See the module."""
    asked, console = _asked(), Console(width=WIDTH)
    where = replace(conditions(), command=" ".join(["python -m benchmarks.peers", *sys.argv[1:]]))
    try:
        clips = find_clips(asked.clips)
        console.print("Pipecat's environment …", style="dim")
        python = peer_python()
    except (NoClips, NoEnvironment) as problem:
        raise SystemExit(str(problem)) from None
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        cells = runner.run(_run(asked, clips, python, console))
    show(console, cells)
    lengths = ", ".join(f"{clip.name} ({len(clip.frames) * 20 / 1000:.2f} s)" for clip in clips)
    console.print(
        f"clips: {lengths}; windows of {asked.seconds:g} s, of the fewest sessions {asked.base_seconds:g} s; {where}",
        markup=False,
        soft_wrap=True,
    )
    if asked.json is not None:
        found = [_to_json(cell) for cell in cells]
        asked.json.write_text(json.dumps({"conditions": asdict(where), "cells": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
