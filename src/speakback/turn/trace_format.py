"""The trace of a session: every call of its turn core and all that came of it, one JSON object a line. Pure.

    {"type":"TraceHeader", …}    the configuration and the learned state that the core began with
    {"type":"Step", …}           one call: when, what happened, the actions, and the next deadline; one line each
    {"type":"TraceEnd", …}       how many steps there were, and a checksum of all lines before

The core is deterministic, so a trace is enough to run a session's turn-taking again (`replay.py`). It holds no speech:
events and actions have none. Times count from the session's start, and ids are counted, so nothing in it
tells who spoke, or when.
"""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import TypeAlias, TypeVar, cast

from speakback.turn.actions import Action
from speakback.turn.config import TurnConfig
from speakback.turn.events import Event
from speakback.turn.plain_data import TYPE, PlainDataError, from_plain, to_plain

SCHEMA = 1
"""Raised whenever a trace of today could not be read, or would replay otherwise, tomorrow."""
CLOCK_FIELDS = frozenset({"now_ms", "due_ms", "onset_ms", "end_ms"})
"""Fields of steps, events and actions that hold a time of the session's clock; all others hold durations."""
FIRST_STEP_LINE = 2

_T = TypeVar("_T")


class TraceError(ValueError):
    """A trace cannot be read; the message names the file, the line, and what to do."""


@dataclass(frozen=True, slots=True)
class TraceHeader:
    """What a core began with."""

    schema: int
    speakback: str
    """The version that recorded it."""
    trace: int
    """Its number in its folder."""
    strategy: TurnConfig
    learned_pauses_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the core and what came of it."""

    now_ms: int
    event: Event | TurnConfig | None
    """What happened; another configuration; or None: the core's deadline passed (`tick`)."""
    actions: tuple[Action, ...]
    due_ms: int | None
    """The core's next deadline after the call."""


@dataclass(frozen=True, slots=True)
class TraceEnd:
    """The last line."""

    steps: int
    crc32: int
    """Of the bytes of all lines before."""
    truncated: str = ""
    """Why later steps were not recorded; empty where none is missing."""


Line: TypeAlias = TraceHeader | Step | TraceEnd


@dataclass(frozen=True, slots=True)
class RecordedTrace:
    """A trace that was read; step number i stood in line i + `FIRST_STEP_LINE`."""

    header: TraceHeader
    steps: tuple[Step, ...]
    end: TraceEnd | None
    """None: the file breaks off, because the server died or is still writing."""
    is_intact: bool
    """False: its end does not fit the lines before, which were changed after they were written."""


def write_line(line: Line) -> bytes:
    """The line in ASCII, with its line end. Raises `PlainDataError` for what has no plain form."""
    return json.dumps(to_plain(line), separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def anonymous(step: Step, start_ms: int) -> Step:
    """The step on a clock that begins at the session's start, with a placeholder for a client's request id.

    The id is handed through within one step, so one placeholder for all keeps the step whole.
    """
    event = None if step.event is None else _anonymous(step.event, start_ms)
    actions = tuple(_anonymous(action, start_ms) for action in step.actions)
    due_ms = None if step.due_ms is None else step.due_ms - start_ms
    return Step(step.now_ms - start_ms, event, actions, due_ms)


def _anonymous(thing: _T, start_ms: int) -> _T:
    changes: dict[str, object] = {}
    for field in fields(thing):  # type: ignore[arg-type]  # every event, action and configuration is a dataclass
        value = getattr(thing, field.name)
        if field.name in CLOCK_FIELDS:
            changes[field.name] = value - start_ms
        elif field.name == "request_id" and value:
            changes[field.name] = "request"
    return replace(thing, **changes) if changes else thing  # type: ignore[type-var]


def read_trace(lines: Iterable[bytes], name: str) -> RecordedTrace:
    """The trace in `lines` (bytes with their line ends), called `name` in errors. Raises `TraceError`."""
    header: TraceHeader | None = None
    steps: list[Step] = []
    end: TraceEnd | None = None
    checksum, is_intact = 0, True
    for number, text in enumerate(lines, start=1):
        if end is not None:
            raise TraceError(f"{name}, line {number}: nothing may follow the end of a trace; remove it.")
        if header is None:
            header = _read_header(text, name)
        elif not text.endswith(b"\n"):
            break  # the server died while it wrote this line
        else:
            line = _checked(_parsed(text, name, number), name, number, Step | TraceEnd)
            if isinstance(line, TraceEnd):
                end, is_intact = line, (line.steps, line.crc32) == (len(steps), checksum)
            else:
                steps.append(cast(Step, line))
        checksum = zlib.crc32(text, checksum)
    if header is None:
        raise TraceError(f"{name} is empty: its session began to write it and did not get far.")
    return RecordedTrace(header, tuple(steps), end, is_intact)


def _read_header(text: bytes, name: str) -> TraceHeader:
    form = _parsed(text, name, 1)
    if not isinstance(form, dict) or form.get(TYPE) != TraceHeader.__name__:
        raise TraceError(f"{name}, line 1: this is no trace of Speakback; its first line is not a TraceHeader.")
    if form.get("schema") != SCHEMA:
        raise TraceError(
            f"{name}, line 1: the trace has schema {form.get('schema')!r:.20}, and this version reads {SCHEMA}; "
            f"replay it with Speakback {form.get('speakback')!r:.20}, which recorded it."
        )
    return cast(TraceHeader, _checked(form, name, 1, TraceHeader))


def _parsed(text: bytes, name: str, number: int) -> object:
    try:
        return cast(object, json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant))
    except (ValueError, RecursionError) as error:
        raise TraceError(
            f"{name}, line {number}: this is not JSON as a trace has it ({error}). The file is damaged from here on; "
            "the lines before can be replayed alone."
        ) from None


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    form = dict(pairs)
    if len(form) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return form


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no number of JSON")


def _checked(form: object, name: str, number: int, kind: object) -> object:
    try:
        return from_plain(form, kind, "the line")
    except PlainDataError as error:
        raise TraceError(
            f"{name}, line {number}: {error}. The line was changed, or recorded by another version of Speakback: "
            "restore the file, or replay it with the version that line 1 names."
        ) from None
