"""The one array type for sound, and PCM16 bytes to and from it."""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]
"""Mono audio in [-1, 1], shape `[n]`; the rate stands in the name of whatever holds it."""

_PCM16_FULL_SCALE = 32768.0
"""One more than the largest PCM16 value, so that bytes → samples → bytes changes nothing."""


def rms(samples: Samples) -> float:
    """The level: the root of the mean square. At least one sample."""
    return math.sqrt(float(np.dot(samples, samples)) / len(samples))


def pcm16_from_samples(samples: Samples) -> bytes:
    """Little-endian PCM16, two bytes a sample: rounded to the nearest value, clipped at full scale.

    The samples must be numbers: NaN has no PCM16 value and becomes whatever the machine makes of it.
    """
    scaled = samples * np.float32(_PCM16_FULL_SCALE)
    np.rint(scaled, out=scaled)
    np.minimum(scaled, np.float32(32767), out=scaled)  # np.clip takes twice as long on a message of 20 ms
    np.maximum(scaled, np.float32(-32768), out=scaled)
    return scaled.astype("<i2").tobytes()


def samples_from_pcm16(data: bytes) -> Samples:
    """Little-endian PCM16 bytes as samples, shape `[len(data) // 2]`.

    Raises `ValueError` for an odd number of bytes.
    """
    if len(data) % 2:
        raise ValueError(f"PCM16 audio has two bytes a sample, but this has an odd number of bytes ({len(data)})")
    samples: Samples = np.frombuffer(data, "<i2").astype(np.float32)
    samples *= np.float32(1 / _PCM16_FULL_SCALE)
    return samples
