"""Where each word of a segment lies, estimated from the sound: no second pass of the model is needed."""

from collections.abc import Iterable

import numpy as np

from speakback.audio.pcm import Samples
from speakback.audio.voicing import FRAME_MS, frame_levels_dbfs
from speakback.providers.adapters.whisper_decoding import Segment
from speakback.providers.stt import TimedWord

_BELOW_PEAK_DB = 25.0
_SILENT_SHARE = 0.001
"""A silent frame counts this much of a sounding one, so that a segment without sound still has times."""
_ONSET_FRAMES = 0.5
"""A word begins with its first half sounding frame: this steps over the silence before it."""


def timed_words(segments: Iterable[Segment], audio_16k: Samples, offset_ms: int) -> tuple[TimedWord, ...]:
    """Spread each segment's words over its sounding frames, in proportion to their letters.

    Segment times count from the start of `audio_16k`, which itself lies at `offset_ms`.
    """
    levels = frame_levels_dbfs(audio_16k)
    if not len(levels):
        return ()
    sounding = levels > np.percentile(levels, 95) - _BELOW_PEAK_DB
    weights = np.where(sounding, 1.0, _SILENT_SHARE)
    words = []
    for segment in segments:
        first = min(segment.start_ms // FRAME_MS, len(weights) - 1)
        last = max(first + 1, min(-(-segment.end_ms // FRAME_MS), len(weights)))
        elapsed = np.concatenate(([0.0], np.cumsum(weights[first:last])))
        letters = np.cumsum([0] + [len(word) + 1 for word in segment.words])
        borders = letters / letters[-1] * elapsed[-1]
        ends = np.interp(borders[1:], elapsed, np.arange(len(elapsed)))
        starts = np.interp(borders[:-1] + _ONSET_FRAMES, elapsed, np.arange(len(elapsed)))
        for word, start, end in zip(segment.words, starts, ends, strict=True):
            start_ms = offset_ms + int((first + min(start, end)) * FRAME_MS)
            words.append(TimedWord(word, start_ms, offset_ms + int((first + end) * FRAME_MS)))
    return tuple(words)
