"""Processor time and memory of another process, as Linux tells them."""

import os
from dataclasses import dataclass
from pathlib import Path

_FIELDS_AFTER_NAME = 11
"""utime is the 14th field of /proc/PID/stat, the 12th after the name, which may itself hold spaces."""


class NotToldHere(Exception):
    """This system has no /proc."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory in bytes."""

    now_bytes: int
    peak_bytes: int


def cpu_s(pid: int) -> float:
    """Processor time that the process has used so far, in its own threads and in the kernel."""
    fields = _read(pid, "stat").rpartition(")")[2].split()
    ticks = int(fields[_FIELDS_AFTER_NAME]) + int(fields[_FIELDS_AFTER_NAME + 1])
    return ticks / os.sysconf("SC_CLK_TCK")


def loop_cpu_s(pid: int) -> float:
    """Processor time of its event loop so far: of its main thread, to the nanosecond."""
    return int(_read(pid, f"task/{pid}/schedstat").split()[0]) / 1e9


def memory(pid: int) -> Memory:
    """Resident memory of the process."""
    lines = (line.split() for line in _read(pid, "status").splitlines())
    sizes = {fields[0]: int(fields[1]) * 1024 for fields in lines if fields and fields[0] in ("VmRSS:", "VmHWM:")}
    return Memory(sizes["VmRSS:"], sizes["VmHWM:"])


def children(pid: int) -> list[int]:
    """The processes that it started and that still live."""
    tasks = Path(f"/proc/{pid}/task")
    try:
        return [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]
    except OSError as problem:
        raise NotToldHere(f"{tasks} cannot be read") from problem


def _read(pid: int, name: str) -> str:
    path = Path(f"/proc/{pid}/{name}")
    try:
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        raise NotToldHere(f"{path} cannot be read: this benchmark needs Linux") from problem
