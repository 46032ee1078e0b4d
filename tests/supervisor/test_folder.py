"""supervisor/folder.py: speech does not outlive whose it is. Locks are those of real processes where that matters."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from speakback.supervisor.folder import held, private_folder, remove_orphaned

SUPERVISOR = """
import sys
from speakback.supervisor.folder import private_folder
with private_folder() as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@contextmanager
def supervisor() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that holds a folder, in which something was said."""
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            folder = Path(process.stdout.readline().strip())
            (folder / "key.json").write_text("speech")
            yield process, folder
        finally:
            process.kill()


def killed(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_it_is_private_and_gone_in_the_end(root: Path) -> None:
    with private_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "key.json").write_text("speech")
    assert list(root.iterdir()) == []


def test_a_new_supervisor_removes_what_a_killed_one_left(root: Path) -> None:
    with supervisor() as (process, orphan):
        killed(process)
        assert orphan.exists()
        with capture_logs() as logs, private_folder() as folder:
            assert list(root.iterdir()) == [folder]
    assert [line["folder"] for line in logs] == [str(orphan)]


def test_it_leaves_the_living_and_what_is_none_of_ours(root: Path) -> None:
    strange = root / "speakback-workers-strange"
    strange.mkdir()
    link = root / "speakback-workers-link"
    with supervisor() as (_, living):
        link.symlink_to(living)
        with private_folder():
            assert (living / "key.json").exists()
    assert strange.exists()
    assert link.is_symlink()


def test_the_last_worker_of_a_killed_supervisor_removes_it() -> None:
    with supervisor() as (process, folder):
        with held(folder):
            with held(folder):
                killed(process)
            assert (folder / "key.json").exists(), "another worker still drains"
        assert not folder.exists()


def test_a_worker_that_leaves_a_living_supervisor_removes_nothing() -> None:
    with supervisor() as (_, folder):
        with held(folder):
            pass
        assert (folder / "key.json").exists()


def test_a_folder_that_was_configured_is_never_removed(tmp_path: Path) -> None:
    with held(tmp_path):
        pass
    with held(None):
        pass
    assert not remove_orphaned(tmp_path)
    assert tmp_path.exists()


def test_what_cannot_be_removed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with supervisor() as (process, folder):
        killed(process)

        def fail(path: Path) -> None:
            raise OSError(5, os.strerror(5))

        monkeypatch.setattr("shutil.rmtree", fail)
        with capture_logs() as logs:
            assert not remove_orphaned(folder)
    assert [line["log_level"] for line in logs] == ["error"]
