"""What a stretch of sound is like, apart from any words: loudness, and how much of it is a voice.

Voiced speech repeats itself 70 to 400 times a second and its pitch never stands still; noise does
not repeat, hum and music repeat at a pitch that stands still. Measured by autocorrelation, a
millisecond or two for a second of audio.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speakback.audio.pcm import Samples
from speakback.timebase import EAR_HZ

FRAME_MS = 10
_FRAME_SAMPLES = EAR_HZ * FRAME_MS // 1000
_PITCH_HZ = EAR_HZ // 2
"""Pitch is sought at half the rate: a fourth of the work, and no voice's pitch is lost."""
_WINDOW_SAMPLES = 320
_HOP_SAMPLES = _PITCH_HZ * FRAME_MS // 1000
_FFT_SAMPLES = 512
_LAGS = slice(_PITCH_HZ // 400, _PITCH_HZ // 70)
_QUIET_DBFS = -65.0
_BELOW_PEAK_DB = 30.0
_PERIODIC = 0.5
_STILL_OCTAVES = 0.003
_JUMP_OCTAVES = 0.15
_SILENCE_POWER = 1e-12


@dataclass(frozen=True, slots=True)
class Voicing:
    """`level_dbfs` is that of the loudest tenth of the frames; `range_db` from the softest tenth up to it."""

    duration_ms: int
    level_dbfs: float
    range_db: float
    voiced_ms: int
    """Time that repeats itself at the pitch of a voice."""
    gliding_ms: int
    """Voiced time in which the pitch moves as a voice's does: neither still nor jumping."""


def frame_levels_dbfs(audio_16k: Samples) -> NDArray[np.float64]:
    """Power of each whole frame of 10 ms, in dB of full scale (a lower bound of -120)."""
    whole = len(audio_16k) // _FRAME_SAMPLES
    frames = np.asarray(audio_16k[: whole * _FRAME_SAMPLES], np.float64).reshape(whole, _FRAME_SAMPLES)
    levels: NDArray[np.float64] = 10.0 * np.log10(np.mean(frames**2, axis=1) + _SILENCE_POWER)
    return levels


def measure_voicing(audio_16k: Samples) -> Voicing:
    """Measure audio of any length; less than 40 ms of it is never voiced."""
    duration_ms = len(audio_16k) * 1000 // EAR_HZ
    levels = frame_levels_dbfs(audio_16k)
    if not len(levels):
        return Voicing(duration_ms, -120.0, 0.0, 0, 0)
    loud, soft = float(np.percentile(levels, 90)), float(np.percentile(levels, 10))
    pitch_octaves = _pitch_track(audio_16k, max(_QUIET_DBFS, loud - _BELOW_PEAK_DB))
    steps = np.abs(np.diff(pitch_octaves))
    gliding = int(np.count_nonzero((steps > _STILL_OCTAVES) & (steps < _JUMP_OCTAVES)))
    voiced = int(np.count_nonzero(np.isfinite(pitch_octaves)))
    return Voicing(duration_ms, loud, loud - soft, voiced * FRAME_MS, gliding * FRAME_MS)


def _pitch_track(audio_16k: Samples, threshold_dbfs: float) -> NDArray[np.float64]:
    """Log2 of the pitch in Hz every 10 ms, NaN where unvoiced or below the threshold."""
    halved = (audio_16k[: len(audio_16k) // 2 * 2 : 2] + audio_16k[1::2]) * np.float32(0.5)
    if len(halved) < _WINDOW_SAMPLES:
        return np.empty(0)
    windows = np.lib.stride_tricks.sliding_window_view(halved, _WINDOW_SAMPLES)[::_HOP_SAMPLES] * _TAPER
    windows = windows - windows.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(windows, _FFT_SAMPLES, axis=1)
    correlation = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, axis=1)[:, : _LAGS.stop + 1]
    power = correlation[:, 0] + _SILENCE_POWER
    normal = correlation / power[:, None] / _TAPER_CORRELATION
    best = np.argmax(normal[:, _LAGS], axis=1) + _LAGS.start
    rows = np.arange(len(best))
    left, peak, right = normal[rows, best - 1], normal[rows, best], normal[rows, best + 1]
    curve = left - 2 * peak + right
    offset = np.clip(0.5 * (left - right) / np.minimum(curve, -1e-9), -0.5, 0.5)
    level_dbfs = 10.0 * np.log10(power / np.sum(_TAPER**2) + _SILENCE_POWER)
    voiced = (peak > _PERIODIC) & (curve < 0) & (level_dbfs > threshold_dbfs)
    return np.where(voiced, np.log2(_PITCH_HZ / (best + offset)), np.nan)


def _taper_correlation() -> NDArray[np.float32]:
    spectrum = np.fft.rfft(_TAPER, _FFT_SAMPLES)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: _LAGS.stop + 1]
    return np.asarray(correlation / correlation[0], np.float32)


_TAPER = np.hanning(_WINDOW_SAMPLES).astype(np.float32)
_TAPER_CORRELATION = _taper_correlation()
