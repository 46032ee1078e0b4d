"""Long audio cut where it is quietest."""

import numpy as np

from speakback.audio.pcm import Samples
from speakback.audio.voicing import FRAME_MS, frame_levels_dbfs
from speakback.timebase import EAR_HZ, ms_to_samples

_QUIET_MS = 200


def split_at_quiet(audio_16k: Samples, longest_ms: int) -> list[Samples]:
    """Pieces of at most `longest_ms` which, joined, are the whole audio.

    Each cut lies in the middle of the quietest 200 ms of the second half of what fits.
    """
    longest_samples = ms_to_samples(longest_ms, EAR_HZ)
    pieces = []
    rest = audio_16k
    while len(rest) > longest_samples:
        start_frame = longest_ms // FRAME_MS // 2
        levels = frame_levels_dbfs(rest[:longest_samples])[start_frame:]
        width = _QUIET_MS // FRAME_MS
        loudness = np.convolve(levels, np.ones(width), mode="valid")
        frame = start_frame + int(np.argmin(loudness)) + width // 2
        cut = ms_to_samples(frame * FRAME_MS, EAR_HZ)
        pieces.append(rest[:cut])
        rest = rest[cut:]
    return [*pieces, rest]
