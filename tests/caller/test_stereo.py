"""One recording of both sides on one clock."""

import numpy as np

from speakback.caller.loudspeaker import Stretch
from speakback.caller.stereo import stereo
from tests.caller.sounds import tone


def test_user_left_and_agent_right_at_their_moments() -> None:
    sides = stereo([(0.0, tone(20)), (20.0, tone(20)), (100.0, tone(20))], [Stretch("a", 240, tone(150))])
    assert sides.shape == (240 + 3600, 2)
    assert np.array_equal(sides[480:960, 0], tone(20))
    assert not sides[960:2400, 0].any()
    assert np.array_equal(sides[2400:2880, 0], tone(20))
    assert np.array_equal(sides[240:3840, 1], tone(150))


def test_a_call_in_which_nothing_was_said() -> None:
    assert stereo([], []).shape == (0, 2)
