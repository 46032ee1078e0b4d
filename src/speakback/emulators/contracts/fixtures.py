"""Keeps exchanges as files of JSON lines that only their owner may read."""

import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from speakback.emulators.contracts.contract import Contract, Service
from speakback.emulators.contracts.course import Side
from speakback.emulators.contracts.recording import Recording

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700


class FixtureError(OSError):
    """Exchanges cannot be kept where they should be; the message says where and why."""


def folders(directory: Path, services: Sequence[Service], day: date) -> Mapping[Service, Path]:
    """A folder for each service, `<service>-<date>`, made if it is not there. Raises `FixtureError`."""
    made = {service: directory / f"{service}-{day.isoformat()}" for service in services}
    for folder in made.values():
        try:
            folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        except OSError as problem:
            raise FixtureError(f"{folder}: {problem.strerror or problem}") from None
        if not os.access(folder, os.W_OK | os.X_OK):
            raise FixtureError(f"{folder}: not writable")
    return made


def save(folder: Path, contract: Contract, side: Side, recording: Recording) -> Path:
    """Write `<contract>.<side>.jsonl`, in the place of one of an earlier run. Raises `FixtureError`."""
    path = folder / f"{contract.name}.{side.value}.jsonl"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, PRIVATE_FILE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, PRIVATE_FILE)
            file.writelines(f"{frame.line()}\n" for frame in recording.frames)
    except OSError as problem:
        raise FixtureError(f"{path}: {problem.strerror or problem}") from None
    return path
