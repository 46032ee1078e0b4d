"""What a microphone hears beside its user, at 24 kHz: synthesized in the shape of the real sounds, and recorded.

Sources of the shapes: a key's click is a push and a release of some 10 ms each, 100 ms apart, with most of its sound
above 400 Hz (Asonov and Agrawal, Keyboard Acoustic Emanations, 2004), and people type 52 words (260 keys) a minute
(Dhakal et al., Observations on Typing from 136 Million Keystrokes, 2018). A furnished room's sound falls by 60 dB in
0.5 s (the reference reverberation time of dwellings in ISO 16283-1). A cough is a burst, a noisy flow, and often a
voiced end (Van Hirtum, The Acoustics of Coughing, 2002); the phases' lengths are ours. Hum is the mains' 50 or 60 Hz
with overtones. Levels are ours, too: from barely there to as loud as speech close by.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.samples import read_clip
from speakback.audio.pcm import Samples
from speakback.audio.resample import resample
from speakback.timebase import EAR_HZ, VOICE_HZ, ms_to_samples
from tests.providers.noises import at_level, pink

Sound: TypeAlias = NDArray[np.float64]

LEVELS_DBFS = (-50, -35, -20)
STEADY_MS = 1200
HUM_SWELLS_MS = 500
LEAST_REST_S, EDGE_S = 0.8, 0.15
"""Of the rests in a meeting; words are placed to about 0.1 s."""


def white(level_dbfs: float) -> Samples:
    """A fan, a shower."""
    return _samples(at_level(_random().standard_normal(ms_to_samples(STEADY_MS, VOICE_HZ)), level_dbfs))


def pink_noise(level_dbfs: float) -> Samples:
    """Traffic, rain on a roof."""
    return _samples(at_level(pink(_random(), ms_to_samples(STEADY_MS, VOICE_HZ)), level_dbfs))


def buzz(mains_hz: int, level_dbfs: float, ms: int = STEADY_MS) -> Samples:
    """A cable is plugged in: hum that is there at once, and gone at once."""
    return _samples(_mains(mains_hz, level_dbfs, ms))


def hum(mains_hz: int, level_dbfs: float) -> Samples:
    """A bad ground, which does not begin from one moment to the next."""
    steady = _mains(mains_hz, level_dbfs, 1800)
    swell = np.minimum(np.arange(len(steady)) / (HUM_SWELLS_MS / 1000 * VOICE_HZ), 1)
    return _samples(steady * swell * swell[::-1])


def typing(peak_dbfs: float, keys: int = 10) -> Samples:
    """Somebody types a few words."""
    random = _random()
    every_ms = 60_000 / 260
    starts_ms = np.cumsum(random.lognormal(np.log(every_ms), 0.4, keys))
    sound = np.zeros(ms_to_samples(int(starts_ms[-1]) + 300, VOICE_HZ))
    for start_ms in starts_ms:
        for after_ms, strength in ((0, 1.0), (100, 0.5)):
            click = _decaying(_above(random.standard_normal(ms_to_samples(30, VOICE_HZ)), 400), over_ms=4)
            at = ms_to_samples(int(start_ms) + after_ms, VOICE_HZ)
            sound[at : at + len(click)] += strength * click
    return _samples(_at_peak(sound, peak_dbfs))


def door_slam(peak_dbfs: float) -> Samples:
    """A thud and the room's answer."""
    random = _random()
    seconds = _seconds(900)
    thud = sum(np.sin(2 * np.pi * hz * seconds) for hz in (60, 95, 140)) * np.exp(-seconds / 0.06)
    crash = _decaying(_random().standard_normal(len(seconds)), over_ms=12)
    answer = pink(random, len(seconds))
    answer *= 10 ** (-3 * seconds / 0.5) / np.max(np.abs(answer))
    return _samples(_at_peak(thud / 3 + crash / 3 + answer / 4, peak_dbfs))


def cough(peak_dbfs: float, voice_hz: float | None) -> Samples:
    """A burst, a flow that ebbs, and a hoarse voiced end, where there is one."""
    random = _random()
    burst = _decaying(random.standard_normal(ms_to_samples(60, VOICE_HZ)), over_ms=25)
    flow = 0.25 * _decaying(_above(random.standard_normal(ms_to_samples(180, VOICE_HZ)), 300), over_ms=120)
    end = np.zeros(0)
    if voice_hz is not None:
        seconds = _seconds(120)
        buzz = np.sum([np.sin(2 * np.pi * voice_hz * k * seconds) / k for k in range(1, 20)], axis=0)
        end = 0.3 * (buzz + 0.5 * random.standard_normal(len(seconds))) * np.hanning(len(seconds))
    return _samples(_at_peak(np.concatenate((burst, flow, end)), peak_dbfs))


def meeting_rests(folder: Path) -> dict[str, Samples]:
    """By clip: what is recorded of a meeting's room between the words, one rest after the other."""
    found: dict[str, Samples] = {}
    for words in sorted(folder.glob("*.words.rttm")):
        name = words.name.removesuffix(".words.rttm")
        audio_16k = read_clip(words.with_name(f"{name}.flac"))
        rows = [line.split() for line in words.read_text(encoding="utf-8").splitlines()]
        rests = _rests([(float(row[3]), float(row[3]) + float(row[4])) for row in rows], len(audio_16k) / EAR_HZ)
        parts = [audio_16k[round(start * EAR_HZ) : round(end * EAR_HZ)] for start, end in rests]
        if parts:
            found[name] = resample(np.concatenate(parts), EAR_HZ, VOICE_HZ)
    return found


NOISES: dict[str, Callable[[], list[Samples]]] = {
    "white noise": lambda: [white(level) for level in LEVELS_DBFS],
    "pink noise": lambda: [pink_noise(level) for level in LEVELS_DBFS],
    "hum": lambda: [hum(50, -35), hum(60, -35), hum(60, -20)],
    "typing": lambda: [typing(peak) for peak in (-30, -12)],
    "a door": lambda: [door_slam(peak) for peak in (-20, -3)],
    "a cough": lambda: [cough(peak, None) for peak in (-20, -3)],
    "a voiced cough": lambda: [cough(-6, voice_hz) for voice_hz in (140, 280)],
}


def _rests(runs: list[tuple[float, float]], length_s: float) -> list[tuple[float, float]]:
    """Where nobody's words are, in seconds."""
    rests: list[tuple[float, float]] = []
    silent_since = -EDGE_S
    for start, end in [*sorted(runs), (length_s + EDGE_S, length_s + EDGE_S)]:
        if start - silent_since - 2 * EDGE_S >= LEAST_REST_S:
            rests.append((silent_since + EDGE_S, start - EDGE_S))
        silent_since = max(silent_since, end)
    return rests


def _mains(mains_hz: int, level_dbfs: float, ms: int) -> Sound:
    phase = 2 * np.pi * mains_hz * _seconds(ms)
    return at_level(np.sum([np.sin(k * phase) / k for k in range(1, 9)], axis=0), level_dbfs)


def _random() -> np.random.Generator:
    return np.random.default_rng(4)


def _seconds(ms: int) -> Sound:
    return np.arange(ms_to_samples(ms, VOICE_HZ)) / VOICE_HZ


def _decaying(sound: Sound, *, over_ms: float) -> Sound:
    """Falls to a third in that time."""
    faded: Sound = sound / np.max(np.abs(sound)) * np.exp(-np.arange(len(sound)) / (over_ms / 1000 * VOICE_HZ))
    return faded


def _above(sound: Sound, low_hz: float) -> Sound:
    spectrum = np.fft.rfft(sound)
    spectrum[np.fft.rfftfreq(len(sound), 1 / VOICE_HZ) < low_hz] = 0
    return np.fft.irfft(spectrum, len(sound))


def _at_peak(sound: Sound, peak_dbfs: float) -> Sound:
    scaled: Sound = sound * 10 ** (peak_dbfs / 20) / np.max(np.abs(sound))
    return scaled


def _samples(sound: Sound) -> Samples:
    return np.clip(sound, -1, 1).astype(np.float32)
