"""Pipecat's own environment, in the user's cache folder: made on first use, never mixed with this project's."""

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from speakback.weights.cache import cache_root

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_COMPLETE = "complete"


class NoEnvironment(Exception):
    """Pipecat could not be installed; the message says why."""


def peer_python() -> Path:
    """The interpreter that has Pipecat; to make it takes a few minutes. Raises `NoEnvironment`."""
    folder = environment_folder(cache_root().parent, REQUIREMENTS.read_bytes())
    python = folder / "bin" / "python"
    if not (folder / _COMPLETE).exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        _install(python)
        (folder / _COMPLETE).touch()
    return python


def environment_folder(caches: Path, requirements: bytes) -> Path:
    """Another list of requirements, or another Python, has another folder."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return caches / "peers" / f"pipecat-{version}-{hashlib.sha256(requirements).hexdigest()[:12]}"


def _install(python: Path) -> None:
    options = ("--disable-pip-version-check", "--no-input", "--quiet")
    done = subprocess.run(
        [python, "-m", "pip", "install", *options, "-r", REQUIREMENTS], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NoEnvironment(f"pip could not install {REQUIREMENTS.name}:\n{done.stderr.strip()[-2000:]}")
