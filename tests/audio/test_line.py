"""The pace of a line: what acknowledgements tell, and clients on lines that jitter, in virtual time."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.audio.line import (
    FORGET_HALF_MS,
    KNOWN_AFTER,
    LEAST,
    MOST,
    MOST_LATE_MS,
    USUAL,
    Acknowledged,
    Line,
    Pace,
    pace,
)
from speakback.audio.playout import PlayoutLedger
from speakback.audio.speech import SpeechChunk
from speakback.timebase import LEDGER_FRAME_MS, VOICE_HZ, samples_to_ms

MS = VOICE_HZ // 1000
ACK_EVERY_MS = 200
ROUND_TRIP_MS = 60


def in_time(at_ms: int) -> Acknowledged:
    """The last message arrived after the usual round trip, and the next was sent just now."""
    return Acknowledged(at_ms, 80, at_ms - ROUND_TRIP_MS, at_ms)


def late(at_ms: int, late_ms: int, *, buffered_ms: int = 80) -> Acknowledged:
    """A message has not arrived that should have, so long ago."""
    missing_ms = at_ms - ROUND_TRIP_MS - late_ms
    return Acknowledged(at_ms, buffered_ms, missing_ms - 40, missing_ms)


def known_line() -> Line:
    line = Line()
    for number in range(KNOWN_AFTER):
        line.learn(in_time(number * ACK_EVERY_MS))
    return line


# ---- the rule -------------------------------------------------------------------------------------


@given(st.floats(0, 10_000), st.booleans())
def test_a_pace_is_within_its_bounds_and_whole_frames(late_ms: float, is_known: bool) -> None:
    least = LEAST if is_known else USUAL
    found = pace(late_ms, is_known=is_known)
    assert least.message_ms <= found.message_ms <= MOST.message_ms
    assert least.lead_ms <= found.lead_ms <= MOST.lead_ms
    assert found.message_ms % LEDGER_FRAME_MS == found.lead_ms % LEDGER_FRAME_MS == 0
    assert found.lead_ms == MOST.lead_ms or found.lead_ms - found.message_ms >= late_ms + 20, "it hides what is late"


@given(st.floats(0, 1000), st.floats(0, 1000), st.booleans())
def test_the_later_the_longer(one_ms: float, other_ms: float, is_known: bool) -> None:
    less, more = sorted((one_ms, other_ms))
    short, long = pace(less, is_known=is_known), pace(more, is_known=is_known)
    assert short.message_ms <= long.message_ms
    assert short.lead_ms <= long.lead_ms


def test_the_bounds_are_reached() -> None:
    assert pace(0, is_known=True) == LEAST
    assert pace(0, is_known=False) == USUAL
    assert pace(MOST_LATE_MS, is_known=True) == pace(MOST_LATE_MS, is_known=False) == MOST


# ---- the estimate ---------------------------------------------------------------------------------


def test_of_a_new_line_nothing_is_known() -> None:
    line = Line()
    assert (line.pace, line.round_trip_ms, line.late_ms) == (USUAL, None, 0.0)


def test_a_line_is_better_than_usual_only_after_a_while() -> None:
    line = Line()
    for number in range(KNOWN_AFTER):
        assert line.pace == USUAL
        line.learn(in_time(number * ACK_EVERY_MS))
    assert line.pace == LEAST
    assert line.round_trip_ms == ROUND_TRIP_MS


def test_one_late_message_is_enough_to_grow() -> None:
    line = Line()
    line.learn(in_time(1000))
    line.learn(late(1200, 50))
    assert line.late_ms == pytest.approx(50, abs=1)
    assert line.pace == pace(line.late_ms, is_known=False)
    assert line.pace.lead_ms - line.pace.message_ms > 50


def test_a_message_is_late_only_against_what_the_line_can_do() -> None:
    line = Line()
    line.learn(late(1000, 50))  # the first acknowledgement of all: this may be the line as it is
    assert (line.late_ms, line.pace) == (0.0, USUAL)


def test_to_run_dry_for_want_of_speech_is_no_fault_of_the_line() -> None:
    line = known_line()
    for at_ms in range(3000, 6000, ACK_EVERY_MS):
        line.learn(Acknowledged(at_ms, 0, at_ms - 500, None))
        line.learn(Acknowledged(at_ms + 50, 0, at_ms - 500, at_ms + 40))
    assert line.pace == LEAST


def test_of_a_client_that_does_not_know_its_buffer_nothing_is_learned() -> None:
    line = Line()
    for at_ms in range(0, 20_000, ACK_EVERY_MS):
        line.learn(late(at_ms, at_ms % 70, buffered_ms=0))
    assert (line.pace, line.late_ms, line.round_trip_ms) == (USUAL, 0.0, None)


def test_an_underrun_counts_for_all_that_had_been_kept() -> None:
    buffered, dry = known_line(), known_line()
    buffered.learn(late(3000, 10))
    dry.learn(late(3000, 10, buffered_ms=0))
    kept_ms = LEAST.lead_ms - LEAST.message_ms
    assert dry.late_ms == pytest.approx(buffered.late_ms + kept_ms)
    assert dry.pace.lead_ms > buffered.pace.lead_ms


def test_a_peak_is_forgotten_slowly_and_only_while_something_is_played() -> None:
    line = known_line()
    line.learn(late(3000, 100))
    line.learn(in_time(63_000))  # after a minute in which the agent said nothing
    assert line.late_ms > 80
    for at_ms in range(63_200, 63_000 + FORGET_HALF_MS, ACK_EVERY_MS):
        line.learn(in_time(at_ms))
    assert 35 < line.late_ms < 55
    for at_ms in range(70_000, 110_000, ACK_EVERY_MS):
        line.learn(in_time(at_ms))
    assert line.pace == LEAST


def test_a_line_that_becomes_longer_is_not_late_for_ever() -> None:
    line = known_line()
    for at_ms in range(3000, 123_000, ACK_EVERY_MS):
        line.learn(Acknowledged(at_ms, 80, at_ms - ROUND_TRIP_MS - 40, at_ms - ROUND_TRIP_MS - 20))
    assert line.round_trip_ms == pytest.approx(ROUND_TRIP_MS + 40, abs=1)
    assert line.pace == LEAST


@given(
    st.lists(
        st.tuples(
            st.integers(-1000, 5000),
            st.integers(-1000, 5000),
            st.none() | st.integers(-1000, 9000),
            st.none() | st.integers(-1000, 9000),
        )
    )
)
def test_whatever_a_client_says_the_pace_stays_within_bounds(
    said: list[tuple[int, int, int | None, int | None]],
) -> None:
    line, at_ms = Line(), 0
    for step_ms, buffered_ms, arrived_ms, missing_ms in said:
        at_ms += step_ms
        line.learn(Acknowledged(at_ms, buffered_ms, arrived_ms, missing_ms))
        assert 0 <= line.late_ms <= MOST_LATE_MS
        assert LEAST.message_ms <= line.pace.message_ms <= MOST.message_ms
        assert LEAST.lead_ms <= line.pace.lead_ms <= MOST.lead_ms


# ---- clients at the end of a line -----------------------------------------------------------------


class Deaf(Line):
    """Learns nothing: as if the client did not acknowledge."""

    def learn(self, seen: Acknowledged) -> None:
        pass


@dataclass
class Client:
    """Plays as soon as it has something, and says every 200 ms how far it is; nothing overtakes on its line."""

    delay_ms: Callable[[int], int]
    """How long what is sent at that time is under way."""
    line: Line = field(default_factory=Line)
    now_ms: int = 0
    underruns_ms: list[int] = field(default_factory=list)
    """Each millisecond at which nothing could be played of a reply that was begun and is not over."""
    leads_ms: list[int] = field(default_factory=list)
    """What had been sent and not played, for each millisecond of play."""
    longest_lead_ms: int = 0
    """That the line's pace came to."""

    def hear(self, reply_ms: int) -> None:
        """A reply of which all is made at once, played to its end."""
        ledger = PlayoutLedger(self.line)
        ledger.add(SpeechChunk(np.zeros(reply_ms * MS, np.float32), (), clause_end=True))
        ledger.complete()
        coming: deque[tuple[int, int]] = deque()
        acks: deque[tuple[int, int, int]] = deque()
        played_ms = buffered_ms = 0
        while played_ms < reply_ms:
            while acks and acks[0][0] <= self.now_ms:
                _, played, buffered = acks.popleft()
                ledger.acknowledge(played, buffered, self.now_ms)
                self.longest_lead_ms = max(self.longest_lead_ms, self.line.pace.lead_ms)
            while (outgoing := ledger.take(self.now_ms)) is not None:
                arrives_ms = self._arrival(coming[-1][0] if coming else 0)
                coming.append((arrives_ms, samples_to_ms(len(outgoing.audio_24k), VOICE_HZ)))
            while coming and coming[0][0] <= self.now_ms:
                buffered_ms += coming.popleft()[1]
            if (played_ms or buffered_ms) and self.now_ms % ACK_EVERY_MS == 0:
                acks.append((self._arrival(acks[-1][0] if acks else 0), played_ms, buffered_ms))
            if buffered_ms:
                played_ms, buffered_ms = played_ms + 1, buffered_ms - 1
                self.leads_ms.append(samples_to_ms(ledger.sent_samples, VOICE_HZ) - played_ms)
            elif played_ms:
                self.underruns_ms.append(self.now_ms)
            self.now_ms += 1

    def _arrival(self, not_before_ms: int) -> int:
        return max(self.now_ms + self.delay_ms(self.now_ms), not_before_ms)


def jitter(seed: int, least_ms: int, spread_ms: int) -> Callable[[int], int]:
    """Each millisecond another; what is sent together arrives together."""
    return lambda now_ms: least_ms + Random(seed * 1_000_003 + now_ms).randint(0, spread_ms)


def talk_to(client: Client, replies: int, reply_ms: int = 4000) -> None:
    for number in range(replies):
        client.hear(reply_ms)
        client.now_ms += 700 + 37 * number


@pytest.mark.parametrize("seed", range(10))
def test_on_a_line_with_50_ms_of_jitter_nothing_runs_dry_once_it_is_known(seed: int) -> None:
    """Both ways, 50 ms around the mean: what takes 30 ms at best takes 130 at worst."""
    adaptive, usual = (Client(jitter(seed, 30, 100), line) for line in (Line(), Deaf()))
    for client in (adaptive, usual):
        talk_to(client, replies=6)
    known_after_ms = 1000  # four acknowledgements
    assert [at_ms for at_ms in adaptive.underruns_ms if at_ms > known_after_ms] == []
    assert len([at_ms for at_ms in usual.underruns_ms if at_ms > known_after_ms]) > 20, "the usual pace would not do"


def test_on_a_quick_line_little_is_sent_ahead() -> None:
    client = Client(jitter(1, 5, 3))
    talk_to(client, replies=2)
    assert client.line.pace == LEAST
    assert client.underruns_ms == []
    assert max(client.leads_ms[-2000:]) <= LEAST.lead_ms + 2 * 8


def test_when_a_line_becomes_quiet_the_lead_shrinks_again() -> None:
    noise, quiet = jitter(2, 30, 100), jitter(2, 30, 2)
    client = Client(lambda now_ms: (noise if now_ms < 10_000 else quiet)(now_ms))
    talk_to(client, replies=2)
    assert client.longest_lead_ms > 2 * USUAL.lead_ms
    talk_to(client, replies=10)
    assert client.line.pace.lead_ms <= USUAL.lead_ms


def test_a_line_that_stops_for_a_moment_is_given_all_the_lead_there_is_and_no_more() -> None:
    def stalled(now_ms: int) -> int:
        return 20 + (max(5000 - now_ms, 0) if now_ms > 3000 else 0)

    client = Client(stalled)
    talk_to(client, replies=1, reply_ms=3500)
    assert client.line.pace == MOST


def test_without_acknowledgements_the_pace_stays_the_usual() -> None:
    client = Client(jitter(3, 30, 200), Deaf())
    talk_to(client, replies=1)
    assert client.line.pace == Pace(40, 80)
