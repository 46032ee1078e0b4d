"""How work waits in the pools of a process (`workers.py`): counted, and remembered for a moment."""

from collections import defaultdict, deque
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Protocol

from speakback.observe.metrics import Metrics
from speakback.providers.urgency import Urgency

RECENT_S = 10.0
RECENT_SHARE = 0.9
"""The wait that so many of the latest calls did not exceed is what their pool's wait is taken to be."""
JAMMED_S = 1.0
"""A call that has waited for longer, and not begun yet, is its pool's wait, whatever the others say: where a model
hangs, none begins any more that would tell."""


class WaitsReport(Protocol):
    """Who is told how work waits. Called on any thread; returns at once."""

    def pool_made(self, role: str, oldest_wait_s: Callable[[], float]) -> None:
        """A pool can be asked, on any thread, for how long the oldest call has waited that is not in vain; 0: none."""
        ...

    def work_queued(self, role: str, change: int) -> None:
        """So many calls more (or less, if negative) wait."""
        ...

    def work_began(self, role: str, urgency: Urgency, waited_s: float) -> None:
        """A call began after so long."""
        ...

    def work_shed(self, role: str, urgency: Urgency, waited_s: float) -> None:
        """A call was not done after so long, or not even queued, as it would have had to wait for so long: it was shed,
        refused, or overdue."""
        ...


class _Unreported:
    """Nobody is told."""

    def pool_made(self, role: str, oldest_wait_s: Callable[[], float]) -> None:
        pass

    def work_queued(self, role: str, change: int) -> None:
        pass

    def work_began(self, role: str, urgency: Urgency, waited_s: float) -> None:
        pass

    def work_shed(self, role: str, urgency: Urgency, waited_s: float) -> None:
        pass


UNREPORTED: WaitsReport = _Unreported()


class WorkWaits:
    """A `WaitsReport` into the metrics of a server, which also knows how long calls waited of late."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lock = Lock()
        self._pools: list[Callable[[], float]] = []
        self._waited: defaultdict[str, deque[tuple[float, float]]] = defaultdict(deque)
        """By role, the latest calls that somebody waited for: when their wait ended, and after how long."""

    def pool_made(self, role: str, oldest_wait_s: Callable[[], float]) -> None:
        """See `WaitsReport`."""
        with self._lock:
            self._pools.append(oldest_wait_s)

    def work_queued(self, role: str, change: int) -> None:
        """See `WaitsReport`."""
        self._metrics.work_was_queued(role, change)

    def work_began(self, role: str, urgency: Urgency, waited_s: float) -> None:
        """See `WaitsReport`."""
        self._metrics.work_waited(role, urgency.label, waited_s)
        self._remember(role, urgency, waited_s)

    def work_shed(self, role: str, urgency: Urgency, waited_s: float) -> None:
        """See `WaitsReport`."""
        self._metrics.work_was_shed(role, urgency.label)
        self._remember(role, urgency, waited_s)

    def recent_ms(self) -> float:
        """How long calls that somebody waits for waited over the last 10 s, in the pool where it was longest.

        Those that were shed, refused or overdue count as well, and so does one that waits still, once it is `JAMMED_S`.
        """
        now_s = monotonic()
        with self._lock:
            pools = list(self._pools)
            for waited in self._waited.values():
                _forget(waited, now_s)
            waits = [sorted(waited_s for _, waited_s in waited) for waited in self._waited.values() if waited]
        oldest_s = max((oldest_wait_s() for oldest_wait_s in pools), default=0.0)
        usual_s = max((each[int(RECENT_SHARE * (len(each) - 1))] for each in waits), default=0.0)
        return 1000 * (max(usual_s, oldest_s) if oldest_s > JAMMED_S else usual_s)

    def _remember(self, role: str, urgency: Urgency, waited_s: float) -> None:
        if urgency.may_be_in_vain:
            return
        now_s = monotonic()
        with self._lock:
            waited = self._waited[role]
            waited.append((now_s, waited_s))
            _forget(waited, now_s)


def _forget(waited: deque[tuple[float, float]], now_s: float) -> None:
    while waited and waited[0][0] < now_s - RECENT_S:
        waited.popleft()
