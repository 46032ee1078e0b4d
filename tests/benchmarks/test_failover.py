"""What a client hears, from when its messages came; and which words of it are lost or said twice."""

import numpy as np
import pytest

from benchmarks.failover import BREAKS, GAP_MS, Message, heard, longest_silence_ms, lost_and_extra, replies
from speakback.audio.pcm import Samples
from speakback.emulators.faults import Fault
from speakback.timebase import VOICE_HZ, ms_to_samples


def sound(ms: int) -> Samples:
    return np.full(ms_to_samples(ms, VOICE_HZ), 0.2, np.float32)


def test_a_message_that_comes_late_leaves_a_gap_in_what_is_heard() -> None:
    messages = [Message(1000, sound(40)), Message(1000, sound(40)), Message(1230, sound(40)), Message(1240, sound(40))]
    audio, longest_ms = heard(messages)
    assert longest_ms == 150
    assert len(audio) == ms_to_samples(310, VOICE_HZ)
    assert longest_silence_ms(audio) == 150


def test_silence_before_and_behind_the_sound_is_no_gap() -> None:
    assert longest_silence_ms(np.concatenate((0 * sound(500), sound(40), 0 * sound(500)))) == 0
    assert longest_silence_ms(0 * sound(500)) == 0
    assert heard([])[1] == 0


@pytest.mark.parametrize(
    ("understood", "found"),
    [
        ("the train leaves from here", (0, 0)),
        ("the train from here", (1, 0)),
        ("the train leaves leaves from here", (0, 1)),
        ("the train leaves from there", (0, 0)),
        ("the train train from", (1, 0)),
        ("", (5, 0)),
    ],
)
def test_words_lost_and_words_too_many(understood: str, found: tuple[int, int]) -> None:
    assert lost_and_extra(["the", "train", "leaves", "from", "here"], understood.split()) == found


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", BREAKS)
async def test_another_voice_goes_on_at_the_next_word(fault: Fault) -> None:
    over = [told for told in await replies(fault, 1) if told.went_on]
    assert over
    for told in over:
        assert told.status == "completed"
        assert told.written.split() == told.text.split()
        assert longest_silence_ms(heard(told.messages)[0]) < GAP_MS
