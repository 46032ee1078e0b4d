"""Sounds whose edges are known exactly."""

import numpy as np

from speakback.audio.pcm import Samples
from speakback.timebase import VOICE_HZ, ms_to_samples


def silence(ms: int) -> Samples:
    return np.zeros(ms_to_samples(ms, VOICE_HZ), np.float32)


def tone(ms: int, level: float = 0.3) -> Samples:
    """As loud from its first to its last sample."""
    times = np.arange(ms_to_samples(ms, VOICE_HZ)) / VOICE_HZ
    return (level * np.sin(2 * np.pi * 300 * times)).astype(np.float32)


def noise(ms: int, level_dbfs: float) -> Samples:
    random = np.random.default_rng(1).standard_normal(ms_to_samples(ms, VOICE_HZ))
    return (random * 10 ** (level_dbfs / 20)).astype(np.float32)


def join(*parts: Samples) -> Samples:
    return np.concatenate(parts)
