"""Everything that watches one server, begun and ended together: its loop's lag, its stalls, its load, its living."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from speakback.observe.load import Load, LoadMeter
from speakback.observe.loop_lag import LoopLag
from speakback.observe.memory import Held
from speakback.observe.metrics import Metrics
from speakback.observe.population import Population
from speakback.observe.stalls import STALL_S, StallLog, StallWatch

AT_ONCE_S = 0.002
"""So long may what others wait for take in one go."""
REST_SHARE = 0.05
"""An event loop that is less busy than this has next to nothing to do."""


class Watch:
    """One server's; its findings go to `metrics`."""

    def __init__(self, metrics: Metrics) -> None:
        self.population = Population(metrics.left_behind)
        self.queue_wait_ms: Callable[[], float] = _nobody_waits
        """How long calls waited for a worker of late, in the pool where it was longest. Set by who has the workers."""
        self._metrics = metrics
        self._lag: LoopLag | None = None

    @asynccontextmanager
    async def running(self, tell: Callable[[Load], None]) -> AsyncIterator[None]:
        """Watch while the context lasts; the load is told to `tell` on the event loop, twice a second."""
        lag = self._lag = LoopLag(self._metrics.loop_was_late, STALL_S)
        stalls = StallWatch(lag, StallLog(self._metrics.loop_stalled))

        def measured(load: Load) -> None:
            lag.at_rest = load.cpu.loop < REST_SHARE
            tell(load)

        meter = LoadMeter(lag, lambda: self.queue_wait_ms(), measured)
        lag.begin()
        stalls.begin()
        meter.begin()
        try:
            yield
        finally:
            lag.end()
            self._lag = None
            await asyncio.to_thread(_end, stalls, meter)

    def worst_lag_ms(self) -> float | None:
        """The event loop's longest lag of the last 10 s; None where nothing is watched."""
        return None if self._lag is None else self._lag.worst_ms()

    async def publish(self) -> None:
        """Bring the gauges of what is alive up to date; others' work comes in between, every 2 ms."""
        population = self.population
        self._metrics.alive(
            tasks=population.tasks(),
            sockets=population.open_sockets,
            objects=population.objects,
            behind=population.clients_behind,
        )
        holdings: list[Held] = []
        began_s = time.monotonic()
        for session in population.sessions:
            holdings.append(session.holder.held())
            if time.monotonic() - began_s > AT_ONCE_S:
                await asyncio.sleep(0)
                began_s = time.monotonic()
        self._metrics.sessions_hold(holdings)


def _end(stalls: StallWatch, meter: LoadMeter) -> None:
    stalls.end()
    meter.end()


def _nobody_waits() -> float:
    return 0.0
