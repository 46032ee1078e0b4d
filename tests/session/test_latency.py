from dataclasses import fields

from speakback.session.latency import TurnLatency, TurnMarks, closed

ALL = TurnMarks(
    speech_ended_ms=1000,
    endpoint_due_ms=1300,
    committed_ms=1310,
    transcribed_ms=1350,
    reply_started_ms=1352,
    first_token_ms=1400,
    first_clause_ms=1450,
    first_audio_ms=1500,
    first_sent_ms=1507,
    playback_acknowledged_ms=1600,
)


def ledger_of(marks: TurnMarks) -> TurnLatency:
    return closed(marks, item_id="item_1", response_id="resp_1", asr_confidence=0.9, artifacts=None)


def test_every_step_is_measured_from_the_one_before() -> None:
    assert ledger_of(ALL) == TurnLatency(
        item_id="item_1",
        response_id="resp_1",
        endpointing_wait_ms=310,
        transcription_ms=40,
        first_token_ms=48,
        first_clause_ms=50,
        synthesis_ms=50,
        first_byte_ms=7,
        playback_ms=93,
        ttfb_ms=507,
        own_ms=507 - 300 - 40 - 148,
        asr_confidence=0.9,
        artifacts=None,
    )


def test_what_was_not_reached_is_not_measured() -> None:
    known = [
        field.name
        for field in fields(TurnLatency)
        if field.name.endswith("_ms") and getattr(ledger_of(TurnMarks()), field.name) is not None
    ]
    assert known == []


def test_a_mark_at_zero_is_a_mark() -> None:
    assert ledger_of(TurnMarks(speech_ended_ms=0, committed_ms=0)).endpointing_wait_ms == 0


def test_without_an_endpoint_the_servers_own_share_is_unknown() -> None:
    marks = TurnMarks(1000, None, 1310, 1350, 1352, 1400, 1450, 1500, 1507)
    assert (ledger_of(marks).ttfb_ms, ledger_of(marks).own_ms) == (507, None)


def test_another_reply_to_the_same_turn_keeps_the_turns_marks_only() -> None:
    copy = ALL.of_the_turn()
    assert copy == TurnMarks(1000, 1300, 1310, 1350)
    copy.first_token_ms = 1
    assert ALL.first_token_ms == 1400
