"""Conversations kept in a folder: for the workers of one machine, and for a server that is restarted.

    KEY.json     the record; its modification time is when it expires
    KEY.taken    it was taken; likewise
    KEY.….new    a record that is being written

Files are written whole, dated, and then renamed or linked, so each is there or it is not, also after `kill -9`. Of many
processes one makes `KEY.taken`, which the file system decides, and only that one may read the record. Who replaces a
record looks for `KEY.taken` before and after. Only this account may enter the folder or read the files.
"""

import asyncio
import itertools
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import structlog

from speakback.config import ConfigError
from speakback.gateway.resume.store import TAKEN_REMEMBERED_S, StoreUnavailable

SWEEP_EVERY_S = 15.0
"""By so much, and no more, may what expired lie on the disk while a server runs."""
LEFT_BEHIND_S = 600.0
"""A record that has been in writing for so long was left behind by a process that died."""
WITHIN_S = 1.0
"""A disk that takes longer is as good as none."""

_T = TypeVar("_T")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Found:
    """A record that was taken from the disk."""

    record: bytes = field(repr=False)
    until_s: float
    """When it would have expired; Unix time."""


class FileStore:
    """A `ResumeStore` in a folder that is there; see `file_store`."""

    outlives_process = True

    def __init__(
        self, directory: Path, sweep_every_s: float, *, taken_remembered_s: float = TAKEN_REMEMBERED_S
    ) -> None:
        self._directory = directory
        self._taken_remembered_s = taken_remembered_s
        self._numbers = itertools.count(1)
        self._thread = ThreadPoolExecutor(1, "resume-files")
        sweeping = self._sweep_for_ever(sweep_every_s)
        self._sweeping = asyncio.get_running_loop().create_task(sweeping, name="resume-sweep")

    async def create(self, key: str, record: bytes, ttl_s: float) -> None:
        def create() -> None:
            self._write(key, record, ttl_s)
            self._taken(key).unlink(missing_ok=True)

        await self._done(create)

    async def replace(self, key: str, record: bytes, ttl_s: float) -> bool:
        def replace() -> bool:
            if self._taken(key).exists():
                return False
            self._write(key, record, ttl_s)
            if self._taken(key).exists():  # meanwhile: what was written now must not be taken a second time
                self._record(key).unlink(missing_ok=True)
                return False
            return True

        return await self._done(replace)

    async def take(self, key: str) -> bytes | None:
        taking = self._thread.submit(self._take, key)
        try:
            found = await self._in_time(asyncio.wrap_future(taking))
        except BaseException:
            self._thread.submit(self._put_back, key, taking)
            raise
        return None if found is None else found.record

    async def discard(self, key: str) -> None:
        await self._done(lambda: self._take(key))

    async def aclose(self) -> None:
        self._sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await self._sweeping
        await asyncio.to_thread(self._thread.shutdown)  # what nobody waits for any more may be a record to put back

    # ---- on the thread ------------------------------------------------------------------------

    def _take(self, key: str) -> _Found | None:
        record = self._record(key)
        if not _is_fresh(record):
            return None
        mark = self._new(key, b"", time.time() + self._taken_remembered_s)
        try:
            os.link(mark, self._taken(key))
        except FileExistsError:
            return None
        finally:
            mark.unlink(missing_ok=True)
        try:
            found = _Found(record.read_bytes(), record.stat().st_mtime)
            record.unlink()
        except OSError as problem:
            self._taken(key).unlink(missing_ok=True)
            if isinstance(problem, FileNotFoundError):  # it was swept in this moment
                return None
            raise
        return found

    def _put_back(self, key: str, taking: "Future[_Found | None]") -> None:
        """What was taken behind the back of its taker, who did not wait so long."""
        if taking.cancelled() or taking.exception() is not None or (found := taking.result()) is None:
            return
        try:
            self._new(key, found.record, found.until_s).rename(self._record(key))
            self._taken(key).unlink(missing_ok=True)
        except OSError as problem:
            log.warning("a conversation that nobody took is lost", reason=type(problem).__name__)

    def _write(self, key: str, record: bytes, ttl_s: float) -> None:
        new = self._new(key, record, time.time() + ttl_s)
        try:
            new.rename(self._record(key))
        except OSError:
            new.unlink(missing_ok=True)
            raise

    def _new(self, key: str, content: bytes, until_s: float) -> Path:
        """A file that is whole and dated, and that nobody looks for yet."""
        new = self._directory / f"{key}.{os.getpid()}-{next(self._numbers)}.new"
        try:
            file = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(file, "wb") as writing:
                writing.write(content)
            os.utime(new, (until_s, until_s))
        except OSError:
            new.unlink(missing_ok=True)
            raise
        return new

    def _sweep(self) -> None:
        now_s = time.time()
        with os.scandir(self._directory) as found:
            for file in found:
                grace_s = LEFT_BEHIND_S if file.name.endswith(".new") else 0.0
                if file.name.endswith((".json", ".taken", ".new")):
                    with suppress(FileNotFoundError):
                        if file.stat().st_mtime + grace_s <= now_s:
                            os.unlink(file.path)

    # ---- within -------------------------------------------------------------------------------

    async def _sweep_for_ever(self, every_s: float) -> None:
        while True:
            try:
                await self._done(self._sweep)
            except StoreUnavailable as problem:
                log.warning("expired conversations are not removed", reason=str(problem))
            await asyncio.sleep(every_s)

    async def _done(self, work: Callable[[], _T]) -> _T:
        return await self._in_time(asyncio.get_running_loop().run_in_executor(self._thread, work))

    async def _in_time(self, working: "asyncio.Future[_T]") -> _T:
        try:
            async with asyncio.timeout(WITHIN_S):
                return await working
        except TimeoutError:
            raise StoreUnavailable("the disk does not answer") from None
        except OSError as problem:
            raise StoreUnavailable(f"the disk fails ({problem.strerror or type(problem).__name__})") from None

    def _record(self, key: str) -> Path:
        return self._directory / f"{key}.json"

    def _taken(self, key: str) -> Path:
        return self._directory / f"{key}.taken"


def _is_fresh(record: Path) -> bool:
    try:
        return record.stat().st_mtime > time.time()
    except FileNotFoundError:
        return False


async def file_store(
    directory: Path, sweep_every_s: float = SWEEP_EVERY_S, *, taken_remembered_s: float = TAKEN_REMEMBERED_S
) -> FileStore:
    """A store in that folder, which is made if need be. Raises `ConfigError` when it cannot be used."""
    await asyncio.to_thread(_open, directory)
    return FileStore(directory, sweep_every_s, taken_remembered_s=taken_remembered_s)


def _open(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = directory.stat().st_mode & 0o777
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise ConfigError([f"resume.directory: conversations cannot be kept in {directory} ({reason})."]) from None
    if os.name == "posix" and mode & 0o077:
        advice = f"run `chmod 700 {directory}`, or name another folder"
        raise ConfigError([f"resume.directory: others may enter {directory} (its mode is {mode:o}); {advice}."])
