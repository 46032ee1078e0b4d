"""Where there is speech in a clean recording, by its energy alone: independent of the server's own ears. Pure."""

import numpy as np

from speakback.audio.pcm import Samples
from speakback.audio.resample import resample
from speakback.audio.voicing import FRAME_MS, frame_levels_dbfs
from speakback.caller.timeline import Interval
from speakback.timebase import EAR_HZ, VOICE_HZ, ms_to_samples

QUIETEST_DBFS = -55.0
"""Below this nothing counts as speech."""
BELOW_LOUD_DB = 35.0
"""Speech is at most so far below the recording's loudest twentieth: the soft end of a word still counts."""
ABOVE_FLOOR_DB = 10.0
"""And at least so far above its softest twentieth, where there is noise beneath the speech."""
IPU_GAP_MS = 200
"""A shorter silence is within one stretch of speech."""
SHORTEST_MS = 50
"""A shorter sound is a click."""
UTTERANCE_GAP_MS = 1000
"""A silence from which a polite caller would let the other answer."""
UTTERANCE_EDGE_MS = 150
"""Kept around an utterance that is cut out of a recording."""


def find_speech(audio_24k: Samples) -> tuple[Interval, ...]:
    """The stretches of speech, in steps of 10 ms from the recording's start."""
    levels = frame_levels_dbfs(resample(audio_24k, VOICE_HZ, EAR_HZ))
    if not len(levels):
        return ()
    softest, loudest = np.percentile(levels, (5, 95))
    threshold = max(QUIETEST_DBFS, loudest - BELOW_LOUD_DB)
    if softest + 2 * ABOVE_FLOOR_DB < loudest:
        threshold = max(threshold, softest + ABOVE_FLOOR_DB)
    edges = np.flatnonzero(np.diff(levels > threshold, prepend=False, append=False)) * FRAME_MS
    runs = [Interval(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
    return tuple(run for run in joined(runs, IPU_GAP_MS) if run.end_ms - run.start_ms >= SHORTEST_MS)


def joined(intervals: list[Interval], gap_ms: int) -> list[Interval]:
    """The intervals (in order), those less than `gap_ms` apart made one."""
    result: list[Interval] = []
    for interval in intervals:
        if result and interval.start_ms - result[-1].end_ms < gap_ms:
            result[-1] = Interval(result[-1].start_ms, interval.end_ms)
        else:
            result.append(interval)
    return result


def utterances(audio_24k: Samples) -> list[Samples]:
    """The recording cut at its long pauses; empty if nothing is said in it."""
    spans = joined(list(find_speech(audio_24k)), UTTERANCE_GAP_MS)
    return [
        audio_24k[
            ms_to_samples(max(span.start_ms - UTTERANCE_EDGE_MS, 0), VOICE_HZ) : ms_to_samples(
                span.end_ms + UTTERANCE_EDGE_MS, VOICE_HZ
            )
        ]
        for span in spans
    ]
