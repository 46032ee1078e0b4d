"""Recordings from files: one side, as a caller says it, or both sides of a call, as ears hear them."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from speakback.audio.pcm import Samples
from speakback.audio.resample import resample
from speakback.caller.errors import CallError
from speakback.timebase import EAR_HZ, VOICE_HZ


def load_recording(path: Path) -> Samples:
    """Any audio file at any rate as mono at 24 kHz; channels are averaged. Blocks. Raises `CallError`."""
    audio, rate_hz = _read(path)
    mono: Samples = audio.mean(axis=1, dtype=np.float32)
    return resample(mono, rate_hz, VOICE_HZ)


def load_sides(path: Path) -> tuple[Samples, Samples]:
    """The left and the right channel of a stereo file, at 16 kHz. Blocks. Raises `CallError`."""
    audio, rate_hz = _read(path)
    if audio.shape[1] != 2:
        channels = f"{audio.shape[1]} channel{'s' if audio.shape[1] > 1 else ''}"
        raise CallError(f"{path}: has {channels}; a call has two, one for each side.")
    left, right = (resample(np.ascontiguousarray(side), rate_hz, EAR_HZ) for side in audio.T)
    return left, right


def load_side(path: Path) -> Samples:
    """One side of a call from a mono file, at 16 kHz. Blocks. Raises `CallError`."""
    audio, rate_hz = _read(path)
    if audio.shape[1] != 1:
        raise CallError(f"{path}: has {audio.shape[1]} channels; a track of one side has one.")
    return resample(np.ascontiguousarray(audio[:, 0]), rate_hz, EAR_HZ)


def _read(path: Path) -> tuple[NDArray[np.float32], int]:
    """Shape `[n, channels]` and the rate in Hz."""
    if not path.exists():
        raise CallError(f"{path}: there is no such file.")
    if not path.is_file():
        raise CallError(f"{path}: is not a file.")
    try:
        audio, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as problem:
        raise CallError(f"{path}: cannot be read as audio ({problem}).") from None
    if not len(audio):
        raise CallError(f"{path}: holds no audio.")
    if not np.isfinite(audio).all():
        raise CallError(f"{path}: holds values that are no numbers.")
    return audio, int(rate_hz)
