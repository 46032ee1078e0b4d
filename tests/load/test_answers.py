"""What became of each line."""

from dataclasses import replace

from speakback.caller.timeline import ServerLatency
from speakback.load.answers import overlaps, turns
from speakback.load.plan import Kind
from speakback.load.record import CallerRecord, HeardReply, Spoken

LATENCY = ServerLatency(
    item_id="item_1",
    response_id="resp_1",
    endpointing_wait_ms=300,
    transcription_ms=50,
    first_token_ms=50,
    first_clause_ms=25,
    synthesis_ms=50,
    first_byte_ms=1,
    playback_ms=None,
    ttfb_ms=480,
    own_ms=5,
    asr_confidence=None,
    artifacts=None,
)


def question(first_ms: float, last_ms: float, kind: Kind = Kind.QUESTION) -> Spoken:
    return Spoken(kind, first_ms, last_ms)


def reply(
    first_ms: float, last_ms: float, *, status: str = "completed", latency: ServerLatency | None = None
) -> HeardReply:
    return HeardReply(f"resp_{first_ms}", "item_a", first_ms, last_ms, last_ms + 80, status, latency=latency)


def test_a_turn_and_its_delays() -> None:
    record = CallerRecord(
        spoken=[question(1000, 2000)], replies=[reply(2490, 9000, latency=LATENCY)], voice_ended_ms={"item_1": 2003.0}
    )
    (turn,) = turns(record)
    assert (turn.ttfb_ms, turn.wait_ms, turn.was_early) == (490, 300, False)
    assert turn.overhead_ms == 2490 - 2003 - 480 + 5


def test_no_overhead_where_a_part_of_it_is_not_known() -> None:
    for latency in (None, LATENCY, replace(LATENCY, own_ms=None), replace(LATENCY, item_id=None)):
        (turn,) = turns(CallerRecord(spoken=[question(1000, 2000)], replies=[reply(2490, 9000, latency=latency)]))
        assert turn.overhead_ms is None


def test_a_turn_without_an_answer() -> None:
    early = CallerRecord(spoken=[question(1000, 2000)], replies=[reply(500, 900)])
    (turn,) = turns(early)
    assert (turn.answer, turn.was_early, turn.ttfb_ms) == (None, False, None)


def test_an_answer_that_comes_while_the_next_line_is_said_is_late_but_an_answer() -> None:
    record = CallerRecord(
        spoken=[question(1000, 2000), question(8000, 9000)],
        replies=[reply(8500, 8600, latency=replace(LATENCY, ttfb_ms=6500)), reply(9500, 9900)],
    )
    first, second = turns(record)
    assert (first.ttfb_ms, second.ttfb_ms) == (6500, 500)
    assert not second.was_early


def test_a_reply_that_begins_before_the_question_is_over_came_too_early() -> None:
    record = CallerRecord(
        spoken=[question(1000, 3000)],
        replies=[reply(1900, 2500, status="cancelled", latency=replace(LATENCY, ttfb_ms=400)), reply(3400, 9000)],
    )
    (turn,) = turns(record)
    assert (turn.was_early, turn.ttfb_ms) == (True, 400)


def test_what_is_still_being_said_and_backchannels_want_no_answer() -> None:
    record = CallerRecord(spoken=[question(1000, 1400, Kind.BACKCHANNEL), Spoken(Kind.QUESTION, 2000)])
    assert turns(record) == []


def test_a_barge_in_and_when_the_agent_broke_off() -> None:
    record = CallerRecord(
        spoken=[question(1000, 2000), question(5000, 6000, Kind.CUT_IN)],
        replies=[reply(2400, 5350, status="cancelled"), reply(6500, 9000)],
    )
    (over,) = overlaps(record)
    assert (over.yielded, over.last_byte_after_ms, over.met_its_end) == (True, 350, False)


def test_an_agent_that_talks_on_and_one_that_was_at_its_end() -> None:
    said = [question(5000, 6000, Kind.CUT_IN)]
    (on,) = overlaps(CallerRecord(spoken=said, replies=[reply(2400, 12_000)]))
    assert (on.yielded, on.met_its_end) == (False, False)
    (end,) = overlaps(CallerRecord(spoken=said, replies=[reply(2400, 5300)]))
    assert (end.yielded, end.met_its_end) == (False, True)


def test_what_is_said_to_a_silent_agent_is_no_overlap() -> None:
    assert (
        overlaps(CallerRecord(spoken=[question(1000, 2000), question(6000, 7000)], replies=[reply(2400, 5000)])) == []
    )
