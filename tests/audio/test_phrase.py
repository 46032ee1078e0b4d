import numpy as np
import pytest

from speakback.audio.phrase import (
    BREAK_MS,
    LEAD_MS,
    TAIL_MS,
    audible_stretch,
    break_before_ms,
    with_soft_edges,
)


def test_the_silence_around_a_sound_is_cut_to_lead_and_tail() -> None:
    sound = np.concatenate((np.zeros(7_200), np.full(2_400, 0.1), np.zeros(4_800))).astype(np.float32)
    assert audible_stretch(sound, 24_000) == (7_200 - LEAD_MS * 24, 9_600 + TAIL_MS * 24)


def test_lead_and_tail_stay_within_the_audio() -> None:
    assert audible_stretch(np.full(1_003, 0.1, np.float32), 24_000) == (0, 1_003)


@pytest.mark.parametrize("level", [0.0, 0.001])
def test_what_nobody_hears_has_no_stretch(level: float) -> None:
    assert audible_stretch(np.full(1_000, level, np.float32), 24_000) is None
    assert audible_stretch(np.zeros(0, np.float32), 24_000) is None


def test_soft_edges_take_five_milliseconds_each() -> None:
    soft = with_soft_edges(np.ones(1_000, np.float32))
    assert soft[0] < 0.001
    assert soft[-1] < 0.001
    assert (soft[120:-120] == 1).all()


def test_a_sentence_breaks_longer_than_a_comma_and_running_text_not_at_all() -> None:
    assert break_before_ms(".") == BREAK_MS["."] - LEAD_MS - TAIL_MS
    assert break_before_ms(".") > break_before_ms(",") > break_before_ms("") == 0
