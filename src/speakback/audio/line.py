"""One client's line, as its acknowledgements of playback show it, and the pace at which audio goes out on it. Pure.

A client that acknowledges says how much of an item it has played and how much of it waits in the client; the sum has
arrived. The ledger knows when each message of it was sent. So one acknowledgement tells

    the round trip   of the last message that had arrived: no longer than since that was sent,
    the lateness     of the first that had not: no less than since that was sent, less the shortest round trip,
    an underrun      nothing waited in the client while a message was late.

The lateness is that of both ways together, and in part that of this server: whatever it is, audio that is sent early
enough hides it. Its peak is held and forgotten slowly, so the lead grows at once and shrinks over many seconds.
Without acknowledgements nothing is known, and the pace stays the usual one.
"""

import math
from dataclasses import dataclass

from speakback.timebase import LEDGER_FRAME_MS


@dataclass(frozen=True, slots=True)
class Pace:
    """How audio goes out: whole frames of 20 ms in a message, and how far ahead of real time."""

    message_ms: int
    lead_ms: int


USUAL = Pace(message_ms=40, lead_ms=80)
"""Where nothing is known of the line: two messages ahead, enough to hide a late one."""
LEAST = Pace(message_ms=20, lead_ms=60)
"""A message costs this server 25 to 30 us, however long it is: half of the usual is 0.05 % of a core more while the
agent speaks."""
MOST = Pace(message_ms=100, lead_ms=400)
"""What is ahead is what a barge-in must take back, and some clients cannot."""
MARGIN_MS = 30
"""At least this is kept in the client beyond all lateness when the next message arrives: this server's own timers may
be late."""
LEAD_PER_LATENESS = 1.5
"""Acknowledgements are few: the worst of the line is worse than what they show."""
MESSAGE_PER_LATENESS = 0.4
"""Where much must be ahead anyway, it may go in fewer pieces."""
FORGET_HALF_MS = 5_000
"""A peak of lateness counts half as much after so long a time of acknowledged playback without another."""
LONGEST_STEP_MS = 1_000
"""Between two acknowledgements no more than this counts as such: while nothing is played, nothing is learned."""
RISE_MS = 0.5
"""By so much the shortest round trip grows with each acknowledgement: lines do become longer."""
KNOWN_AFTER = 10
"""Acknowledgements before a line is held to be better than usual."""
MOST_LATE_MS = 240.0
"""More than this asks for no more than the longest lead, and so need not be remembered."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One acknowledgement, beside the book of what was sent."""

    at_ms: int
    buffered_ms: int
    """What waits in the client to be played."""
    arrived_sent_ms: int | None
    """When the last message that had arrived was sent; None: none had."""
    missing_sent_ms: int | None
    """When the first message that had not arrived was sent; None: all had."""


class Line:
    """What is known of one client's line; lives as long as its session."""

    def __init__(self) -> None:
        self.pace = USUAL
        self._round_trip_ms: float | None = None
        self._late_ms = 0.0
        self._learned_ms: int | None = None
        self._acknowledgements = 0
        self._knows_its_buffer = False
        """Some clients always say 0: of them nothing can be learned, as what was not played may have arrived."""

    @property
    def round_trip_ms(self) -> float | None:
        """The shortest of late; None: unknown."""
        return self._round_trip_ms

    @property
    def late_ms(self) -> float:
        """By how much messages arrive late at worst."""
        return self._late_ms

    def learn(self, seen: Acknowledged) -> None:
        """Take an acknowledgement of a reply under way into account."""
        self._knows_its_buffer = self._knows_its_buffer or seen.buffered_ms > 0
        if not self._knows_its_buffer:
            return
        self._forget(seen.at_ms)
        if seen.arrived_sent_ms is not None:
            took_ms = float(seen.at_ms - seen.arrived_sent_ms)
            shortest_ms = self._round_trip_ms
            self._round_trip_ms = took_ms if shortest_ms is None else min(took_ms, shortest_ms + RISE_MS)
        self._late_ms = min(max(self._late_ms, self._lateness(seen)), MOST_LATE_MS)
        self._acknowledgements += 1
        self.pace = pace(self._late_ms, is_known=self._acknowledgements >= KNOWN_AFTER)

    def _forget(self, now_ms: int) -> None:
        if self._learned_ms is not None:
            step_ms = min(max(now_ms - self._learned_ms, 0), LONGEST_STEP_MS)
            self._late_ms *= 0.5 ** (step_ms / FORGET_HALF_MS)
        self._learned_ms = now_ms

    def _lateness(self, seen: Acknowledged) -> float:
        if seen.missing_sent_ms is None or self._round_trip_ms is None:
            return 0.0
        late_ms = seen.at_ms - seen.missing_sent_ms - self._round_trip_ms
        if late_ms > 0 and seen.buffered_ms <= 0:  # an underrun: it was later by all that had been kept for it
            late_ms += self.pace.lead_ms - self.pace.message_ms
        return late_ms


def pace(late_ms: float, *, is_known: bool) -> Pace:
    """The pace for a line on which messages are late by up to `late_ms`; never below the usual unless it `is_known`."""
    least = LEAST if is_known else USUAL
    message_ms = int((least.message_ms + MESSAGE_PER_LATENESS * late_ms) // LEDGER_FRAME_MS) * LEDGER_FRAME_MS
    message_ms = min(message_ms, MOST.message_ms)
    wanted_ms = message_ms + MARGIN_MS + LEAD_PER_LATENESS * late_ms
    lead_ms = math.ceil(wanted_ms / LEDGER_FRAME_MS) * LEDGER_FRAME_MS
    return Pace(message_ms, min(max(lead_ms, least.lead_ms), MOST.lead_ms))
