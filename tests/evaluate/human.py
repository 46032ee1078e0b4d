"""The human conversations that lie beside the repository, as timelines."""

import json
from functools import cache
from pathlib import Path

from speakback.evaluate.timeline import Act, Ipu, Kind, Timeline


@cache
def human_timelines(folder: Path) -> tuple[Timeline, ...]:
    """80 conversations; each side in turn is in the agent's place, so there are 160."""
    lines = (folder / "timelines.jsonl").read_text().splitlines()
    both = (_timeline(json.loads(line)) for line in lines)
    return tuple(seen for timeline in both for seen in (timeline, timeline.swapped()))


def with_acts(timelines: tuple[Timeline, ...]) -> tuple[Timeline, ...]:
    """Those of them whose dialogue acts are known."""
    return tuple(timeline for timeline in timelines if any(ipu.act for ipu in timeline.user + timeline.agent))


def _timeline(form: dict[str, list[list[list[float | str]]] | float]) -> Timeline:
    sides, duration_s = form["sides"], form["duration_s"]
    assert isinstance(sides, list)
    assert isinstance(duration_s, float)
    user, agent = ([_ipu(row) for row in side] for side in sides)
    last_ms = max(ipu.end_ms for ipu in (*user, *agent))
    return Timeline(max(round(duration_s * 1000), last_ms), user=tuple(user), agent=tuple(agent))


def _ipu(row: list[float | str]) -> Ipu:
    start, end, kind, *act = row
    return Ipu(round(float(start) * 1000), round(float(end) * 1000), Kind(kind), Act(act[0]) if act else None)
