"""gateway/realtime/pings.py and how the codec uses it."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from speakback.gateway.realtime.codec import Message, RealtimeCodec
from speakback.gateway.realtime.pings import MEASURES_FOR_S, SOONEST_S, Pings
from speakback.gateway.realtime.refusal import Refusal
from speakback.gateway.realtime.session_view import first_view
from tests.gateway.scripted import OFFER, ScriptedConversation, codec_for, error_of, events


@dataclass
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


def ping(codec: RealtimeCodec, sent_ms: object = 12.5) -> list[Message]:
    return codec.receive_text(json.dumps({"type": "speakback.ping", "event_id": "e1", "sent_ms": sent_ms}).encode())


def opt_in(codec: RealtimeCodec) -> None:
    codec.receive_text(b'{"type": "session.update", "session": {"speakback": {}}}')


def test_a_ping_is_answered_with_both_clocks_and_the_lag() -> None:
    pong = Pings(lambda: 3.14159, Clock()).answer(1234.5, 640)
    assert pong == {"type": "speakback.pong", "sent_ms": 1234.5, "audio_ms": 640, "loop_lag_ms": 3.1}


def test_a_lag_that_nobody_measures_is_null_and_not_zero() -> None:
    assert Pings(lambda: None, Clock()).answer(0, 0)["loop_lag_ms"] is None
    assert Pings(lambda: 0.0, Clock()).answer(0, 0)["loop_lag_ms"] == 0


def test_pings_that_come_too_often_are_refused_and_do_not_put_off_the_next() -> None:
    clock = Clock()
    pings = Pings(lambda: None, clock)
    pings.answer(0, 0)
    clock.now_s += SOONEST_S / 2
    with pytest.raises(Refusal) as refused:
        pings.answer(0, 0)
    assert refused.value.code == "too_many_pings"
    clock.now_s += SOONEST_S / 2
    assert pings.answer(7, 0)["sent_ms"] == 7


def test_a_client_measures_its_line_for_a_while_after_a_ping() -> None:
    clock = Clock()
    pings = Pings(lambda: None, clock)
    measuring = [pings.is_measuring]
    pings.answer(0, 0)
    for passed_s in (0.0, MEASURES_FOR_S, 0.1):
        clock.now_s += passed_s
        measuring.append(pings.is_measuring)
    assert measuring == [False, True, True, False]


async def test_a_pong_holds_the_media_time_of_now() -> None:
    conversation = ScriptedConversation()
    codec = RealtimeCodec(
        conversation, first_view(OFFER), session_id="sess_1", correlation_id="corr-1", loop_lag_ms=lambda: 2.0
    )
    opt_in(codec)
    conversation.append_audio(np.zeros(16_000, np.float32))
    (pong,) = events(ping(codec))
    assert pong == {
        "event_id": pong["event_id"],
        "type": "speakback.pong",
        "sent_ms": 12.5,
        "audio_ms": 1000,
        "loop_lag_ms": 2.0,
        "correlation_id": "corr-1",
    }
    assert codec.is_measured
    assert error_of(ping(codec))["event_id"] == "e1"


async def test_a_client_that_did_not_opt_in_is_not_answered() -> None:
    codec = codec_for(ScriptedConversation())
    assert error_of(ping(codec))["code"] == "not_opted_in"
    assert not codec.is_measured
    opt_in(codec)
    (pong,) = events(ping(codec))
    assert pong["loop_lag_ms"] is None


@pytest.mark.parametrize("sent_ms", ["now", None, True, 1e300, -1e300, [1]])
async def test_a_time_that_is_none_is_refused_by_name(sent_ms: object) -> None:
    codec = codec_for(ScriptedConversation())
    opt_in(codec)
    assert error_of(ping(codec, sent_ms))["param"] == "sent_ms"
