"""The lines of a trace: what they hide, and what is said of a file that is damaged."""

import json
import re
from dataclasses import fields
from typing import get_args

import pytest

from speakback.timebase import ReplyId, TurnId
from speakback.turn.actions import Action, FaultCode, OpenTurn, ReportFault, StopReason, StopReply
from speakback.turn.events import Event, ReplyCancelled, SpeechStarted
from speakback.turn.trace_format import CLOCK_FIELDS, RecordedTrace, Step, TraceError, anonymous, read_trace
from tests.turn.recorder import START_MS, conversation

DURATION_FIELDS = {"silence_ms", "after_ms", "fade_ms"}


def read(text: bytes) -> RecordedTrace:
    return read_trace(text.splitlines(keepends=True), "t.jsonl")


def test_every_time_is_known_for_a_time_of_the_clock_or_a_duration() -> None:
    """A new field must be put into one of the two: a time of the clock would else be recorded as it is."""
    kinds: tuple[type, ...] = (*get_args(Event), *get_args(Action), Step)
    times = {field.name for kind in kinds for field in fields(kind) if field.name.endswith("_ms")}
    assert times == CLOCK_FIELDS | DURATION_FIELDS
    assert not CLOCK_FIELDS & DURATION_FIELDS


def test_times_count_from_the_sessions_start_and_durations_do_not() -> None:
    actions = (OpenTurn(TurnId(1), 10_050), StopReply(ReplyId(1), StopReason.USER_SPOKE, fade_ms=20))
    step = anonymous(Step(10_100, SpeechStarted(10_050), actions, 10_700), 10_000)
    expected = (OpenTurn(TurnId(1), 50), StopReply(ReplyId(1), StopReason.USER_SPOKE, fade_ms=20))
    assert step == Step(100, SpeechStarted(50), expected, 700)
    assert anonymous(Step(10_100, None, (), None), 10_000) == Step(100, None, (), None)


def test_a_clients_request_id_is_not_recorded() -> None:
    fault = ReportFault(FaultCode.NO_REPLY_ACTIVE, "there is no reply to cancel", "my dog's name")
    step = anonymous(Step(0, ReplyCancelled("my dog's name"), (fault,), None), 0)
    assert "dog" not in repr(step)
    assert step.event == ReplyCancelled("request")
    assert anonymous(Step(0, ReplyCancelled(""), (), None), 0).event == ReplyCancelled("")


STEPS = len(conversation().ended().splitlines()) - 2
"""Lines between the header and the end."""


def test_a_trace_holds_neither_the_clock_nor_a_clients_words() -> None:
    text = conversation().ended()
    assert b"own id" not in text
    shown = {int(number) for number in re.findall(rb'_ms":(\d+)', text)}
    assert max(shown) < START_MS


def test_a_whole_trace_is_read() -> None:
    trace = read(conversation().ended())
    assert (trace.header.trace, trace.header.speakback) == (7, "1.2.3")
    assert trace.is_intact
    assert trace.end is not None
    assert trace.end.steps == len(trace.steps) == STEPS


def test_a_trace_that_breaks_off_is_read_as_far_as_its_last_whole_line() -> None:
    whole = conversation().ended().splitlines(keepends=True)
    for broken in (whole[:-1], [*whole[:-1], whole[-1][:-1]], [*whole[:-2], whole[-2][:20]]):
        trace = read(b"".join(broken))
        assert trace.end is None
        assert trace.is_intact
        assert STEPS - 1 <= len(trace.steps) <= STEPS


def changed(line: int, old: bytes, new: bytes) -> bytes:
    lines = conversation().ended().splitlines(keepends=True)
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    return b"".join(lines)


DAMAGED = {
    "t.jsonl is empty": b"",
    "line 1: this is not JSON as a trace has it .*damaged from here on": b"\x00\xff\n",
    "line 1: this is no trace of Speakback": b'{"duration_ms":60000}\n',
    "line 1: this is no trace of .* TraceHeader": b"[1]\n",
    "schema 99, and this version reads 1; replay it with Speakback '1.2.3'": changed(1, b'"schema":1', b'"schema":99'),
    r"line 1: the line.strategy.endpointing must have one of these types": changed(1, b"FixedEnd", b"OtherEnd"),
    r"line 1: the line.strategy, a TurnConfig, has no field 'max_turns_ms'": changed(
        1, b"max_turn_ms", b"max_turns_ms"
    ),
    r"line 2: the line.event.onset_ms must be a whole number, not '9'.*version that line 1": changed(2, b"900", b'"9"'),
    r"line 2: the line.actions\[0\] must have one of these types: OpenTurn": changed(2, b"OpenTurn", b"OpenTurd"),
    "line 3: the line must have one of these types: Step, TraceEnd": changed(3, b"Step", b"Stop"),
    "line 4: this is not JSON": changed(4, b",", b";"),
    "line 5: this is not JSON .*Expecting value": changed(5, b'{"type":"Step"', b"\n"),
    "line 6: this is not JSON .*twice in one object": changed(6, b'"now_ms"', b'"now_ms":1,"now_ms"'),
    "line 7: this is not JSON .*NaN is no number": changed(7, b"2600", b"NaN"),
    "line 8: this is not JSON": changed(8, b"2650", b"9" * 5000),
    f"line {STEPS + 3}: nothing may follow the end of a trace": conversation().ended() + b"{}\n",
}


@pytest.mark.parametrize("message", DAMAGED)
def test_a_damaged_trace_is_refused_with_its_file_line_and_what_to_do(message: str) -> None:
    with pytest.raises(TraceError, match=message) as caught:
        read(DAMAGED[message])
    assert str(caught.value).startswith("t.jsonl")


def test_deeply_nested_nonsense_is_refused() -> None:
    with pytest.raises(TraceError, match="line 1: this is not JSON"):
        read(b"[" * 100_000 + b"\n")


@pytest.mark.parametrize(("old", "new"), [(b'"steps":', b'"steps":1'), (b'"crc32":', b'"crc32":1')])
def test_an_end_that_does_not_fit_is_noticed(old: bytes, new: bytes) -> None:
    assert not read(changed(STEPS + 2, old, new)).is_intact


def test_a_line_taken_out_is_noticed() -> None:
    lines = conversation().ended().splitlines(keepends=True)
    del lines[4]
    assert not read(b"".join(lines)).is_intact


def test_each_line_is_plain_ascii_json() -> None:
    for line in conversation().ended().splitlines():
        assert isinstance(json.loads(line.decode("ascii")), dict)
