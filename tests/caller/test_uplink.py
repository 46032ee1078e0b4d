"""caller/uplink.py: frames on their way."""

import numpy as np

from speakback.caller.uplink import Uplink
from tests.caller.sounds import silence


def uplink(frames: int, sent: int) -> Uplink:
    """Frame k begins at 20 k ms, and was handed over 25 ms later."""
    made = Uplink()
    for number in range(frames):
        made.record(number * 20.0, silence(20) + number)
    for number in range(sent):
        made.sent(number * 20.0 + 25.0)
    return made


def all_that_wait(made: Uplink) -> list[int]:
    numbers = []
    while made.has_waiting:
        numbers.append(int(made.next_frame()[0]))
        made.sent(1000.0)
    return numbers


def test_what_was_recorded_waits_until_it_is_sent() -> None:
    made = uplink(frames=5, sent=3)
    assert made.handed_ms == 60
    assert all_that_wait(made) == [3, 4]


def test_what_was_not_heard_waits_again() -> None:
    made = uplink(frames=5, sent=5)
    made.go_back(heard_ms=60)
    assert all_that_wait(made) == [3, 4]


def test_what_a_filter_holds_back_was_heard() -> None:
    made = uplink(frames=5, sent=5)
    made.go_back(heard_ms=77)
    assert all_that_wait(made) == [4]


def test_a_server_cannot_have_heard_what_was_not_sent() -> None:
    made = uplink(frames=5, sent=3)
    made.go_back(heard_ms=500)
    assert all_that_wait(made) == [3, 4]


def test_the_first_time_counts_as_handed_over() -> None:
    made = uplink(frames=3, sent=2)
    made.go_back(heard_ms=0)
    assert len(made.frames()) == 2
    all_that_wait(made)
    frames = made.frames()
    assert [frame.handed_ms for frame in frames] == [25.0, 45.0, 1000.0]
    assert [frame.spoken_ms for frame in frames] == [0.0, 20.0, 40.0]
    assert [float(frame.audio_24k[0]) for frame in frames] == [0.0, 1.0, 2.0]
    assert np.all(frames[1].audio_24k == 1.0)
