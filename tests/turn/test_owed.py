"""turn/core.py: whether somebody waits for something."""

from speakback.timebase import ReplyId, TurnId
from speakback.turn import events as ev
from speakback.turn.barge_in import BargeIn
from speakback.turn.config import TurnConfig
from speakback.turn.core import TurnCore
from speakback.turn.endpointing import FixedEndpointing

PLAIN = TurnConfig(endpointing=FixedEndpointing(500), barge_in=BargeIn.IMMEDIATE)


def test_nothing_is_owed_before_anything_was_said() -> None:
    assert not TurnCore(PLAIN).is_owed


def test_a_turn_is_owed_its_transcript_and_then_a_reply() -> None:
    core = TurnCore(PLAIN)
    core.handle(ev.InputCommitted(has_audio=True, request_id=""), 0)
    assert core.is_owed
    core.handle(ev.TurnTranscribed(TurnId(1), has_words=True), 100)
    assert not core.is_owed, "the reply has begun"


def test_a_client_owes_the_result_of_a_tool_that_was_called() -> None:
    core = TurnCore(PLAIN)
    core.handle(ev.ReplyRequested(), 0)
    core.handle(ev.ReplyFinished(ReplyId(1), called_tool=True), 100)
    assert core.is_owed
    core.handle(ev.ReplyRequested(), 200)
    assert not core.is_owed
