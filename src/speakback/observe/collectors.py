"""Metrics that the library does not have as we need them."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client import ProcessCollector
from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class ProcessFigures(Collector):
    """Processor time, memory and open files of this process.

    The library's collector reads files already when it is made, so it is made where it is asked: off the event loop.
    """

    def collect(self) -> Iterable[Metric]:
        return ProcessCollector(registry=None).collect()


class QuickHistogram(Collector):
    """A histogram for what is observed many times a second: without locks, so on one thread only."""

    def __init__(self, name: str, meaning: str, buckets: Sequence[float]) -> None:
        self._name = name
        self._meaning = meaning
        self._borders = list(buckets)
        self._counts = [0] * (len(buckets) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one more."""
        self._counts[bisect_left(self._borders, value)] += 1
        self._sum += value

    def collect(self) -> Iterable[Metric]:
        borders = [*map(str, self._borders), "+Inf"]
        buckets = list(zip(borders, accumulate(self._counts), strict=True))
        yield HistogramMetricFamily(self._name, self._meaning, buckets=buckets, sum_value=self._sum)
