"""A recording from a file, as the caller says it."""

from pathlib import Path

import numpy as np
import soundfile

from speakback.audio.pcm import Samples
from speakback.audio.resample import resample
from speakback.caller.errors import CallError
from speakback.timebase import VOICE_HZ


def load_recording(path: Path) -> Samples:
    """Any audio file at any rate as mono at 24 kHz; channels are averaged. Blocks. Raises `CallError`."""
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
    mono: Samples = audio.mean(axis=1, dtype=np.float32)
    if not np.isfinite(mono).all():
        raise CallError(f"{path}: holds values that are no numbers.")
    return resample(mono, int(rate_hz), VOICE_HZ)
