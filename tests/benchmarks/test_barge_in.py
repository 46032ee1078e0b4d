"""How long the agent went on, from a call's timeline."""

import pytest

from benchmarks.barge_in import BargeIn, barge_ins
from speakback.caller.timeline import AgentReply, Interval, Timeline, Turn, UserSpeech

REPLY = AgentReply(
    "r1", "a1", "I was", "cancelled", "turn_detected", 2000.0, 3250.0, 2010.0, 1100, (Interval(2010, 3220),)
)
ENDED = AgentReply("r2", "a2", "Done.", "completed", None, 2000.0, 3250.0, 2010.0, 1100, (Interval(2010, 3220),))


def call(reply: AgentReply, *first_handed_ms: float) -> Timeline:
    speech = tuple(UserSpeech(Interval(round(at), round(at) + 500), at, at + 500) for at in first_handed_ms)
    return Timeline(5000, speech, (), (Turn(reply, None, None, None, None, None),), (), (), 0, None)


def test_from_the_first_voiced_sample_to_the_last_audio() -> None:
    assert barge_ins(call(REPLY, 1000.0, 3100.0)) == [BargeIn(last_byte_ms=150.0, heard_ms=120.0)]


@pytest.mark.parametrize("timeline", [call(REPLY, 1000.0), call(REPLY, 3300.0), call(ENDED, 3100.0)])
def test_what_is_no_interruption(timeline: Timeline) -> None:
    assert barge_ins(timeline) == []
