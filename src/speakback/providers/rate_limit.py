"""The rate limits of one key and model at a service, shared by all sessions: kept by us, mended by what it tells.

Each limit is a bucket that fills evenly, as the services' own headers show (reset = used / limit x window). The time
is passed in; `Turnstile` is the thin part that waits.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum

from speakback.providers.rate_headers import limit_and_remaining

PATIENCE_S = 1.0
"""Whoever waits for speech is told soon that there is none."""
LONGEST_PAUSE_S = 600.0
"""A service may ask for a day; it is asked again after this long, as its limits may have been raised."""


class Budget(Enum):
    """What is counted."""

    REQUESTS_A_MINUTE = "requests a minute"
    REQUESTS_A_DAY = "requests a day"
    AUDIO_S_AN_HOUR = "seconds of audio an hour"
    TOKENS_A_MINUTE = "tokens a minute"


_WINDOW_S = {
    Budget.REQUESTS_A_MINUTE: 60.0,
    Budget.REQUESTS_A_DAY: 86_400.0,
    Budget.AUDIO_S_AN_HOUR: 3600.0,
    Budget.TOKENS_A_MINUTE: 60.0,
}
_TOLD_AS = {
    Budget.REQUESTS_A_DAY: "requests",
    Budget.AUDIO_S_AN_HOUR: "audio-seconds",
    Budget.TOKENS_A_MINUTE: "tokens",
}
"""Requests a minute are limited, but no header tells of them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a key's plan allows; None where it is not known. What the service tells goes before it."""

    requests_a_minute: int | None = None
    requests_a_day: int | None = None
    audio_s_an_hour: int | None = None
    tokens_a_minute: int | None = None


class _Bucket:
    def __init__(self, capacity: float, window_s: float) -> None:
        self.capacity = capacity
        self._rate = capacity / window_s
        self._window_s = window_s
        self._level = capacity
        self._at_s = -math.inf

    def level(self, now_s: float) -> float:
        passed_s = max(0.0, now_s - self._at_s)
        return min(self.capacity, self._level + passed_s * self._rate)

    def wait_s(self, cost: float, now_s: float) -> float:
        short = min(cost, self.capacity) - self.level(now_s)
        return max(0.0, short / self._rate)

    def take(self, cost: float, now_s: float) -> None:
        self._level, self._at_s = self.level(now_s) - cost, now_s

    def told(self, capacity: float, remaining: float, now_s: float) -> None:
        self.capacity, self._rate = capacity, capacity / self._window_s
        self._level, self._at_s = min(remaining, capacity), now_s


class RateLimit:
    """All budgets of one key and model. `now_s` is monotonic."""

    def __init__(self, plan: Plan) -> None:
        known = {
            Budget.REQUESTS_A_MINUTE: plan.requests_a_minute,
            Budget.REQUESTS_A_DAY: plan.requests_a_day,
            Budget.AUDIO_S_AN_HOUR: plan.audio_s_an_hour,
            Budget.TOKENS_A_MINUTE: plan.tokens_a_minute,
        }
        self._buckets = {budget: _Bucket(limit, _WINDOW_S[budget]) for budget, limit in known.items() if limit}
        self._under_way = dict.fromkeys(Budget, 0.0)
        self._paused_until_s = -math.inf

    def wait_s(self, costs: Mapping[Budget, float], now_s: float) -> float:
        """How long a request must wait; 0: it may go."""
        waits_s = [bucket.wait_s(costs.get(budget, 0.0), now_s) for budget, bucket in self._buckets.items()]
        return max(0.0, self._paused_until_s - now_s, *waits_s)

    def fullness(self, now_s: float) -> float:
        """From 0 to 1: how full the emptiest budget is. Where it is low, only what must be asked should be."""
        if now_s < self._paused_until_s:
            return 0.0
        return max(0.0, min((one.level(now_s) / one.capacity for one in self._buckets.values()), default=1.0))

    def begin(self, costs: Mapping[Budget, float], now_s: float) -> None:
        """A request goes out."""
        for budget, cost in costs.items():
            self._under_way[budget] += cost
            if budget in self._buckets:
                self._buckets[budget].take(cost, now_s)

    def end(self, costs: Mapping[Budget, float]) -> None:
        """It was answered, or failed, or was given up: it counts all the same."""
        for budget, cost in costs.items():
            self._under_way[budget] -= cost

    def told(self, headers: Mapping[str, str], now_s: float) -> None:
        """An answer's headers (names in lower case) say what is left, apart from what is still under way."""
        for budget, name in _TOLD_AS.items():
            found = limit_and_remaining(headers, name)
            if found is not None:
                limit, remaining = found
                bucket = self._buckets.setdefault(budget, _Bucket(limit, _WINDOW_S[budget]))
                bucket.told(limit, remaining - self._under_way[budget], now_s)

    def pause(self, for_s: float, now_s: float) -> None:
        """The service refused for the rate, and asked to be left alone for so long."""
        self._paused_until_s = max(self._paused_until_s, now_s + min(for_s, LONGEST_PAUSE_S))


class Exhausted(Exception):
    """No request may go out within a caller's patience."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"the next request may go in {wait_s:.1f} s")
        self.wait_s = wait_s


class Turnstile:
    """Lets requests through one `RateLimit`, after a short wait where that is enough."""

    def __init__(
        self, limit: RateLimit, *, patience_s: float = PATIENCE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._patience_s = patience_s
        self._clock = clock

    @asynccontextmanager
    async def passing(self, costs: Mapping[Budget, float]) -> AsyncIterator[None]:
        """Within it a request is under way. Raises `Exhausted`."""
        deadline_s = self._clock() + self._patience_s
        while (wait_s := self._limit.wait_s(costs, self._clock())) > 0:
            if self._clock() + wait_s > deadline_s:
                raise Exhausted(wait_s)
            await asyncio.sleep(wait_s)
        self._limit.begin(costs, self._clock())
        try:
            yield
        finally:
            self._limit.end(costs)

    def told(self, headers: Mapping[str, str]) -> None:
        """See `RateLimit.told`."""
        self._limit.told(headers, self._clock())

    def pause(self, for_s: float) -> None:
        """See `RateLimit.pause`."""
        self._limit.pause(for_s, self._clock())

    def fullness(self) -> float:
        """See `RateLimit.fullness`."""
        return self._limit.fullness(self._clock())
