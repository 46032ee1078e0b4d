"""The places of a server: each session holds one, from before its upgrade to its end."""

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from speakback.gateway.admission import (
    ANY_LOAD,
    Full,
    LoadLimits,
    Taken,
    for_those_who_come_back,
    lowered,
    reserve_of,
    why_full,
)
from speakback.observe.load import CPU_INTERVALS, Load

log = structlog.get_logger(__name__)


class NoRoom(Exception):
    """There is no place for this client now."""

    def __init__(self, reason: Full) -> None:
        super().__init__(reason)
        self.reason: Full = reason


class Seat:
    """One session's."""

    def __init__(self) -> None:
        self.was_joined = True

    def turned_away(self) -> None:
        """Its client was refused for another reason before its conversation began: it costs nothing, and is no join."""
        self.was_joined = False


class Seats:
    """How many sessions are open, and whether one more may be.

    Load lags behind those who join: a seat counts with an assumed cost until it has been in all that the load is
    averaged over, and no more than so many are given between one measurement and the next.
    """

    def __init__(self, total: int, limits: LoadLimits = ANY_LOAD) -> None:
        self.total = total
        self.taken = 0
        self._limits = limits
        self._load = Load()
        self._given: deque[int] = deque([0], maxlen=CPU_INTERVALS)
        """How many seats were given in each of the last intervals, the present one last."""
        self._interval = 0
        """The present one's number."""
        self._overloaded = False

    @contextmanager
    def seat(self, *, comes_back: bool = False) -> Iterator[Seat]:
        """One session's seat while the context lasts. Raises `NoRoom`, and then takes none.

        Nothing is awaited between the decision and the taking, so no two get one place. A client that `comes_back`
        to its conversation is let in before strangers (`for_those_who_come_back`).
        """
        reason = self.why_full(comes_back=comes_back)
        if reason is not None:
            raise NoRoom(reason)
        self.taken += 1
        self._given[-1] += 1
        given_in, seat = self._interval, Seat()
        try:
            yield seat
        finally:
            self.taken -= 1
            age = self._interval - given_in
            if not seat.was_joined and age < len(self._given):
                self._given[-1 - age] -= 1

    def why_full(self, *, comes_back: bool = False) -> Full | None:
        """Why a client would be refused now, or None if it would be let in."""
        total, limits = self.total, lowered(self._limits) if self._overloaded else self._limits
        if comes_back:
            total, limits = total + reserve_of(total), for_those_who_come_back(self._limits)
        taken = Taken(self.taken, total, unmeasured=min(sum(self._given), self.taken), just_given=self._given[-1])
        return why_full(self._load, limits, taken)

    def measured(self, load: Load) -> None:
        """The load is this now; seats may be given anew."""
        self._load = load
        self._given.append(0)
        self._interval += 1
        reason = self.why_full()
        overloaded = reason is not None and reason not in ("sessions", "joining")
        if overloaded is not self._overloaded:
            self._overloaded = overloaded
            event = "new sessions are refused" if overloaded else "new sessions are admitted again"
            log.warning(event, reason=reason, sessions=self.taken, **_figures(load))


def _figures(load: Load) -> dict[str, int | float]:
    """The load as a log line shows it."""
    megabytes = 0 if load.resident_bytes is None else math.ceil(load.resident_bytes / 1e6)
    return {
        "loop_lag_ms": round(load.lag.p90_ms, 1),
        "queue_wait_ms": round(load.queue_wait_ms),
        "loop_cpu_share": round(load.cpu.loop, 2),
        "process_cpu_share": round(load.cpu.process, 2),
        "resident_mb": megabytes,
    }
