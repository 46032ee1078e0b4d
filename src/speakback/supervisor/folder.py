"""The private folder through which workers hand conversations over. It holds speech, and does not outlive them.

Each process that uses the folder, the supervisor and its workers, holds a lock on a file in it (flock, which ends with
the process, however that ends). Who leaves and finds that no other holds it removes the folder: the supervisor in the
end, or the last worker of one that was killed. What all left behind together, as a machine's whole group of processes
that was killed, the next supervisor of this account removes.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

PREFIX = "speakback-workers-"
LOCK = ".held-by-speakback"
"""A folder is ours if it has such a file."""

log = structlog.get_logger(__name__)


@contextmanager
def private_folder() -> Iterator[Path]:
    """A new folder for the workers of this process, which only this account may enter. Removes orphans of others."""
    root = Path(tempfile.gettempdir())
    for orphan in root.glob(f"{PREFIX}*"):
        if _is_of_this_account(orphan) and remove_orphaned(orphan):
            log.warning("conversations that a killed server left behind were removed", folder=str(orphan))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))  # mode 0700
    held = _made_and_held(folder)
    try:
        yield folder
    finally:
        os.close(held)
        remove_orphaned(folder)


@contextmanager
def held(folder: Path | None) -> Iterator[None]:
    """Hold the folder if it is such a one: it stays meanwhile, and is removed in the end if no other holds it."""
    file = None if folder is None else _opened(folder)
    if folder is None or file is None:
        yield
        return
    _lock(file, alone=False)
    try:
        yield
    finally:
        os.close(file)
        remove_orphaned(folder)


def remove_orphaned(folder: Path) -> bool:
    """Remove the folder if it is such a one and nobody holds it; whether this process did."""
    file = _opened(folder)
    if file is None:
        return False
    try:
        if not _lock(file, alone=True):
            return False
        shutil.rmtree(folder)
    except FileNotFoundError:  # another process was quicker
        return False
    except OSError as problem:
        log.error("conversations were left behind", folder=str(folder), reason=problem.strerror)
        return False
    finally:
        os.close(file)
    return True


def _made_and_held(folder: Path) -> int:
    """The lock is had before the file has its name: nobody finds one that is not held yet."""
    unnamed = folder / f"{LOCK}.new"
    file = os.open(unnamed, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    _lock(file, alone=False)
    unnamed.rename(folder / LOCK)
    return file


def _opened(folder: Path) -> int | None:
    try:
        return os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as problem:
        log.error("the lock of a folder cannot be opened", folder=str(folder), reason=problem.strerror)
        return None


def _lock(file: int, *, alone: bool) -> bool:
    """Hold it with others, or `alone`, until it is closed; False: others are there. Never waits."""
    import fcntl  # there is none on Windows, where the rest of this package can be imported

    try:
        fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_of_this_account(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
