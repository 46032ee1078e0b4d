"""Under what conditions a measurement was made; every table says them."""

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Conditions:
    """The machine, the command, and how busy the machine was before anything was started."""

    processor: str
    cores: int
    system: str
    python: str
    load_average: float | None
    command: str

    def __str__(self) -> str:
        load = "unknown" if self.load_average is None else f"{self.load_average:.1f}"
        return f"{self.processor}, {self.cores} cores, {self.system}, Python {self.python}, load {load}; {self.command}"


def conditions() -> Conditions:
    """Those of now."""
    return Conditions(
        processor=_processor(),
        cores=os.cpu_count() or 0,
        system=platform.system(),
        python=platform.python_version(),
        load_average=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        command=" ".join(["python -m benchmarks", *sys.argv[1:]]),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
