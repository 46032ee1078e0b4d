"""Sounds that are no speech: what a microphone hears while nobody talks."""

import numpy as np
from numpy.typing import NDArray

from speakback.audio.pcm import Samples
from speakback.timebase import EAR_HZ

KINDS = ("zeros", "floor", "white", "pink", "hum", "clicks", "keys", "breath", "tones")


def noise(kind: str, seed: int, seconds: float) -> Samples:
    """`seconds` of the kind of sound, with -75 dB of hiss under all but digital zeros."""
    rng = np.random.default_rng(seed)
    samples = int(seconds * EAR_HZ)
    if kind == "zeros":
        return np.zeros(samples, np.float32)
    return (_raw(kind, rng, samples) + at_level(rng.standard_normal(samples), -75)).astype(np.float32)


def at_level(sound: NDArray[np.float64], level_dbfs: float) -> NDArray[np.float64]:
    """The sound scaled to this mean power."""
    scaled: NDArray[np.float64] = sound * 10 ** (level_dbfs / 20) / (np.sqrt(np.mean(sound**2)) + 1e-12)
    return scaled


def pink(rng: np.random.Generator, samples: int) -> NDArray[np.float64]:
    """Noise with the same power in every octave."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), samples)


def _band(rng: np.random.Generator, samples: int, low_hz: float, high_hz: float) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    hz = np.fft.rfftfreq(samples, 1 / EAR_HZ)
    spectrum[(hz < low_hz) | (hz > high_hz)] = 0
    return np.fft.irfft(spectrum, samples)


def _raw(kind: str, rng: np.random.Generator, samples: int) -> NDArray[np.float64]:
    time = np.arange(samples) / EAR_HZ
    level_dbfs = float(rng.uniform(-50, -22))
    if kind == "floor":
        return np.zeros(samples)
    if kind == "white":
        return at_level(rng.standard_normal(samples), level_dbfs)
    if kind == "pink":
        return at_level(pink(rng, samples), level_dbfs)
    if kind == "hum":
        harmonics = [np.sin(2 * np.pi * 50 * k * time + rng.uniform(0, 6)) / k for k in range(1, 9)]
        return at_level(np.sum(harmonics, axis=0), level_dbfs)
    if kind == "breath":
        swell = np.clip(np.sin(2 * np.pi * time / rng.uniform(1.2, 2.5)), 0, 1) ** 1.5
        return at_level(_band(rng, samples, 200, 4000) * swell, float(rng.uniform(-50, -28)))
    if kind == "tones":
        return at_level(_melody(rng, samples), level_dbfs)
    length, decay = {"clicks": (60, 12), "keys": (1200, 200)}[kind]
    sound = np.zeros(samples)
    for start in rng.integers(0, samples - length, max(1, 5 * samples // EAR_HZ)):
        burst = _band(rng, length, 300, 6000) * np.exp(-np.arange(length) / decay)
        sound[start : start + length] += burst * rng.uniform(0.05, 0.6)
    return np.clip(sound, -1, 1)


def _melody(rng: np.random.Generator, samples: int) -> NDArray[np.float64]:
    notes: list[NDArray[np.float64]] = []
    while sum(len(note) for note in notes) < samples:
        hz = 220 * 2 ** (rng.integers(0, 24) / 12)
        time = np.arange(int(rng.uniform(0.12, 0.6) * EAR_HZ)) / EAR_HZ
        overtones = [np.sin(2 * np.pi * hz * k * time) / k**1.5 for k in range(1, 7)]
        notes.append(np.sum(overtones, axis=0) * np.exp(-3 * time))
    return np.concatenate(notes)[:samples]
