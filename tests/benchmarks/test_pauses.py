import numpy as np
import pytest

from benchmarks.pauses import MEETING, READ, Clip, Pause, Run, Voiced, is_whole, pauses_of, runs_of
from speakback.timebase import EAR_HZ

SILENCE = np.zeros(0, np.float32)


def voiced(start_s: float, stop_s: float) -> Voiced:
    return Voiced(int(start_s * EAR_HZ), int(stop_s * EAR_HZ))


def meeting(*runs: Run) -> Clip:
    return Clip("meeting", MEETING, SILENCE, runs)


def over(clip: Clip, *stretches: Voiced) -> list[bool | None]:
    return [pause.over for pause in pauses_of(clip, list(stretches))]


def test_rttm_lines_are_runs_in_order_of_their_starts() -> None:
    rttm = "SPEAKER a 1 2.50 1.00 <NA> <NA> spk2 <NA> <NA>\nLEXEME x\nSPEAKER a 1 0.25 0.50 <NA> <NA> spk1 <NA> <NA>\n"
    assert runs_of(rttm) == (Run("spk1", 0.25, 0.75), Run("spk2", 2.5, 3.5))


@pytest.mark.parametrize("text", ["It ends.", "Does it?", "so it does without marks"])
def test_a_whole_sentence_is_whole(text: str) -> None:
    assert is_whole(text)


@pytest.mark.parametrize("text", ["For although the Chinese", "and so,", "the first, the second"])
def test_a_part_of_a_sentence_is_not(text: str) -> None:
    assert not is_whole(text)


@pytest.mark.parametrize("whole", [True, False])
def test_a_readers_pauses_are_within_the_turn_and_the_last_is_its_end_if_the_text_ends(whole: bool) -> None:
    clip = Clip("read", READ, SILENCE, whole=whole)
    assert pauses_of(clip, [voiced(0, 1), voiced(1.5, 3)]) == [
        Pause(voiced(0, 1), False, 500),
        Pause(voiced(1.5, 3), whole, None),
    ]


def test_no_voice_is_no_pause() -> None:
    assert pauses_of(meeting(Run("a", 0, 1)), []) == []


def test_in_a_meeting_the_turn_is_over_where_another_speaks_next() -> None:
    clip = meeting(Run("a", 0, 2), Run("a", 2.5, 4), Run("b", 4.5, 6))
    assert over(clip, voiced(0, 2), voiced(2.5, 4), voiced(4.5, 6)) == [False, True, None]


def test_a_pause_within_one_run_of_words_is_none_of_another() -> None:
    clip = meeting(Run("a", 0, 6), Run("b", 2.1, 2.3))
    assert over(clip, voiced(0, 2), voiced(2.5, 6)) == [False, None]


def test_who_speaks_by_the_way_does_not_hold_the_floor() -> None:
    clip = meeting(Run("a", 0, 2.6), Run("b", 2.5, 5))
    assert over(clip, voiced(0, 2), voiced(2.5, 5)) == [True, None]


@pytest.mark.parametrize("runs", [(Run("a", 9, 10),), (Run("a", 0, 2),), (Run("a", 2.5, 4),)])
def test_where_the_reference_knows_nobody_nothing_is_said(runs: tuple[Run, ...]) -> None:
    assert over(meeting(*runs), voiced(1, 2), voiced(2.7, 4)) == [None, None]


def test_a_lapse_is_nobodys_pause() -> None:
    clip = meeting(Run("a", 0, 2), Run("a", 5, 6))
    assert over(clip, voiced(0, 2), voiced(5, 6)) == [None, None]
