"""How busy the processor is: with the event loop, with this process, and with everything on the machine.

Reads files under /proc: never on the event loop. Sources: proc(5) for /proc/stat, the kernel's cgroup-v2.rst for
cpu.max.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_STAT = Path("/proc/stat")
_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")
_IDLE, _IOWAIT, _COUNTED = 3, 4, 8
"""Fields of a line of /proc/stat; those behind the eighth are contained in others."""


@dataclass(frozen=True, slots=True)
class MachineTime:
    """Ticks that the processors this process may run on have counted since the machine started."""

    busy: int
    all: int


@dataclass(frozen=True, slots=True)
class CpuReading:
    """Processor time used up to `at_s`, in seconds."""

    at_s: float
    loop_s: float
    process_s: float
    machine: MachineTime | None
    """None where the system does not tell."""


@dataclass(frozen=True, slots=True)
class CpuShares:
    """How busy, from 0 to 1."""

    loop: float
    """The loop's thread: of one core."""
    process: float
    """All threads of this process: of the cores that it may use."""
    machine: float | None
    """Everything: of those cores. None where the system does not tell."""


def shares(first: CpuReading, last: CpuReading, cores: float) -> CpuShares:
    """How busy it was between two readings. Pure."""
    passed_s = last.at_s - first.at_s
    if passed_s <= 0:
        return CpuShares(0.0, 0.0, None)
    machine = None
    if first.machine is not None and last.machine is not None and last.machine.all > first.machine.all:
        machine = (last.machine.busy - first.machine.busy) / (last.machine.all - first.machine.all)
    return CpuShares(
        loop=min((last.loop_s - first.loop_s) / passed_s, 1.0),
        process=min((last.process_s - first.process_s) / passed_s / cores, 1.0),
        machine=machine,
    )


def cpu_reader(loop_thread: int) -> Callable[[], CpuReading]:
    """Reads the clocks; `loop_thread` is the thread of the event loop. Not to be called on it."""
    loop_s = _thread_clock(loop_thread)
    usable = _usable_processors()
    return lambda: CpuReading(time.monotonic(), loop_s(), time.process_time(), _machine_time(usable))


def core_count() -> float:
    """How many cores' worth of time this process may use: by its affinity, and by its container's quota."""
    count = float(len(_usable_processors()) or os.cpu_count() or 1)
    try:
        quota, period = _CPU_MAX.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return count
    return count if quota == "max" else min(count, int(quota) / int(period))


def machine_time_in(stat: str, usable: frozenset[int]) -> MachineTime | None:
    """What /proc/stat says of the processors in `usable`. Pure."""
    busy = counted = 0
    for line in stat.splitlines():
        name, *fields = line.split()
        number = name.removeprefix("cpu")
        if name != number and number.isdecimal() and int(number) in usable:
            ticks = [int(field) for field in fields[:_COUNTED]]
            counted += sum(ticks)
            busy += sum(ticks) - ticks[_IDLE] - ticks[_IOWAIT]
    return MachineTime(busy, counted) if counted else None


def _machine_time(usable: frozenset[int]) -> MachineTime | None:
    try:
        return machine_time_in(_STAT.read_text(encoding="ascii"), usable)
    except OSError:
        return None


def _usable_processors() -> frozenset[int]:
    """Empty where the system does not tell."""
    if not hasattr(os, "sched_getaffinity"):
        return frozenset()
    return frozenset(os.sched_getaffinity(0))


def _thread_clock(thread: int) -> Callable[[], float]:
    """The processor time of a thread; where another thread's cannot be had, that of the process."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.process_time
    clock = time.pthread_getcpuclockid(thread)
    return lambda: time.clock_gettime(clock)
