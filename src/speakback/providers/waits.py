"""How work waits in the pools of a process (`workers.py`): counted, and remembered for a moment."""

from collections import defaultdict, deque
from threading import Lock
from time import monotonic
from typing import Protocol

from speakback.observe.metrics import Metrics
from speakback.providers.urgency import Urgency

RECENT_S = 10.0
RECENT_SHARE = 0.9
"""The wait that so many of the latest calls did not exceed is what their pool's wait is taken to be."""


class WaitsReport(Protocol):
    """Who is told how work waits. Called on any thread; returns at once."""

    def work_queued(self, role: str, change: int) -> None:
        """So many calls more (or less, if negative) wait."""
        ...

    def work_began(self, role: str, urgency: Urgency, waited_s: float) -> None:
        """A call began after so long."""
        ...

    def work_shed(self, role: str, urgency: Urgency) -> None:
        """A call was not done: it was shed, refused, or overdue."""
        ...


class _Unreported:
    """Nobody is told."""

    def work_queued(self, role: str, change: int) -> None:
        pass

    def work_began(self, role: str, urgency: Urgency, waited_s: float) -> None:
        pass

    def work_shed(self, role: str, urgency: Urgency) -> None:
        pass


UNREPORTED: WaitsReport = _Unreported()


class WorkWaits:
    """A `WaitsReport` into the metrics of a server, which also knows how long calls waited of late."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lock = Lock()
        self._began: defaultdict[str, deque[tuple[float, float]]] = defaultdict(deque)
        """By role, the latest calls that somebody waited for: when they began, and after how long."""

    def work_queued(self, role: str, change: int) -> None:
        """See `WaitsReport`."""
        self._metrics.work_was_queued(role, change)

    def work_began(self, role: str, urgency: Urgency, waited_s: float) -> None:
        """See `WaitsReport`."""
        self._metrics.work_waited(role, urgency.label, waited_s)
        if not urgency.may_be_in_vain:
            now_s = monotonic()
            with self._lock:
                began = self._began[role]
                began.append((now_s, waited_s))
                _forget(began, now_s)

    def work_shed(self, role: str, urgency: Urgency) -> None:
        """See `WaitsReport`."""
        self._metrics.work_was_shed(role, urgency.label)

    def recent_ms(self) -> float:
        """How long calls that somebody waits for waited over the last 10 s, in the pool where it was longest."""
        now_s = monotonic()
        with self._lock:
            for began in self._began.values():
                _forget(began, now_s)
            waits = [sorted(waited_s for _, waited_s in began) for began in self._began.values() if began]
        return max((1000 * each[int(RECENT_SHARE * (len(each) - 1))] for each in waits), default=0.0)


def _forget(began: deque[tuple[float, float]], now_s: float) -> None:
    while began and began[0][0] < now_s - RECENT_S:
        began.popleft()
