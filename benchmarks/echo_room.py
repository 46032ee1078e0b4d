"""A speakerphone in a room: what its microphone hears of the agent's voice, and of a person beside it."""

from dataclasses import dataclass

import numpy as np
import soxr

from speakback.audio.pcm import Samples
from speakback.timebase import EAR_HZ, VOICE_HZ, ms_to_samples


@dataclass(frozen=True, slots=True)
class Room:
    """How the agent's voice comes back."""

    delay_ms: int
    gain_db: float
    """Of the echo, relative to what was played."""
    decay_ms: int = 300
    """Until the reverberation is 60 dB down."""
    direct: float = 1.0
    """The direct sound, relative to the whole reverberation."""
    noise_dbfs: float = -65.0
    drift_ppm: float = 50.0


def echo_of(played_24k: Samples, room: Room, seed: int) -> Samples:
    """The echo alone at 16 kHz, as long as its delay and decay need."""
    random = np.random.default_rng(seed)
    rate_out = EAR_HZ * (1 + room.drift_ppm * 1e-6)
    sound = soxr.resample(played_24k.astype(np.float64), VOICE_HZ, rate_out)
    taps = ms_to_samples(room.decay_ms, EAR_HZ)
    tail = random.standard_normal(taps) * 10 ** (-3 * np.arange(taps) / taps)
    tail[: taps // 50] = 0
    response = tail / np.sqrt(np.sum(tail**2))
    response[0] = room.direct
    sound = np.convolve(sound, response * 10 ** (room.gain_db / 20) / np.sqrt(1 + room.direct**2))
    # A small loudspeaker has no bass, a hands-free microphone little treble.
    spectrum = np.fft.rfft(sound)
    hz = np.fft.rfftfreq(len(sound), 1 / EAR_HZ)
    sound = np.fft.irfft(spectrum * (hz**2 / (hz**2 + 300**2)) / (1 + (hz / 5000) ** 4), len(sound))
    delay = np.zeros(ms_to_samples(room.delay_ms, EAR_HZ))
    return np.asarray(np.concatenate((delay, sound)), np.float32)


def mixed(parts: list[tuple[int, Samples]], length: int, noise_dbfs: float, seed: int) -> Samples:
    """Sounds at 16 kHz, each from its sample on, over the noise of the room."""
    out = np.random.default_rng(seed).standard_normal(length).astype(np.float32) * np.float32(10 ** (noise_dbfs / 20))
    for start, sound in parts:
        end = min(start + len(sound), length)
        out[start:end] += sound[: max(end - start, 0)]
    clipped: Samples = np.clip(out, -1, 1)
    return clipped
