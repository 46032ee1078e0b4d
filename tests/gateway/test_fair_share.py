import pytest

from speakback.gateway.fair_share import LONG_S, FairShare

MESSAGE_S = 0.0001


def test_a_client_that_talks_owes_nothing() -> None:
    share = FairShare()
    for number in range(1000):
        at_s = 0.02 * number
        assert share.pause_s(at_s, at_s + MESSAGE_S) == 0


def test_one_long_message_is_paid_for_with_as_long_a_pause() -> None:
    share = FairShare()
    assert share.pause_s(1.0, 1.05) == pytest.approx(0.05)
    assert share.pause_s(1.1, 1.1 + MESSAGE_S) == 0, "and it is paid"


def test_a_flood_of_tiny_messages_gets_half_of_the_time() -> None:
    share = FairShare()
    now_s = worked_s = 0.0
    while now_s < 1.0:
        pause_s = share.pause_s(now_s, now_s + MESSAGE_S)
        assert pause_s <= LONG_S + MESSAGE_S
        worked_s += MESSAGE_S
        now_s += MESSAGE_S + pause_s
    assert worked_s == pytest.approx(0.5, abs=0.01)
