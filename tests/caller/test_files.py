"""Recordings in, and the two files of a call out."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speakback.caller.call_files import place_for, write_call
from speakback.caller.call_log import CallLog
from speakback.caller.errors import CallError
from speakback.caller.loudspeaker import Stretch
from speakback.caller.record import CallRecord, SentFrame, timeline_of
from speakback.caller.recording import load_recording, load_side, load_sides
from speakback.timebase import EAR_HZ, VOICE_HZ
from tests.caller.sounds import tone


@pytest.mark.parametrize(("rate_hz", "ending"), [(8000, "wav"), (44_100, "flac"), (24_000, "wav")])
def test_a_recording_at_any_rate(tmp_path: Path, rate_hz: int, ending: str) -> None:
    path = tmp_path / f"speech.{ending}"
    soundfile.write(path, np.stack([np.full(rate_hz, 0.5), np.full(rate_hz, 0.1)], axis=1), rate_hz)
    audio = load_recording(path)
    assert len(audio) == VOICE_HZ
    assert audio.dtype == np.float32
    assert np.median(audio) == pytest.approx(0.3, abs=1e-3)


def test_what_is_no_recording(tmp_path: Path) -> None:
    text, empty = tmp_path / "a.wav", tmp_path / "b.wav"
    text.write_text("hello")
    soundfile.write(empty, np.zeros(0), 8000)
    complaints = {tmp_path / "gone.wav": "no such file", tmp_path: "not a file", text: "as audio", empty: "no audio"}
    for path, complaint in complaints.items():
        with pytest.raises(CallError, match=complaint) as refused:
            load_recording(path)
        assert str(path) in str(refused.value)


def test_the_sides_of_a_call_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "call.flac"
    soundfile.write(path, np.stack([np.full(8000, 0.5), np.full(8000, 0.1)], axis=1), 8000)
    left, right = load_sides(path)
    assert len(left) == len(right) == EAR_HZ
    assert [float(np.median(side)) for side in (left, right)] == pytest.approx([0.5, 0.1], abs=1e-3)
    with pytest.raises(CallError, match="has 2 channels; a track of one side has one"):
        load_side(path)


def test_a_side_of_a_call(tmp_path: Path) -> None:
    path = tmp_path / "user.wav"
    soundfile.write(path, np.full(8000, 0.5), 8000)
    assert len(load_side(path)) == EAR_HZ
    with pytest.raises(CallError, match="has 1 channel; a call has two"):
        load_sides(path)


def test_values_that_are_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "nan.wav"
    soundfile.write(path, np.full(100, np.nan), 8000, subtype="FLOAT")
    with pytest.raises(CallError, match="no numbers"):
        load_recording(path)


def test_both_files(tmp_path: Path) -> None:
    frames = tuple(SentFrame(index * 20.0, index * 20.0 + 20, tone(20)) for index in range(10))
    record = CallRecord(frames, (), (Stretch("a", 2400, tone(50)),), CallLog(), 0.0)
    files = write_call(tmp_path / "new" / "call.v1", record, timeline_of(record))
    sides, rate_hz = soundfile.read(files.wav)
    assert (files.wav.name, files.timeline.name) == ("call.v1.wav", "call.v1.json")
    assert (rate_hz, sides.shape) == (VOICE_HZ, (4800, 2))
    assert np.abs(sides[:2400, 1]).max() == 0
    assert np.abs(sides[2400:3600, 1]).max() > 0.2
    assert json.loads(files.timeline.read_text())["duration_ms"] == 200


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    record = CallRecord((), (), (), CallLog(), 0.0)
    with pytest.raises(CallError, match="cannot be written"):
        write_call(tmp_path / "file" / "call", record, timeline_of(record))


def test_where_the_files_go(tmp_path: Path) -> None:
    assert place_for(tmp_path, "x-call") == tmp_path / "x-call"
    assert place_for(tmp_path / "y", "x-call") == tmp_path / "y"
