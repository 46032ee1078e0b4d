"""What the callers can say, cut into frames beforehand, so that a caller only hands bytes over while it is timed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from speakback.audio.pcm import Samples, pcm16_from_samples
from speakback.caller.errors import CallError
from speakback.caller.microphone import FRAME_SAMPLES, room_noise
from speakback.caller.pacing import FRAME_MS
from speakback.caller.recording import load_recording
from speakback.caller.script import ScriptLine, spoken
from speakback.caller.speech_intervals import find_speech, utterances
from speakback.load.lines import BACKCHANNELS, CUT_INS, QUESTIONS
from speakback.providers.tts import TextToSpeech

PEAK = 0.5
"""All lines are said at one level, whatever the recordings' own."""
BACKCHANNEL_PEAK = 0.12
"""People say them softly."""
EDGE_FRAMES = 3
"""Kept around the voice of a line."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something that is said: frames of 20 ms of PCM16 at 24 kHz."""

    frames: tuple[bytes, ...] = field(repr=False)
    first_voiced: int
    """The frame that holds the first voiced sample."""
    last_voiced: int

    @property
    def duration_ms(self) -> int:
        return len(self.frames) * FRAME_MS


@dataclass(frozen=True, slots=True)
class Repertoire:
    """All that the callers share."""

    questions: tuple[Line, ...]
    cut_ins: tuple[Line, ...]
    backchannels: tuple[Line, ...]
    room: tuple[bytes, ...] = field(repr=False)
    """What is heard of a caller that says nothing, frame by frame, over and over."""


async def repertoire(voice: TextToSpeech, recordings: Sequence[Samples] = ()) -> Repertoire:
    """Questions and cut-ins cut out of `recordings` (24 kHz), or said by `voice`, as the backchannels are.

    Takes seconds and much of a core, so it is made before anything is timed. Raises `CallError`, `ProviderError`.
    """
    backchannels = await _said(voice, BACKCHANNELS, BACKCHANNEL_PEAK)
    room = room_frames()
    if recordings:
        recorded = tuple(line_of(part, PEAK) for audio in recordings for part in utterances(audio))
        if not recorded:
            raise CallError("nothing is said in the recordings that were given.")
        return Repertoire(recorded, recorded, backchannels, room)
    return Repertoire(await _said(voice, QUESTIONS, PEAK), await _said(voice, CUT_INS, PEAK), backchannels, room)


def recordings(paths: Sequence[Path]) -> list[Samples]:
    """The files' audio at 24 kHz. Blocks. Raises `CallError`."""
    return [load_recording(path) for path in paths]


def line_of(audio_24k: Samples, peak: float) -> Line:
    """The voiced part of `audio_24k`, at that level. Raises `CallError` where nothing is said."""
    stretches = find_speech(audio_24k)
    if not stretches:
        raise CallError("nothing is said in a line that the callers should say.")
    first_voiced = stretches[0].start_ms // FRAME_MS
    last_voiced = (stretches[-1].end_ms - 1) // FRAME_MS
    begin = max(first_voiced - EDGE_FRAMES, 0)
    kept = audio_24k[begin * FRAME_SAMPLES : (last_voiced + 1 + EDGE_FRAMES) * FRAME_SAMPLES]
    levelled = kept * np.float32(peak / np.abs(kept).max())
    return Line(frames_of(levelled), first_voiced - begin, last_voiced - begin)


def room_frames() -> tuple[bytes, ...]:
    """The noise of a quiet room."""
    return frames_of(room_noise())


def frames_of(audio_24k: Samples) -> tuple[bytes, ...]:
    """Frames of PCM16; the last is filled up with silence."""
    whole = np.concatenate((audio_24k, np.zeros(-len(audio_24k) % FRAME_SAMPLES, np.float32)))
    return tuple(
        pcm16_from_samples(whole[start : start + FRAME_SAMPLES]) for start in range(0, len(whole), FRAME_SAMPLES)
    )


async def _said(voice: TextToSpeech, texts: Sequence[str], peak: float) -> tuple[Line, ...]:
    lines = await spoken(voice, [ScriptLine(text) for text in texts])
    return tuple(line_of(line.audio_24k, peak) for line in lines)
