"""The way between the server's TTFB and the caller's."""

from dataclasses import replace

import pytest

from benchmarks.transport import own_share_ms, transport_ms
from speakback.caller.call_log import CallLog
from speakback.caller.record import CallRecord
from speakback.caller.timeline import AgentReply, ServerLatency, Turn, UserTurn
from tests.caller.test_record import frames

# The VAD hears the end at 960 ms and is sure when the frame ending at 1088 ms is whole. With the resampler's 3 ms
# that sample lies in packet 54 (1080 to 1100 ms), handed over at 1101 ms: so the server dates the end at about 973 ms.
HEARD = UserTurn("u1", 100, 960, "Hi.")
REPLY = AgentReply("r1", "a1", "Hello.", "completed", None, 1577.0, 2500.0, 1600.0, 900, ())
LEDGER = ServerLatency("u1", "r1", 300, 20, 100, 90, 80, 1, None, 600, 5, 0.9, None)
TURN = Turn(REPLY, HEARD, None, None, None, LEDGER)
RECORD = CallRecord(frames(200), (), (), CallLog(), 0.0)


def test_what_the_way_took() -> None:
    assert transport_ms(TURN, RECORD) == pytest.approx(1577 - (1101 - 128) - 600)
    assert own_share_ms(TURN, RECORD) == pytest.approx(4 + 5)


def test_a_frame_that_ends_with_a_packet_but_for_the_resamplers_lag() -> None:
    # 1152 + 128 = 1280, where packet 63 ends; with the lag 1283, within packet 64, handed over at 1301.
    turn = replace(TURN, heard=replace(HEARD, end_audio_ms=1152))
    assert transport_ms(turn, RECORD) == pytest.approx(1577 - (1301 - 128) - 600)


@pytest.mark.parametrize(
    "turn",
    [
        replace(TURN, heard=None),
        replace(TURN, heard=replace(HEARD, end_audio_ms=None)),
        replace(TURN, server=None),
        replace(TURN, server=replace(LEDGER, ttfb_ms=None, own_ms=None)),
        replace(TURN, reply=replace(REPLY, first_byte_ms=None)),
    ],
)
def test_what_was_not_measured_is_none(turn: Turn) -> None:
    assert transport_ms(turn, RECORD) is None
    assert own_share_ms(turn, RECORD) is None
