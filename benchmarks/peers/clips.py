"""The two sentences that all callers say: recorded ones of a folder, or spoken by the local voice."""

from pathlib import Path

import numpy as np

from benchmarks.peers.talk import FRAME_MS, Clip
from benchmarks.samples import Sample, samples
from speakback.audio.pcm import Samples, pcm16_from_samples
from speakback.audio.voicing import FRAME_MS as LEVEL_MS
from speakback.audio.voicing import frame_levels_dbfs
from speakback.timebase import EAR_HZ, ms_to_samples

AUDIBLE_BELOW_PEAK_DB = 40.0
"""Speech begins and ends where it is within so much of its loudest 10 ms."""
SHORTEST_MS, LONGEST_MS = 1200, 3000
LONGEST_DIP_MS = 150
"""A longer dip within a sentence would let any VAD end the turn in it."""
DIP_BELOW_PEAK_DB = 30.0
LEVEL_DBFS = -20.0
"""All clips are brought to this power: Pipecat's VAD has a loudness gate."""
CLIPS = 2


class NoClips(Exception):
    """Too few sentences of the folder serve; the message says what is needed."""


def find_clips(folder: Path | None) -> tuple[Clip, ...]:
    """The first two sentences that serve: 1.2 to 3 s without a long dip. Raises `NoClips`."""
    found: list[Clip] = []
    for sample in samples(_with_transcripts(folder)):
        voiced = voiced_extent(sample.audio_16k)
        if _serves(voiced) and _is_a_sentence(sample):
            found.append(Clip(sample.name, frames(at_level(voiced))))
    if len(found) < CLIPS:
        raise NoClips(
            f"{folder}: {len(found)} recording(s) of 1.2 to 3 s of speech without a long dip, and {CLIPS} are needed"
        )
    return tuple(found[:CLIPS])


def _with_transcripts(folder: Path | None) -> Path | None:
    """The folder that holds `transcripts.json`: this one, or its subfolder `audio`."""
    if folder is None:
        return None
    places = [place for place in (folder, folder / "audio") if (place / "transcripts.json").exists()]
    if not places:
        raise NoClips(f"{folder}: there is no transcripts.json, here or in its folder audio")
    return places[0]


def _is_a_sentence(sample: Sample) -> bool:
    """Recordings of read texts go on after a comma; others have no signs at all."""
    return not sample.text.rstrip().endswith(",") and len(sample.text.split()) > 4


def voiced_extent(audio_16k: Samples) -> Samples:
    """From the first audible 10 ms to the last; empty if there is none."""
    levels = frame_levels_dbfs(audio_16k)
    if not len(levels):
        return audio_16k[:0]
    audible = np.flatnonzero(levels > levels.max() - AUDIBLE_BELOW_PEAK_DB)
    first, last = int(audible[0]), int(audible[-1])
    return audio_16k[ms_to_samples(first * LEVEL_MS, EAR_HZ) : ms_to_samples((last + 1) * LEVEL_MS, EAR_HZ)]


def longest_dip_ms(voiced_16k: Samples) -> int:
    """The longest stretch within that is much softer than its loudest 10 ms."""
    levels = frame_levels_dbfs(voiced_16k)
    if not len(levels):
        return 0
    is_loud = levels > levels.max() - DIP_BELOW_PEAK_DB
    loud = np.flatnonzero(is_loud)
    return int(np.diff(loud).max(initial=1) - 1) * LEVEL_MS


def _serves(voiced_16k: Samples) -> bool:
    length_ms = len(voiced_16k) * 1000 // EAR_HZ
    return SHORTEST_MS <= length_ms <= LONGEST_MS and longest_dip_ms(voiced_16k) <= LONGEST_DIP_MS


def at_level(audio_16k: Samples) -> Samples:
    """The same at -20 dBFS of power."""
    power = float(np.mean(np.square(audio_16k, dtype=np.float64)))
    return np.asarray(audio_16k * (10 ** (LEVEL_DBFS / 20) / np.sqrt(power)), np.float32)


def frames(audio_16k: Samples) -> tuple[bytes, ...]:
    """Frames of 20 ms in PCM16, silence behind the end of the last."""
    size = ms_to_samples(FRAME_MS, EAR_HZ)
    whole = np.pad(audio_16k, (0, -len(audio_16k) % size))
    return tuple(pcm16_from_samples(whole[start : start + size]) for start in range(0, len(whole), size))
