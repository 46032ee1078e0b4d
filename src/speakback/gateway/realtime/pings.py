"""`speakback.ping` and its answer: how far away the client is, and what its clock says at which media time."""

import math
import time
from collections.abc import Callable

from speakback.gateway.realtime.refusal import Refusal
from speakback.gateway.realtime.session_object import WireObject

SOONEST_S = 0.25
"""More often than this no ping is answered."""
MEASURES_FOR_S = 5.0
"""For so long after a ping the client is taken to measure its line, and is read without naps (`gateway/naps.py`)."""


class Pings:
    """One client's. `loop_lag_ms` gives the event loop's worst lag of late, None where nobody measures it."""

    def __init__(self, loop_lag_ms: Callable[[], float | None], now_s: Callable[[], float] = time.monotonic) -> None:
        self._loop_lag_ms = loop_lag_ms
        self._now_s = now_s
        self._answered_s = -math.inf

    @property
    def is_measuring(self) -> bool:
        """Whether the client pinged of late."""
        return self._now_s() - self._answered_s <= MEASURES_FOR_S

    def answer(self, sent_ms: float, audio_ms: int) -> WireObject:
        """The `speakback.pong`, at the media time `audio_ms`. Raises `Refusal` for one that comes too soon."""
        now_s = self._now_s()
        if now_s - self._answered_s < SOONEST_S:
            raise Refusal("too_many_pings", f"a ping is answered every {round(SOONEST_S * 1000)} ms at most")
        self._answered_s = now_s
        lag_ms = self._loop_lag_ms()
        return {
            "type": "speakback.pong",
            "sent_ms": sent_ms,
            "audio_ms": audio_ms,
            "loop_lag_ms": None if lag_ms is None else round(lag_ms, 1),
        }


def not_measured() -> None:
    """The `loop_lag_ms` where nobody measures it."""
