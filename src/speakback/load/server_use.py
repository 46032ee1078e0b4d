"""What the server uses of its machine: as its `/metrics` tell, or, for a process of this machine, as Linux does."""

import asyncio
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from speakback.load.wire import Address

_CPU = "process_cpu_seconds_total"
_MEMORY = "process_resident_memory_bytes"
_STARTED = "process_start_time_seconds"
_LAG = "speakback_loop_lag_seconds"
_JOIN = "speakback_join_seconds"
_BUCKET = re.compile(r'(\w+)_bucket\{le="([^"]+)"\}')
_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Buckets:
    """A histogram of durations: for each border in ms, ascending to infinity, how many were not above it so far."""

    counts: Mapping[float, int] = field(default_factory=dict)

    def since(self, before: "Buckets") -> "Buckets":
        """What was added."""
        return Buckets({border: count - before.counts.get(border, 0) for border, count in self.counts.items()})

    def quantile_ms(self, share: float) -> float | None:
        """Between two borders in proportion; the last finite border where it lies beyond. None: nothing was counted."""
        n = max(self.counts.values(), default=0)
        lower_ms, below = 0.0, 0
        for border_ms, count in self.counts.items() if n else ():
            if count >= share * n:
                if border_ms == inf:
                    return lower_ms
                return lower_ms + (border_ms - lower_ms) * (share * n - below) / max(count - below, 1)
            lower_ms, below = border_ms, count
        return None


@dataclass(frozen=True, slots=True)
class Reading:
    """The server's process at one moment."""

    at_s: float
    """Of this machine's monotonic clock."""
    cpu_s: float
    """Processor time since it started."""
    resident_bytes: int
    loop_lag: Buckets = Buckets()
    """Empty where it is not told."""
    join: Buckets = Buckets()
    """How long each session's opening kept the event loop."""
    started_s: float | None = None
    """When the process started, in Unix time: of several workers behind one address, one or another tells. None: it
    is not told."""


class ServerUse(Protocol):
    """Where readings come from."""

    async def read(self) -> Reading | None:
        """None where it is not told."""
        ...


class FromMetrics:
    """Reads the server's `/metrics`, beside the path of its conversations."""

    def __init__(self, address: Address) -> None:
        parts = urlsplit(address.url)
        scheme = "https" if address.uri.secure else "http"
        path = parts.path.removesuffix("/").removesuffix("/v1/realtime")
        self._url = urlunsplit((scheme, parts.netloc, f"{path}/metrics", "", ""))
        self._headers = dict(address.headers)

    async def read(self) -> Reading | None:
        """See `ServerUse`."""
        timeout = aiohttp.ClientTimeout(total=_PATIENCE_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=self._headers) as http,
                http.get(self._url) as answer,
            ):
                told = await answer.text() if answer.status == 200 else ""
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        return reading_of(told, time.monotonic())


class FromProc:
    """Reads `/proc` of a process of this machine."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    async def read(self) -> Reading | None:
        """See `ServerUse`."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> Reading | None:
        folder = Path("/proc", str(self._pid))
        try:
            # The process' name, in brackets, may itself hold spaces.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            pages = int((folder / "statm").read_text().split()[1])
        except OSError:
            return None
        ticks = int(fields[11]) + int(fields[12])
        return Reading(time.monotonic(), ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE"))


def reading_of(metrics: str, at_s: float) -> Reading | None:
    """From Prometheus' text format. None if it tells neither processor time nor memory."""
    told: dict[str, float] = {}
    buckets: dict[str, dict[float, int]] = {_LAG: {}, _JOIN: {}}
    for line in metrics.splitlines():
        name, _, value = line.rpartition(" ")
        if name in (_CPU, _MEMORY, _STARTED):
            told[name] = float(value)
        elif (found := _BUCKET.fullmatch(name)) and found[1] in buckets:
            buckets[found[1]][float(found[2]) * 1000] = int(float(value))
    if _CPU not in told or _MEMORY not in told:
        return None
    lag, join = Buckets(buckets[_LAG]), Buckets(buckets[_JOIN])
    return Reading(at_s, told[_CPU], int(told[_MEMORY]), lag, join, told.get(_STARTED))
