"""Whisper's log-mel spectrogram in numpy, for audio of any length.

Whisper and Smart Turn were both trained on these numbers: 80 bands of the Slaney mel scale up to
8 kHz, a periodic Hann window of 25 ms every 10 ms, log10 of the power, floored 8 below the loudest.
Source: the reference implementation of Whisper (`whisper/audio.py`); `tests/audio/test_mel.py`
compares with it.
"""

import numpy as np
from numpy.typing import NDArray

from speakback.audio.pcm import Samples
from speakback.timebase import EAR_HZ

BANDS = 80
WINDOW_SAMPLES = 400
HOP_SAMPLES = 160
"""One frame each 10 ms."""

_POWER_FLOOR = 1e-10
_RANGE_LOG10 = 8.0
_LINEAR_TOP_HZ = 1000.0
_LINEAR_HZ_PER_MEL = 200.0 / 3.0
_LOG_STEP = np.log(6.4) / 27.0

LogMel = NDArray[np.float32]
"""Shape `[BANDS, frames]`, roughly in [-1, 1.5]."""


def log_mel(audio_16k: Samples, frames: int | None = None) -> LogMel:
    """Log-mel features of `audio_16k`; with `frames`, as if silence followed up to that many frames.

    Without `frames` there are `len(audio_16k) // HOP_SAMPLES` of them. The silence costs nothing:
    its frames are filled in. Raises `ValueError` when the audio is shorter than half a window or
    longer than `frames`.
    """
    if len(audio_16k) <= WINDOW_SAMPLES // 2:
        raise ValueError(f"log_mel needs more than {WINDOW_SAMPLES // 2} samples, got {len(audio_16k)}")
    if frames is None:
        return _scale(_power(audio_16k)[:, : len(audio_16k) // HOP_SAMPLES])
    if frames * HOP_SAMPLES < len(audio_16k):
        raise ValueError(f"{len(audio_16k)} samples do not fit in {frames} frames")
    tail = np.zeros(WINDOW_SAMPLES, np.float32)  # so that the last frames see silence, not a reflection
    power = _power(np.concatenate((audio_16k, tail)))[:, :frames]
    missing = frames - power.shape[1]
    return _scale(np.pad(power, ((0, 0), (0, missing)), constant_values=_POWER_FLOOR))


def _power(audio_16k: Samples) -> NDArray[np.float32]:
    """Mel power, shape `[BANDS, 1 + n // HOP_SAMPLES]`; frames are centred, the ends are reflected."""
    half = WINDOW_SAMPLES // 2
    padded = np.pad(np.asarray(audio_16k, np.float32), half, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES]
    spectrum = np.fft.rfft(windows * _HANN, axis=-1)
    energy = np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)
    # BLAS has one thread (`speakback/__init__.py`); with more it would wake them for this, and take 11 ms, not 0.4.
    return np.asarray(_FILTERS @ energy.T)


def _scale(power: NDArray[np.float32]) -> LogMel:
    log = np.log10(np.maximum(power, _POWER_FLOOR))
    scaled: LogMel = ((np.maximum(log, log.max() - _RANGE_LOG10) + 4.0) / 4.0).astype(np.float32)
    return scaled


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mel * _LINEAR_HZ_PER_MEL
    top_mel = _LINEAR_TOP_HZ / _LINEAR_HZ_PER_MEL
    return np.where(mel < top_mel, linear, _LINEAR_TOP_HZ * np.exp(_LOG_STEP * (mel - top_mel)))


def _filters() -> NDArray[np.float32]:
    """Triangles of equal area, shape `[BANDS, WINDOW_SAMPLES // 2 + 1]`."""
    top_hz = EAR_HZ / 2
    top_mel = _LINEAR_TOP_HZ / _LINEAR_HZ_PER_MEL + np.log(top_hz / _LINEAR_TOP_HZ) / _LOG_STEP
    edges_hz = _mel_to_hz(np.linspace(0.0, top_mel, BANDS + 2))
    bins_hz = np.linspace(0.0, top_hz, WINDOW_SAMPLES // 2 + 1)
    low, centre, high = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    triangles = np.minimum((bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre))
    return (np.maximum(triangles, 0.0) * 2.0 / (high - low)).astype(np.float32)


_FILTERS = _filters()
_HANN = np.hanning(WINDOW_SAMPLES + 1)[:-1].astype(np.float32)
