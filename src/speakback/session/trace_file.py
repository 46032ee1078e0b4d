"""One trace on the disk. Everything here blocks, and belongs to the thread that writes (`trace.py`)."""

import os
import zlib
from dataclasses import replace
from io import FileIO
from pathlib import Path

import structlog

from speakback.turn.plain_data import PlainDataError
from speakback.turn.trace_format import Step, TraceEnd, TraceHeader, write_line

FILE_MODE = 0o600


def trace_path(directory: Path, number: int) -> Path:
    """Where the trace of that number lies: `trace-000001.jsonl`."""
    return directory / f"trace-{number:06d}.jsonl"


def highest_number(directory: Path) -> int:
    """Of the traces in `directory`; 0 where there is none. Raises `OSError`."""
    numbers = (path.stem.removeprefix("trace-") for path in directory.glob("trace-*.jsonl"))
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def create(path: Path) -> FileIO:
    """A new file that only this account may open, without a buffer. Raises `FileExistsError` and `OSError`."""
    return FileIO(path, "x", opener=lambda name, flags: os.open(name, flags, FILE_MODE))


class TraceFile:
    """A file that grows by whole lines. Never raises: what goes wrong ends the trace with one line of the log."""

    def __init__(self, log: structlog.stdlib.BoundLogger) -> None:
        self._log = log
        self._file: FileIO | None = None
        """None before it is begun and after its end."""
        self._size_bytes = 0
        """Up to the end of the last whole line."""
        self._checksum = 0
        self._steps = 0

    def begin(self, directory: Path, header: TraceHeader) -> int:
        """Create the file under the first free number from that of `header` on; returns the number it got."""
        number = header.trace
        try:
            while self._file is None:
                try:
                    self._file = create(trace_path(directory, number))
                except FileExistsError:  # another server writes into the same folder
                    number += 1
        except OSError as problem:
            self._log.warning("no trace could be begun", directory=str(directory), reason=_reason(problem))
            return number
        self._log.info("trace begun", path=str(trace_path(directory, number)))
        self._add(self._file, replace(header, trace=number))
        return number

    def add(self, step: Step) -> None:
        """Write a step, unless the trace has ended."""
        if self._file is not None and self._add(self._file, step):
            self._steps += 1

    def end(self, truncated: str) -> None:
        """Write the last line and close the file; `truncated` says why steps are missing, where some are."""
        if self._file is not None and self._add(self._file, TraceEnd(self._steps, self._checksum, truncated)):
            self._close(self._file)

    def _add(self, file: FileIO, line: TraceHeader | Step | TraceEnd) -> bool:
        """Whether the line was written; if not, the trace has ended."""
        try:
            text = write_line(line)
            _write_all(file, text)
        except OSError as problem:
            self._break_off(file, _reason(problem))
            return False
        except PlainDataError as problem:
            self._break_off(file, str(problem))
            return False
        self._size_bytes += len(text)
        self._checksum = zlib.crc32(text, self._checksum)
        return True

    def _break_off(self, file: FileIO, reason: str) -> None:
        """Leave whole lines only, and say in the file, where that still can be said, that more should follow."""
        self._log.warning("the trace broke off; the conversation goes on", after_steps=self._steps, reason=reason)
        try:
            file.truncate(self._size_bytes)
            file.seek(self._size_bytes)
            _write_all(file, write_line(TraceEnd(self._steps, self._checksum, reason)))
        except OSError as problem:  # a trace without its last line is known to be cut short, too
            self._log.debug("the trace has no last line", reason=_reason(problem))
        self._close(file)

    def _close(self, file: FileIO) -> None:
        self._file = None
        try:
            file.close()
        except OSError as problem:  # some file systems say only now that they could not write
            self._log.warning("the trace may be incomplete", reason=_reason(problem))


def _write_all(file: FileIO, text: bytes) -> None:
    while text:
        text = text[file.write(text) :]


def _reason(problem: OSError) -> str:
    return problem.strerror or type(problem).__name__
