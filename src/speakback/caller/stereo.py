"""A call as one stereo recording: user left, agent right, on one sample clock. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from speakback.audio.pcm import Samples
from speakback.caller.loudspeaker import Stretch
from speakback.timebase import VOICE_HZ


def stereo(user: Sequence[tuple[float, Samples]], agent: Sequence[Stretch]) -> NDArray[np.float32]:
    """Shape `[n, 2]` at 24 kHz. `user` holds frames with the moments (ms) at which their first samples were spoken."""
    placed = [(round(start_ms * VOICE_HZ / 1000), audio) for start_ms, audio in user]
    length = max(
        [start + len(audio) for start, audio in placed] + [stretch.end_samples for stretch in agent], default=0
    )
    sides = np.zeros((length, 2), np.float32)
    for start, audio in placed:
        sides[start : start + len(audio), 0] = audio
    for stretch in agent:
        sides[stretch.start_samples : stretch.end_samples, 1] = stretch.audio_24k
    return sides
