"""observe/load.py, observe/watch.py: real threads, a real loop."""

import asyncio

from prometheus_client.parser import text_string_to_metric_families

from speakback.observe.load import Load
from speakback.observe.metrics import Metrics
from speakback.observe.watch import Watch


async def test_the_load_is_told_on_the_loop_and_counted() -> None:
    loads: asyncio.Queue[Load] = asyncio.Queue()
    watch = Watch(Metrics())
    watch.queue_wait_ms = lambda: 12.0
    async with watch.running(loads.put_nowait):
        first, second = await loads.get(), await loads.get()
    assert (first.interval, second.interval) == (1, 2)
    assert first.queue_wait_ms == 12
    assert 0 <= first.cpu.loop <= 1
    assert 0 <= first.cpu.process <= 1


async def test_the_worst_lag_is_known_while_the_loop_is_watched() -> None:
    loads: asyncio.Queue[Load] = asyncio.Queue()
    watch = Watch(Metrics())
    assert watch.worst_lag_ms() is None
    async with watch.running(loads.put_nowait):
        load = await loads.get()
        worst_ms = watch.worst_lag_ms()
        assert worst_ms is not None
        assert worst_ms >= load.lag.p99_ms
    assert watch.worst_lag_ms() is None


async def test_the_process_tells_of_itself() -> None:
    metrics = Metrics()
    async with Watch(metrics).running(lambda load: None):
        text = await asyncio.to_thread(metrics.exposition)
    names = {family.name for family in text_string_to_metric_families(text.decode())}
    assert "speakback_loop_lag_seconds" in names
    assert {"process_cpu_seconds", "process_resident_memory_bytes", "process_open_fds"} <= names
