"""Lines that need no voice: tones, loud enough for every ear."""

import numpy as np

from speakback.audio.pcm import Samples
from speakback.load.repertoire import BACKCHANNEL_PEAK, PEAK, Line, Repertoire, line_of, room_frames
from speakback.timebase import VOICE_HZ, ms_to_samples


def tone(ms: int, *, silence_ms: int = 0) -> Samples:
    """So much silence, then a tone, then as much silence again."""
    sound = 0.3 * np.sin(np.arange(ms_to_samples(ms, VOICE_HZ)) * (2 * np.pi * 300 / VOICE_HZ))
    silence = np.zeros(ms_to_samples(silence_ms, VOICE_HZ))
    return np.concatenate((silence, sound, silence)).astype(np.float32)


def line(ms: int, peak: float = PEAK) -> Line:
    return line_of(tone(ms), peak)


TONES = Repertoire((line(800),), (line(900),), (line(300, BACKCHANNEL_PEAK),), room_frames())
"""What callers say to a server that listens to levels."""
