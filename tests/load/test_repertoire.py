"""Lines cut into frames."""

import numpy as np
import pytest

from speakback.caller.errors import CallError
from speakback.load.repertoire import EDGE_FRAMES, PEAK, frames_of, line_of, repertoire
from speakback.providers.adapters.hibari import Hibari
from tests.load.sounds import tone

FRAME_BYTES = 960


def test_a_line_is_cut_to_its_voice() -> None:
    line = line_of(tone(200, silence_ms=500), PEAK)
    assert (line.first_voiced, line.last_voiced) == (EDGE_FRAMES, EDGE_FRAMES + 9)
    assert len(line.frames) == 10 + 2 * EDGE_FRAMES
    assert {len(frame) for frame in line.frames} == {FRAME_BYTES}


def test_a_line_has_its_level() -> None:
    pcm16 = np.frombuffer(b"".join(line_of(tone(200), PEAK).frames), "<i2")
    assert np.abs(pcm16).max() == pytest.approx(PEAK * 32768, abs=2)


def test_silence_is_no_line() -> None:
    with pytest.raises(CallError, match="nothing is said"):
        line_of(np.zeros(24_000, np.float32), PEAK)


def test_the_last_frame_is_filled_up() -> None:
    assert [len(frame) for frame in frames_of(np.zeros(481, np.float32))] == [FRAME_BYTES, FRAME_BYTES]


async def test_lines_in_the_local_voice_and_from_recordings() -> None:
    voice = Hibari()
    try:
        spoken = await repertoire(voice)
        recorded = await repertoire(voice, [np.concatenate((tone(900, silence_ms=800), tone(700, silence_ms=800)))])
        with pytest.raises(CallError, match="nothing is said in the recordings"):
            await repertoire(voice, [np.zeros(48_000, np.float32)])
    finally:
        await voice.aclose()
    assert all(line.duration_ms > 1000 for line in (*spoken.questions, *spoken.cut_ins))
    assert all(line.duration_ms < 1000 for line in spoken.backchannels)
    assert [line.duration_ms for line in recorded.questions] == pytest.approx([1020, 820], abs=20)
    assert recorded.backchannels == spoken.backchannels
