"""Cutting a synthesized phrase to its sound, and the breaks between phrases. Pure.

A voice surrounds each phrase with 0.25 to 0.35 s of silence. Before the first phrase the caller
would wait for it, and between phrases two of them make a break that nobody who speaks fluently makes.
"""

import numpy as np

from speakback.audio.fade import fade_in, fade_out
from speakback.audio.pcm import Samples
from speakback.timebase import VOICE_HZ, ms_to_samples

AUDIBLE_DBFS = -50.0
"""A 5 ms window above this level is heard. Hibari's onsets (an h, an f) pass it ~20 to 40 ms before
the vowel; its silence lies below -80 dBFS."""

LEAD_MS = 15
"""Kept before the first audible window: softer onsets still begin by themselves."""

TAIL_MS = 30
"""Kept after the last audible window: the last sound dies away by itself."""

EDGE_FADE_MS = 5

BREAK_MS = {**dict.fromkeys(".!?…", 250), **dict.fromkeys(",;:—", 120)}
"""Silence heard between two phrases, by the mark that closes the first, lead and tail included."""

BREAK_WITHOUT_MARK_MS = LEAD_MS + TAIL_MS
"""A phrase that was cut in running text gets no break of its own."""

_WINDOW_MS = 5


def audible_stretch(samples: Samples, rate_hz: int) -> tuple[int, int] | None:
    """First and end sample of what is heard, with lead and tail (within the audio); None if nothing is."""
    window = ms_to_samples(_WINDOW_MS, rate_hz)
    padded = np.pad(samples, (0, -len(samples) % window)).reshape(-1, window)
    power = np.mean(np.square(padded, dtype=np.float64), axis=1)
    heard = np.flatnonzero(power > 10 ** (AUDIBLE_DBFS / 10))
    if len(heard) == 0:
        return None
    start = int(heard[0]) * window - ms_to_samples(LEAD_MS, rate_hz)
    end = int(heard[-1] + 1) * window + ms_to_samples(TAIL_MS, rate_hz)
    return max(start, 0), min(end, len(samples))


def with_soft_edges(samples: Samples) -> Samples:
    """The samples, at 24 kHz, faded at both ends."""
    n = ms_to_samples(EDGE_FADE_MS, VOICE_HZ)
    return fade_out(fade_in(samples, n), n)


def break_before_ms(closing_mark: str) -> int:
    """Silence to add after a phrase that closes with this mark ("" for none) and before the next."""
    return BREAK_MS.get(closing_mark, BREAK_WITHOUT_MARK_MS) - LEAD_MS - TAIL_MS
