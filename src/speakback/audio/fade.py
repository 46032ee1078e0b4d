"""Raised-cosine fades: the one way in which sound begins or ends here, so that an edge never clicks.

The curve is equal-gain: a `fade_out` and a `fade_in` of the same length add up to one at every
sample, so crossing from a sound to itself leaves it as it was.
"""

import numpy as np

from speakback.audio.pcm import Samples


def rising(n: int) -> Samples:
    """The fade-in gain, shape `[n]`: strictly between 0 and 1, and `rising(n) + rising(n)[::-1] == 1`."""
    phase = (np.arange(n) + 0.5) / max(n, 1)
    return (0.5 - 0.5 * np.cos(np.pi * phase)).astype(np.float32)


def fade_in(samples: Samples, n: int) -> Samples:
    """A copy of `samples` whose first `n` samples (all, if it is shorter) rise from silence."""
    n = _within(samples, n)
    faded = samples.copy()
    faded[:n] *= rising(n)
    return faded


def fade_out(samples: Samples, n: int) -> Samples:
    """A copy of `samples` whose last `n` samples (all, if it is shorter) fall to silence."""
    n = _within(samples, n)
    faded = samples.copy()
    faded[len(samples) - n :] *= rising(n)[::-1]
    return faded


def _within(samples: Samples, n: int) -> int:
    if n < 0:
        raise ValueError(f"a fade lasts 0 samples or more, not {n}")
    return min(n, len(samples))
