"""The directory where fetched weights lie, one folder for each id.

A file gets its name only when it is whole and its sha256 is right. That it was verified is recorded
beside it with its size and modification time, so a later start need not read half a gigabyte again;
a file without a valid record is hashed again, and a wrong one is thrown away.
"""

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from speakback.weights.errors import WeightsError
from speakback.weights.model_files import ModelFile, Weights

if sys.platform != "win32":
    import fcntl

CHUNK_BYTES = 1 << 20


def cache_root() -> Path:
    """`SPEAKBACK_WEIGHTS__DIRECTORY`, else the user's cache directory (XDG) with `speakback/weights`."""
    if chosen := os.environ.get("SPEAKBACK_WEIGHTS__DIRECTORY"):
        return Path(chosen).expanduser()
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg) / "speakback" / "weights"
    return Path.home() / ".cache" / "speakback" / "weights"


@dataclass(frozen=True)
class Cache:
    """Weights under `root`; several threads and processes may share it."""

    root: Path

    def directory(self, weights: Weights) -> Path:
        """Where the files of `weights` lie, or will."""
        return self.root / weights.id

    def missing(self, weights: Weights) -> list[ModelFile]:
        """The files that are not here whole; a wrong one is removed. Reads a file only without a valid record."""
        return [file for file in weights.files if not self._is_verified(weights, file)]

    def admit(self, weights: Weights, file: ModelFile, arrived: Path, source: str) -> None:
        """Move `arrived` (on this file system) to its place. Raises `WeightsError` if its sha256 is wrong.

        `source` says in words where it came from.
        """
        found = sha256_of(arrived)
        if found != file.sha256:
            arrived.unlink()
            raise WeightsError(
                f"{weights.id}: {file.name} from {source} has the wrong checksum "
                f"(sha256 expected {file.sha256}, got {found}); the file was discarded"
            )
        target = self.directory(weights) / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(arrived, target)
        self._record(weights, file, target)

    @contextmanager
    def fetching(self, weights: Weights, on_wait: Callable[[], None]) -> Iterator[Path]:
        """Hold the right to fetch `weights` and an empty scratch directory; `on_wait` is called if another holds it."""
        scratch = self.root / ".fetching" / weights.id
        scratch.parent.mkdir(parents=True, exist_ok=True)
        with open(scratch.with_name(f"{weights.id}.lock"), "a") as lock:
            _lock(lock, on_wait)
            shutil.rmtree(scratch, ignore_errors=True)  # what a killed fetch left behind
            scratch.mkdir(parents=True)
            try:
                yield scratch
            finally:
                shutil.rmtree(scratch, ignore_errors=True)

    def _is_verified(self, weights: Weights, file: ModelFile) -> bool:
        target = self.directory(weights) / file.name
        try:
            size_bytes = target.stat().st_size
        except FileNotFoundError:
            return False
        if size_bytes == file.size_bytes:
            if self._read_record(weights, file) == _fingerprint(file, target):
                return True
            if sha256_of(target) == file.sha256:
                self._record(weights, file, target)
                return True
        target.unlink(missing_ok=True)
        return False

    def _record_path(self, weights: Weights, file: ModelFile) -> Path:
        return self.root / ".verified" / weights.id / file.name

    def _read_record(self, weights: Weights, file: ModelFile) -> str | None:
        try:
            return self._record_path(weights, file).read_text(encoding="ascii")
        except FileNotFoundError:
            return None

    def _record(self, weights: Weights, file: ModelFile, target: Path) -> None:
        path = self._record_path(weights, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_fingerprint(file, target), encoding="ascii")


def _fingerprint(file: ModelFile, target: Path) -> str:
    stat = target.stat()
    return f"{file.sha256} {stat.st_size} {stat.st_mtime_ns}\n"


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file's content."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _lock(lock: IO[str], on_wait: Callable[[], None]) -> None:
    """Wait until this process and thread alone hold `lock`; closing the file releases it."""
    if sys.platform == "win32":
        return  # two fetches at once then download twice; the atomic rename keeps the result right
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        on_wait()
        fcntl.flock(lock, fcntl.LOCK_EX)
