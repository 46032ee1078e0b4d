"""Timelines as JSON lines: one conversation a line, so that a file can be read while it grows and cut anywhere.

    {"duration_ms": 60000, "user": [[0, 1200, "s", "qy"], [3100, 3500, "b"]], "agent": [[1400, 3000, "s"]]}

An IPU is [start, end, kind] or [start, end, kind, act]; kinds and acts are the values of `Kind` and `Act`.
"""

import json
from collections.abc import Iterable, Iterator, Sequence

from speakback.evaluate.timeline import Act, Ipu, Kind, Timeline, TimelineError

_KEYS = frozenset({"duration_ms", "user", "agent"})


def read_timelines(lines: Iterable[str]) -> Iterator[Timeline]:
    """The conversations of the lines; empty lines are passed over. Raises `TimelineError`, which names the line."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield _timeline(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise TimelineError(f"line {number}: {error}") from error


def _timeline(form: object) -> Timeline:
    if not isinstance(form, dict) or form.keys() != _KEYS:
        raise TimelineError(f"a conversation is an object of {', '.join(sorted(_KEYS))}, and nothing else")
    duration_ms, user, agent = form["duration_ms"], form["user"], form["agent"]
    if not _is_whole(duration_ms) or not isinstance(user, list) or not isinstance(agent, list):
        raise TimelineError("duration_ms is a whole number; user and agent are lists")
    return Timeline(duration_ms, user=tuple(map(_ipu, user)), agent=tuple(map(_ipu, agent)))


def _ipu(row: object) -> Ipu:
    if not isinstance(row, list) or len(row) not in (3, 4):
        raise TimelineError(f"an IPU is [start, end, kind] or [start, end, kind, act], not {row!r:.60}")
    values: Sequence[object] = row
    start_ms, end_ms, kind, *act = values
    if not isinstance(start_ms, int) or not isinstance(end_ms, int) or not _is_whole(start_ms) or not _is_whole(end_ms):
        raise TimelineError(f"an IPU begins and ends at whole milliseconds, not {start_ms!r:.30} and {end_ms!r:.30}")
    return Ipu(start_ms, end_ms, Kind(kind), Act(act[0]) if act else None)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
