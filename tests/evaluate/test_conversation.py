"""Conversations from traces and from voice, and what is said of each."""

import pytest

from speakback.evaluate.conversation import NOT_KNOWN, Source, from_trace, from_voice
from speakback.evaluate.timeline import TimelineError
from speakback.evaluate.timeline_file import read_timelines
from speakback.timebase import TurnId
from speakback.turn import actions as act
from speakback.turn.actions import CommitReason
from speakback.turn.strategies import strategy
from speakback.turn.trace_format import SCHEMA, RecordedTrace, TraceEnd, TraceHeader
from tests.evaluate.build import B, ipu
from tests.evaluate.test_from_trace import step


def trace(end: TraceEnd | None) -> RecordedTrace:
    """The client ends a turn itself."""
    steps = (step(5000, None, act.CommitTurn(TurnId(1), 5000, CommitReason.CLIENT)),)
    return RecordedTrace(TraceHeader(SCHEMA, "1.2.3", 1, strategy("half-duplex"), ()), steps, end, True)


def test_a_trace_says_what_is_missing_in_it() -> None:
    (broken, unheard) = from_trace(trace(None)).remarks
    assert "breaks off" in broken
    assert "ended 1 of the user's turns itself" in unheard
    assert from_trace(trace(TraceEnd(1, 0, "the disk was full"))).remarks[0].endswith("the disk was full")
    assert from_trace(trace(TraceEnd(1, 0))).remarks == (unheard,)


def test_a_trace_brings_what_its_server_did() -> None:
    conversation = from_trace(trace(None))
    assert conversation.source is Source.TRACE
    assert conversation.service is not None
    assert not conversation.timeline.agent_pauses_known


def test_of_voice_the_backchannels_are_guessed() -> None:
    conversation = from_voice(7000, [(2000, 2300), (2400, 2450)], [(3500, 6000), (0, 3000)])
    assert conversation.timeline.user == (ipu(2000, 2450, B),)
    assert conversation.timeline.agent == (ipu(0, 3000), ipu(3500, 6000))
    assert conversation.service is None
    assert conversation.timeline.agent_pauses_known


def test_voice_outside_of_the_recording_is_refused() -> None:
    with pytest.raises(TimelineError, match="outside"):
        from_voice(1000, [(500, 1500)], [])


def test_only_a_timeline_may_know_everything() -> None:
    assert set(Source) - NOT_KNOWN.keys() == {Source.TIMELINE}
    assert next(iter(read_timelines(['{"duration_ms":10,"user":[],"agent":[]}']))).agent_pauses_known
