"""How much a server bears at present: measured twice a second on a thread of its own, told on the event loop."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from speakback.observe.loop_lag import NO_LAG, LagFigures, LoopLag
from speakback.observe.memory import resident_bytes, usable_bytes
from speakback.observe.processor import CpuReading, CpuShares, core_count, cpu_reader, shares

INTERVAL_S = 0.5
CPU_INTERVALS = 6
"""Processor time is averaged over so many: 3 s."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a server bore over the last seconds."""

    interval: int = 0
    """Counts the measurements."""
    lag: LagFigures = NO_LAG
    queue_wait_ms: float = 0.0
    """How long calls waited for a worker of late, or frames for the VAD, in the pool where they waited longest; a call
    that waits still counts once its pool is taken to be jammed."""
    cpu: CpuShares = CpuShares(0.0, 0.0, None)
    resident_bytes: int | None = None
    usable_bytes: int | None = None
    """RAM there is for this process; both are None where the system does not tell."""


class LoadMeter:
    """Measures the loop that `begin` is called on, and tells `tell` on it."""

    def __init__(self, lag: LoopLag, queue_wait_ms: Callable[[], float], tell: Callable[[Load], None]) -> None:
        self._lag = lag
        self._queue_wait_ms = queue_wait_ms
        self._tell = tell
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._interval = 0

    def begin(self) -> None:
        """Measure from now on; called on the loop."""
        place = (asyncio.get_running_loop(), threading.get_ident())
        self._thread = threading.Thread(target=self._run, args=place, name="load-meter", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Measure no more; blocks for a moment. What was measured last may still be told."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, loop: asyncio.AbstractEventLoop, loop_thread: int) -> None:
        read, cores, usable = cpu_reader(loop_thread), core_count(), usable_bytes()
        readings: deque[CpuReading] = deque([read()], maxlen=CPU_INTERVALS + 1)
        while not self._stopped.wait(INTERVAL_S):
            readings.append(read())
            cpu = shares(readings[0], readings[-1], cores)
            loop.call_soon_threadsafe(self._deliver, self._lag.figures(), cpu, resident_bytes(), usable)

    def _deliver(self, lag: LagFigures, cpu: CpuShares, resident: int | None, usable: int | None) -> None:
        self._interval += 1
        self._tell(Load(self._interval, lag, self._queue_wait_ms(), cpu, resident, usable))
