"""Voice in whole tracks, by scripted scores; `tests/cli/test_evaluate.py` has the real model and real speech."""

import numpy as np
import pytest

from speakback.audio.pcm import Samples
from speakback.timebase import EAR_HZ, ms_to_samples
from speakback.vad.hysteresis import VadConfig
from speakback.vad.voiced import voiced_ms
from tests.session.scripted import QUESTION, LevelVad, silence, sound

CONFIG = VadConfig()
FRAME_MS = 32


def track(*parts: Samples) -> Samples:
    return np.concatenate(parts)


async def test_each_track_has_its_own_voice() -> None:
    user = track(silence(320), sound(QUESTION, 640), silence(640))
    agent = track(silence(960), sound(QUESTION, 320), silence(320))
    assert await voiced_ms([user, agent], LevelVad(), CONFIG) == (((320, 960),), ((960, 1280),))


async def test_a_gap_too_short_for_the_vad_is_none() -> None:
    talk = track(sound(QUESTION, 320), silence(3 * FRAME_MS), sound(QUESTION, 320), silence(320))
    assert await voiced_ms([talk], LevelVad(), CONFIG) == (((0, 736),),)
    assert await voiced_ms([talk], LevelVad(), VadConfig(min_silence_ms=96)) == (((0, 320), (416, 736)),)


async def test_voice_at_the_end_of_a_track_ends_there() -> None:
    talk = track(silence(320), sound(QUESTION, 500))
    assert await voiced_ms([talk], LevelVad(), CONFIG) == (((320, 820),),)


@pytest.mark.parametrize("ms", [0, 500])
async def test_a_track_without_voice(ms: int) -> None:
    assert await voiced_ms([np.zeros(ms_to_samples(ms, EAR_HZ), np.float32)], LevelVad(), CONFIG) == ((),)
