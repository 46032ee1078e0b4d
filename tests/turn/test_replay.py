"""Recorded conversations run again: identical by the same strategy, and compared with another."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speakback.timebase import ReplyId, TurnId
from speakback.turn.actions import CommitReason, CommitTurn, HoldReply, ReportVerdict, StartReply, StopReason, StopReply
from speakback.turn.barge_in import BargeIn, Verdict
from speakback.turn.config import TurnConfig
from speakback.turn.endpointing import CalibratedEndpointing, FixedEndpointing
from speakback.turn.events import (
    EndOfTurnScored,
    Event,
    ReplyRequested,
    SpeechStarted,
    SpeechStopped,
    TurnTranscribed,
)
from speakback.turn.replay import compare, first_difference, what
from speakback.turn.strategies import STRATEGIES
from speakback.turn.trace_format import RecordedTrace, TraceError, read_trace
from tests.turn.recorder import LATE_MS, RECORDED_UNDER, Recorder, conversation


def read(text: bytes) -> RecordedTrace:
    return read_trace(text.splitlines(keepends=True), "t.jsonl")


@pytest.mark.parametrize("config", [RECORDED_UNDER, *STRATEGIES.values()])
def test_a_recorded_conversation_is_reproduced(config: TurnConfig) -> None:
    trace = read(conversation(config).ended())
    assert first_difference(trace) is None
    assert compare(trace, config).first is None


def test_the_learned_state_is_part_of_the_record() -> None:
    def recorded(*learned_pauses_ms: int) -> Recorder:
        talk = Recorder(replace(RECORDED_UNDER, endpointing=CalibratedEndpointing()), learned_pauses_ms)
        talk.at(1000, SpeechStarted(900))
        talk.at(2000, SpeechStopped(1900))
        talk.at(2010, EndOfTurnScored(TurnId(1), 1, 0.4))
        return talk

    slow, unknown = recorded(*[1900] * 30), recorded()
    assert slow.lines[-1] != unknown.lines[-1]
    assert first_difference(read(slow.ended())) is None
    mixed = b"".join((unknown.lines[0], *slow.lines[1:]))
    difference = first_difference(read(mixed))
    assert difference is not None
    assert difference.line == 4


happenings = st.tuples(
    st.sampled_from([0, 1, 40, 300, 1200, 9000, -50]), st.one_of([st.from_type(kind) for kind in get_args(Event)])
)


def about(event: Event, now_ms: int) -> Event:
    """The event with ids and times that may be meant for this conversation."""
    changes: dict[str, int] = {}
    for name in ("turn_id", "reply_id", "pause"):
        if hasattr(event, name):
            changes[name] = getattr(event, name) % 4
    for name in ("onset_ms", "end_ms"):
        if hasattr(event, name):
            changes[name] = now_ms - getattr(event, name) % 400
    return replace(event, **changes)  # type: ignore[arg-type]  # all of these fields are numbers


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(happenings, min_size=5, max_size=30), st.sampled_from([RECORDED_UNDER, *STRATEGIES.values()]))
def test_any_history_is_reproduced_whenever_its_clock_began(
    history: list[tuple[int, Event]], config: TurnConfig
) -> None:
    talk = Recorder(config)
    now_ms = 0
    for wait_ms, event in history:
        now_ms = max(now_ms + wait_ms, 0)  # a clock may go back, but not to before the session
        talk.at(now_ms, about(event, now_ms))
    trace = read(talk.ended())
    assert first_difference(trace) is None
    assert compare(trace, config).first is None


@pytest.mark.parametrize("config", STRATEGIES.values())
def test_a_first_turn_over_a_reply_that_nobody_can_hear_yet_is_reproduced(config: TurnConfig) -> None:
    """No turn has ended yet, so nothing may be counted from the end of one: the clock's zero means nothing."""
    talk = Recorder(config)
    talk.at(100, ReplyRequested())
    talk.at(900, SpeechStarted(800))
    talk.at(1500, SpeechStopped(1400))
    talk.at(1510, EndOfTurnScored(TurnId(1), 1, 0.6))
    assert first_difference(read(talk.ended())) is None


@pytest.mark.parametrize("now_ms", [1000, 2400, 2500, 2700])
def test_a_tick_that_is_early_or_late_is_reproduced(now_ms: int) -> None:
    """A timer may fire though its deadline was put off meanwhile."""
    talk = Recorder()
    talk.at(1000, SpeechStarted(900))
    talk.at(2000, SpeechStopped(1900))
    talk.tick(now_ms)
    assert first_difference(read(talk.ended())) is None


def changed_bytes(text: bytes) -> Iterator[bytes]:
    for place in range(len(text)):
        yield text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]


def is_caught(text: bytes) -> bool:
    try:
        trace = read(text)
        return trace.end is None or not trace.is_intact or first_difference(trace) is not None
    except TraceError:
        return True


def test_any_changed_byte_is_caught() -> None:
    talk = Recorder()
    talk.at(1000, SpeechStarted(900))
    talk.at(2000, SpeechStopped(1900))
    talk.at(3000, TurnTranscribed(TurnId(1), has_words=True))
    text = talk.ended()
    assert not is_caught(text)
    assert [number for number, changed in enumerate(changed_bytes(text)) if not is_caught(changed)] == []


def test_a_changed_number_of_a_trace_without_end_is_told_with_its_line() -> None:
    lines = conversation().lines
    lines[6] = lines[6].replace(b'"reply_id":1,"turn_id":1', b'"reply_id":1,"turn_id":2')
    difference = first_difference(read(b"".join(lines)))
    assert difference is not None
    assert difference.line == 7
    assert difference.expected.event == difference.got.event
    assert difference.expected.actions == (StartReply(ReplyId(1), TurnId(2)),)
    assert difference.got.actions == (StartReply(ReplyId(1), TurnId(1)),)


class TestComparison:
    def test_another_strategy_ends_the_turn_sooner(self) -> None:
        config = replace(RECORDED_UNDER, endpointing=FixedEndpointing(300))
        comparison = compare(read(conversation().ended()), config)
        assert comparison.first is not None
        assert comparison.first.now_ms == 2100  # by its own deadline, on the millisecond
        assert comparison.first.event is None
        assert comparison.first.recorded == ()
        assert comparison.first.other == (CommitTurn(TurnId(1), 1800, CommitReason.ENDPOINT),)

    def test_another_strategy_ends_the_turn_later(self) -> None:
        config = replace(RECORDED_UNDER, endpointing=FixedEndpointing(700))
        comparison = compare(read(conversation().ended()), config)
        assert comparison.first is not None
        assert comparison.first.now_ms == 2300 + LATE_MS
        assert comparison.first.recorded == (CommitTurn(TurnId(1), 1800, CommitReason.ENDPOINT),)
        assert comparison.first.other == ()

    def test_a_strategy_that_never_yields_first_differs_at_the_first_verdict(self) -> None:
        comparison = compare(read(conversation().ended()), replace(RECORDED_UNDER, barge_in=BargeIn.NEVER))
        assert comparison.first is not None
        assert comparison.first.line == 13
        assert comparison.recorded["HoldReply"] == 2
        assert comparison.other["HoldReply"] == comparison.other["StopReply"] == 0
        assert comparison.recorded["StopReply"] == 1

    def test_both_are_counted_whole(self) -> None:
        trace = read(conversation().ended())
        comparison = compare(trace, replace(RECORDED_UNDER, barge_in=BargeIn.IMMEDIATE))
        assert comparison.recorded.total() == sum(len(step.actions) for step in trace.steps)
        assert comparison.recorded["ReportVerdict interruption"] == 1
        assert comparison.other["StopReply"] >= 1

    def test_a_deadline_that_is_overdue_for_the_other_alone_does_not_turn_its_clock_back(self) -> None:
        talk = Recorder()
        talk.at(1000, SpeechStarted(900))
        talk.at(2000, SpeechStopped(1900))
        talk.at(2450, replace(RECORDED_UNDER, endpointing=FixedEndpointing(2000)), timers_fire=False)
        talk.at(3000, EndOfTurnScored(TurnId(1), 1, 0.5))
        comparison = compare(read(talk.ended()), RECORDED_UNDER)
        assert comparison.first is not None
        assert comparison.first.now_ms == 2450
        assert comparison.first.other == (CommitTurn(TurnId(1), 1900, CommitReason.ENDPOINT),)
        assert comparison.other["ReportFault"] == 0

    def test_a_configuration_of_the_client_is_passed_over(self) -> None:
        talk = Recorder()
        talk.at(1000, SpeechStarted(900))
        talk.at(2000, SpeechStopped(1900))
        talk.at(2200, replace(RECORDED_UNDER, endpointing=FixedEndpointing(250)))
        comparison = compare(read(talk.ended()), RECORDED_UNDER)
        assert comparison.first is not None
        assert comparison.first.recorded == (CommitTurn(TurnId(1), 1900, CommitReason.ENDPOINT),)
        assert comparison.first.other == ()


def test_actions_are_counted_by_name_and_verdicts_by_what_they_say() -> None:
    assert what(ReportVerdict(TurnId(1), Verdict.NOISE, 400)) == "ReportVerdict noise"
    assert what(StopReply(ReplyId(1), StopReason.FAILED, 20)) == "StopReply"
    assert re.fullmatch(r"\w+", what(StartReply(ReplyId(1), None)) + what(HoldReply(ReplyId(1))))
