"""From what a caller noted to the call's timeline."""

import numpy as np
import pytest

from speakback.caller.call_log import CallLog, ReplyRecord
from speakback.caller.loudspeaker import Stretch
from speakback.caller.record import CallRecord, SentFrame, handed_ms, timeline_of
from speakback.caller.timeline import Interval, ServerLatency, Timeline
from tests.caller.sounds import join, silence, tone
from tests.caller.test_call_log import speech_started, speech_stopped, transcribed

LATENCY = ServerLatency("u1", "r1", 300, 20, 100, 90, 80, 1, None, 600, 4, 0.9, None)


def frames(count: int, slip_after: int | None = None, slip_ms: float = 0.0) -> tuple[SentFrame, ...]:
    """Frames handed over 1 ms late each; from `slip_after` on, the whole clock is `slip_ms` later."""
    slips = [slip_ms if slip_after is not None and index >= slip_after else 0.0 for index in range(count)]
    return tuple(
        SentFrame(index * 20 + slip, index * 20 + 21 + slip, np.zeros(480, np.float32))
        for index, slip in enumerate(slips)
    )


def reply(response_id: str, first_byte_ms: float, latency: ServerLatency | None = None) -> ReplyRecord:
    return ReplyRecord(
        response_id,
        item_id=f"of_{response_id}",
        text="Hello.",
        status="completed",
        first_byte_ms=first_byte_ms,
        last_byte_ms=first_byte_ms + 100,
        latency=latency,
    )


def timeline(
    spoken: list[tuple[int, int]],
    replies: list[ReplyRecord],
    stretches: tuple[Stretch, ...] = (),
    sent: tuple[SentFrame, ...] | None = None,
) -> Timeline:
    log = CallLog(replies={record.response_id: record for record in replies})
    for event in (speech_started(), speech_stopped(), transcribed("Hi.")):
        log.take(event, 0.0)
    intervals = tuple(Interval(*span) for span in spoken)
    return timeline_of(CallRecord(frames(200) if sent is None else sent, intervals, stretches, log, 0.0))


def test_latency_counts_from_the_frame_that_held_the_last_voiced_sample() -> None:
    call = timeline([(100, 1010)], [reply("r1", 1500.0, LATENCY)])
    (turn,) = call.turns
    # 1009 ms lies in frame 50, which was handed over at 1021.
    assert turn.user is not None
    assert turn.user.last_handed_ms == 1021
    assert turn.user.first_handed_ms == 121
    assert turn.ttfb_ms == 1500 - 1021
    assert turn.heard is not None
    assert turn.heard.text == "Hi."
    assert turn.server == LATENCY


def test_the_first_audible_sample_counts_for_ttfa() -> None:
    stretches = (Stretch("of_r1", 24 * 1500, silence(40)), Stretch("of_r1", 24 * 1600, join(silence(20), tone(300))))
    (turn,) = timeline([(0, 1000)], [reply("r1", 1500.0)], stretches).turns
    assert turn.reply.first_audible_ms == 1620
    assert turn.ttfa_ms == 1620 - 1001
    assert turn.reply.played_ms == 360
    assert [(span.start_ms, span.end_ms) for span in turn.reply.speech] == [(1620, 1920)]


def test_a_reply_that_was_never_played_has_no_ttfa() -> None:
    (turn,) = timeline([(0, 1000)], [reply("r1", 1500.0)]).turns
    assert turn.ttfb_ms == 499
    assert turn.ttfa_ms is None
    assert turn.reply.speech == ()


def test_a_reply_answers_the_last_speech_that_was_over() -> None:
    call = timeline([(0, 500), (900, 1500), (1600, 3000)], [reply("r1", 1700.0)])
    assert call.turns[0].user == call.user_speech[1]


def test_speech_is_answered_once() -> None:
    call = timeline([(0, 500), (2000, 2500)], [reply("r1", 1000.0), reply("r2", 1400.0), reply("r3", 3000.0)])
    assert [turn.ttfb_ms for turn in call.turns] == [1000 - 501, None, 3000 - 2501]


def test_a_reply_before_any_speech_answers_none() -> None:
    (turn,) = timeline([(2000, 2500)], [reply("r1", 1000.0)]).turns
    assert turn.user is None
    assert turn.ttfb_ms is None


def test_a_clock_that_slipped() -> None:
    call = timeline([(100, 150), (400, 500)], [], sent=frames(50, slip_after=10, slip_ms=300))
    assert [speech.spoken for speech in call.user_speech] == [Interval(100, 150), Interval(700, 800)]
    assert call.duration_ms == 50 * 20 + 300


def test_positions_beyond_what_was_sent_are_the_last_frame() -> None:
    assert handed_ms(10_000, frames(10)) == frames(10)[-1].handed_ms


def test_an_empty_call() -> None:
    empty = timeline_of(CallRecord((), (), (), CallLog(), 0.0))
    assert empty.duration_ms == 0
    assert empty.turns == ()


@pytest.mark.parametrize("key", ["duration_ms", "user_speech", "turns", "events", "errors"])
def test_the_json_has(key: str) -> None:
    assert key in timeline([], []).to_json()


def test_a_record_is_shown_in_a_few_words() -> None:
    assert len(repr(CallRecord(frames(10_000), (), (), CallLog(), 0.0))) < 100
