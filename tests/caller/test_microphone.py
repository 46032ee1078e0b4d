"""The microphone: whole frames for ever, speech where it was asked for, noise elsewhere."""

import numpy as np
import pytest

from speakback.caller.microphone import FRAME_SAMPLES, Microphone, room_noise
from speakback.caller.timeline import Interval
from tests.caller.sounds import join, silence, tone


def test_a_room_is_faint_but_not_silent() -> None:
    noise = room_noise()
    level_dbfs = 10 * np.log10(np.mean(noise.astype(np.float64) ** 2))
    assert level_dbfs == pytest.approx(-70, abs=0.5)
    assert np.array_equal(noise, room_noise())


def test_the_background_goes_on_for_ever() -> None:
    background = np.arange(FRAME_SAMPLES * 5 // 2, dtype=np.float32)
    microphone = Microphone(background)
    frames = [microphone.next_frame() for _ in range(5)]
    assert all(len(frame) == FRAME_SAMPLES for frame in frames)
    assert [frame[0] for frame in frames] == [0, FRAME_SAMPLES, 0, FRAME_SAMPLES, 0]
    assert microphone.position_ms == 100


def test_a_background_shorter_than_a_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 480"):
        Microphone(np.zeros(FRAME_SAMPLES - 1, np.float32))


def test_what_is_said_goes_out_whole_and_at_its_place() -> None:
    microphone = Microphone(silence(20))
    for _ in range(5):
        microphone.next_frame()
    speech = tone(250)
    microphone.say(join(silence(100), speech))
    assert microphone.spoken == [Interval(200, 450)]
    frames = [microphone.next_frame() for _ in range(18)]
    assert np.array_equal(np.concatenate(frames)[: len(speech) + 2400], join(silence(100), speech))
    assert {len(frame) for frame in frames} == {FRAME_SAMPLES}
    assert microphone.position_ms == 460


def test_what_is_said_while_talking_follows() -> None:
    microphone = Microphone(silence(20))
    microphone.say(tone(100))
    microphone.next_frame()
    microphone.say(join(silence(300), tone(100)))
    assert microphone.spoken == [Interval(0, 100), Interval(400, 500)]


def test_talking_ends_with_the_last_frame() -> None:
    microphone = Microphone(silence(20))
    microphone.say(tone(30))
    talking = []
    for _ in range(3):
        microphone.next_frame()
        talking.append(microphone.is_talking)
    assert talking == [True, False, False]
