import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from speakback.audio.gain import RampedGain
from speakback.audio.pcm import Samples

RAMP = 100
LARGEST_STEP = np.pi / 2 / RAMP
"""Of a raised cosine from 0 to 1."""


def ones(n: int) -> Samples:
    return np.ones(n, np.float32)


def test_at_full_level_sound_is_as_made() -> None:
    sound = np.linspace(-1, 1, 50, dtype=np.float32)
    assert np.array_equal(RampedGain().apply(sound), sound)


def test_a_ramp_goes_through_messages_and_ends_at_its_target() -> None:
    gain = RampedGain()
    gain.ramp_to(0.25, RAMP)
    gains = np.concatenate([gain.apply(ones(n)) for n in (30, 30, 30, 30)])
    assert np.all(np.diff(gains[:RAMP]) < 0)
    assert np.all(gains[RAMP:] == 0.25)
    assert gain.level == 0.25


def test_a_ramp_that_is_called_back_begins_where_it_was() -> None:
    gain = RampedGain()
    gain.ramp_to(0.25, RAMP)
    before = gain.apply(ones(40))
    gain.ramp_to(1.0, RAMP)
    after = gain.apply(ones(150))
    assert abs(float(after[0] - before[-1])) < LARGEST_STEP
    assert before[-1] <= after[0] < after[RAMP // 2] < after[-1] == 1.0


def test_a_sound_that_begins_rises_from_silence() -> None:
    gain = RampedGain()
    gain.ramp_to(0.25, RAMP)
    gain.begin_silent(RAMP)
    gains = gain.apply(ones(150))
    assert 0 < gains[0] < LARGEST_STEP
    assert np.all(gains[RAMP:] == 1.0)


@given(st.lists(st.tuples(st.sampled_from((0.0, 0.25, 1.0, None)), st.integers(0, 250)), max_size=12))
def test_the_level_never_steps(plan: list[tuple[float | None, int]]) -> None:
    gain, gains = RampedGain(), [ones(1)]
    for target, samples in plan:
        if target is not None:
            gain.ramp_to(target, RAMP)
        gains.append(gain.apply(ones(samples)))
    assert np.max(np.abs(np.diff(np.concatenate(gains))), initial=0) <= LARGEST_STEP
