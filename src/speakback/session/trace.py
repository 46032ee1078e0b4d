"""Traces of sessions: what each told its turn core, and what came of it, in files for `speakback replay`.

A trace is a record and never a log: it is off unless the operator names a folder, only that operator's account can
read it, and it holds no speech (`turn/trace_format.py`). The event loop hands frozen values to one thread,
which encodes and writes for all sessions. If that thread falls behind by `STEPS_WAITING` steps, or the disk
fails, a trace ends there and says so; the conversation goes on.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryFile
from threading import Thread
from typing import Protocol, TypeAlias

import structlog

from speakback import __version__
from speakback.config import ConfigError
from speakback.session.trace_file import TraceFile, highest_number
from speakback.turn.actions import Action
from speakback.turn.config import TurnConfig
from speakback.turn.events import Event
from speakback.turn.trace_format import SCHEMA, Step, TraceHeader, anonymous

STEPS_WAITING = 8192
"""Steps of all sessions that may wait for the disk: seconds of a full server. A trace that brings one more ends."""
CLOSE_TIMEOUT_S = 10.0
FELL_BEHIND = "the disk could not keep up"
SERVER_STOPPED = "the server stopped before the session ended"
log = structlog.get_logger(__name__)


class Trace(Protocol):
    """Where one session records. Everything is called on the event loop and returns at once."""

    def record(
        self, now_ms: int, event: Event | TurnConfig | None, actions: Iterable[Action], due_ms: int | None
    ) -> None:
        """One call of the core: `handle(event)`, `configure(config)`, or for None `tick`; its deadline thereafter."""
        ...

    def close(self) -> None:
        """Nothing more will come. May be called twice."""
        ...


BeginTrace: TypeAlias = Callable[[TurnConfig, tuple[int, ...], int, structlog.stdlib.BoundLogger], Trace]
"""(strategy, learned pauses in ms, the session's start on its clock in ms, its log) → its trace."""


class _Untraced:
    """Records nothing."""

    def record(
        self, now_ms: int, event: Event | TurnConfig | None, actions: Iterable[Action], due_ms: int | None
    ) -> None:
        pass

    def close(self) -> None:
        pass


def untraced(
    strategy: TurnConfig, learned_pauses_ms: tuple[int, ...], start_ms: int, log: structlog.stdlib.BoundLogger
) -> Trace:
    """A `BeginTrace` for sessions that leave no trace."""
    return _Untraced()


@asynccontextmanager
async def traces_in(directory: Path | None) -> AsyncIterator[BeginTrace]:
    """A way to begin traces in `directory` (None: no traces), for as long as the context lasts.

    Raises `ConfigError` when traces cannot be kept there.
    """
    if directory is None:
        yield untraced
        return
    writer = await asyncio.to_thread(TraceWriter, directory)
    try:
        yield writer.begin
    finally:
        await asyncio.to_thread(writer.close)


@dataclass(frozen=True, slots=True)
class _Ended:
    """The session closed its trace."""

    truncated: str


_Job: TypeAlias = tuple[TraceFile, TraceHeader | tuple[int, Step] | _Ended]
"""A step comes with its session's start."""


class TraceWriter:
    """Owns the thread and the folder. Raises `ConfigError` when the folder cannot be used. Making and closing block."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._next_number = _opened(directory) + 1
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = Thread(target=self._write, name="traces", daemon=True)
        self._thread.start()

    def begin(
        self, strategy: TurnConfig, learned_pauses_ms: tuple[int, ...], start_ms: int, log: structlog.stdlib.BoundLogger
    ) -> Trace:
        """A `BeginTrace`; call it on the event loop."""
        file = TraceFile(log)
        self._jobs.put((file, TraceHeader(SCHEMA, __version__, 0, strategy, learned_pauses_ms)))
        return _QueuedTrace(file, self._jobs, start_ms, log)

    def close(self) -> None:
        """Write what waits, end the traces that are still open, and end the thread; not for ever, if the disk hangs."""
        self._jobs.put(None)
        self._thread.join(CLOSE_TIMEOUT_S)
        if self._thread.is_alive():
            log.warning("the disk does not answer; traces are left unfinished", directory=str(self._directory))

    def _write(self) -> None:
        is_open: set[TraceFile] = set()
        while (job := self._jobs.get()) is not None:
            file, content = job
            match content:
                case TraceHeader():
                    self._next_number = file.begin(self._directory, replace(content, trace=self._next_number)) + 1
                    is_open.add(file)
                case _Ended(truncated):
                    file.end(truncated)
                    is_open.discard(file)
                case (start_ms, step):  # pragma: no branch
                    file.add(anonymous(step, start_ms))
        for file in is_open:
            file.end(SERVER_STOPPED)


class _QueuedTrace:
    """The event loop's end of a trace."""

    def __init__(
        self, file: TraceFile, jobs: "SimpleQueue[_Job | None]", start_ms: int, log: structlog.stdlib.BoundLogger
    ) -> None:
        self._file = file
        self._jobs = jobs
        self._start_ms = start_ms
        self._log = log
        self._is_open = True

    def record(
        self, now_ms: int, event: Event | TurnConfig | None, actions: Iterable[Action], due_ms: int | None
    ) -> None:
        if not self._is_open:
            return
        if self._jobs.qsize() >= STEPS_WAITING:
            self._log.warning("the trace broke off; the conversation goes on", reason=FELL_BEHIND)
            self._end(FELL_BEHIND)
            return
        self._jobs.put((self._file, (self._start_ms, Step(now_ms, event, tuple(actions), due_ms))))

    def close(self) -> None:
        if self._is_open:
            self._end("")

    def _end(self, truncated: str) -> None:
        self._is_open = False
        self._jobs.put((self._file, _Ended(truncated)))


def _opened(directory: Path) -> int:
    """Make the folder, or check the one there is; returns the highest number of a trace in it. Raises `ConfigError`."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = directory.stat().st_mode & 0o777
        if os.name == "posix" and mode & 0o077:
            advice = f"run `chmod 700 {directory}`, or name another folder"
            raise ConfigError([f"trace.directory: others may enter {directory} (its mode is {mode:o}); {advice}."])
        with TemporaryFile(dir=directory):  # whether it can be written to is known only by writing
            return highest_number(directory)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise ConfigError([f"trace.directory: traces cannot be kept in {directory} ({reason})."]) from None
