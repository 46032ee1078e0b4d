"""python -m benchmarks [NAME …] [--json FILE]: run benchmarks (all, if none is named) and print their tables."""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from benchmarks import (
    bad_days,
    barge_in,
    capacity,
    crowd,
    drafts,
    echo,
    end_of_turn,
    failover,
    first_audio,
    hot_path,
    idle,
    latency,
    memory,
    overload,
    page,
    rolling,
    services,
    simulation,
    soak,
    stt,
    turn_live,
    turn_model,
    turn_taking,
)
from benchmarks.conditions import conditions
from benchmarks.figures import Findings, show
from benchmarks.process import NotToldHere

BENCHMARKS: dict[str, Callable[[Path | None], Awaitable[Findings]]] = {
    "latency": lambda _: latency.measure(),
    "barge_in": lambda _: barge_in.measure(),
    "drafts": lambda _: drafts.measure(),
    "idle": lambda _: idle.measure(),
    "hot_path": lambda _: hot_path.measure(),
    "memory": lambda _: memory.measure(),
    "services": lambda _: services.measure(),
    "failover": lambda _: failover.measure(),
    "first_audio": lambda _: first_audio.measure(),
    "bad_days": lambda _: bad_days.measure(),
    "stt": stt.measure,
    "end_of_turn": end_of_turn.measure,
    "echo": lambda _: echo.measure(),
    "turn_taking": turn_taking.measure,
    "turn_live": turn_live.measure,
    "turn_model": lambda _: turn_model.measure(),
    "simulation": lambda _: simulation.measure(),
    "capacity": lambda _: capacity.measure(),
    "crowd": lambda _: crowd.measure(),
    "overload": lambda _: overload.measure(),
    "page": lambda _: page.measure(),
    "rolling": lambda _: rolling.measure(),
    "soak": lambda _: soak.measure(),
}
ONLY_IF_NAMED = frozenset({"soak"})
"""It takes an hour."""


async def _measured(name: str, clips: Path | None) -> Findings:
    return await BENCHMARKS[name](clips)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Speakback on this machine.")
    unnamed = f"all but {', '.join(sorted(ONLY_IF_NAMED))}"
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; none: {unnamed}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    recorded = "recordings for stt, end_of_turn, turn_taking and turn_live"
    parser.add_argument("--clips", type=Path, metavar="FOLDER", help=recorded)
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark is called {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    console = Console()
    results: list[dict[str, object]] = []
    for name in asked.names or [name for name in BENCHMARKS if name not in ONLY_IF_NAMED]:
        where = conditions()
        console.print(f"measuring {name} …", style="dim")
        try:
            findings = asyncio.run(_measured(name, asked.clips))
        except NotToldHere as problem:
            console.print(f"not measured here: {problem}\n", markup=False)
            continue
        show(console, findings, where)
        results.append({**findings.to_json(), "conditions": asdict(where)})
        if asked.json is not None:
            asked.json.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
