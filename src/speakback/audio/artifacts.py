"""Artifacts in the audio that one reply really sent: what a listener would notice as a fault. Pure.

Judged from the sent samples, the moments at which they went out, where the voice's chunks meet, and
how many words were said. Every threshold stands here with its reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speakback.audio.pcm import Samples
from speakback.timebase import LEDGER_FRAME_MS, VOICE_HZ, ms_to_samples, samples_to_ms

LATE_TOLERANCE_MS = 2
"""Send times are whole milliseconds: two of them may differ by that much without any gap."""

LATE_AT_BORDER_MS = 400
"""A gap where one phrase ends and the next begins sounds like thinking, until it is as long as this."""

CLIPPED_LEVEL = 32766 / 32768
CLIPPED_RUN = 3
"""One sample at full scale may be a peak; three in a row are a flat top."""

JUMP_FLOOR = 0.02
"""A step smaller than this (-34 dBFS) at a border is not heard as a click."""
JUMP_TIMES = 2.0
"""A step is a click if it is this many times the largest step nearby: loud speech makes large steps itself."""
JUMP_NEARBY_MS = 10

HOLE_LEVEL = 1.5 / 32768
"""A hole is filled with zeros (of either PCM16 rounding)."""
HOLE_MIN_MS = 4
"""Shorter runs of zeros happen in soft speech; longer ones, too, but they are reached softly:"""
HOLE_EDGE_DBFS = -42.0
"""in a hole the sound stops and starts again at this level or above, both times, within"""
HOLE_EDGE_MS = 3
"""this time. Before a natural closure (a p or t) speech dies away over 10 ms and more."""

SILENCE_DBFS = -55.0
SILENCE_LIMIT_MS = 700
"""The longest break a voice makes here is ~250 ms between sentences, ~500 ms at an ellipsis."""
_SILENCE_WINDOW_MS = 10

CUT_OFF_DBFS = -36.0
CUT_OFF_MS = 2
"""A reply that ends this loud in its last moment was cut in the middle of a sound, without a fade."""

WORDS_PER_MINUTE = (80.0, 400.0)
"""Conversation runs at 120 to 250, short and long words at 90 to 300. Outside of this, audio is missing or
was made too long."""
WORDS_TO_JUDGE = 4
"""A rate over fewer words says nothing."""


@dataclass(frozen=True, slots=True)
class SentAudio:
    """One message: when it went out (monotonic) and how many samples at 24 kHz it carried."""

    at_ms: int
    samples: int
    after_hold: bool = False
    """Whether it is the first after a silence that was meant."""


@dataclass(frozen=True, slots=True)
class ArtifactReport:
    """What was found in one reply."""

    late_frames: int
    """Frames of 20 ms that went out after the client must have run dry."""
    missing_frames: int
    """Frames of 20 ms, begun ones counted, that are holes in the sound or were never sent."""
    clipped_samples: int
    border_jumps: int
    """Clicks where chunks meet, and at the reply's own beginning and end."""
    unexpected_silence_ms: int
    cut_off: bool
    """The reply ends in the middle of a sound."""
    words_per_minute: float | None
    """None for fewer than `WORDS_TO_JUDGE` words."""

    @property
    def length_fits(self) -> bool | None:
        """Whether the audio is as long as its text needs; None if it cannot be judged."""
        if self.words_per_minute is None:
            return None
        slowest, fastest = WORDS_PER_MINUTE
        return slowest <= self.words_per_minute <= fastest

    @property
    def clean(self) -> bool:
        """Whether a listener has nothing to notice."""
        faults = (
            self.late_frames,
            self.missing_frames,
            self.clipped_samples,
            self.border_jumps,
            self.unexpected_silence_ms,
            self.cut_off,
        )
        return not any(faults) and self.length_fits is not False


def find_artifacts(
    audio_24k: Samples, sent: Sequence[SentAudio], border_samples: Sequence[int], text: str
) -> ArtifactReport:
    """Examine one reply: all that was sent (mono, 24 kHz), message by message, and the text it says.

    `border_samples` are the positions where one chunk of the voice ends and the next begins. Of a reply
    that was cut short, `text` is the part whose audio was sent, and borders beyond it do not matter.
    """
    unsent = len(audio_24k) - sum(message.samples for message in sent)
    return ArtifactReport(
        late_frames=_late_frames(sent, border_samples),
        missing_frames=_frames(abs(unsent)) + sum(map(_frames, _holes(audio_24k))),
        clipped_samples=_clipped_samples(audio_24k),
        border_jumps=_border_jumps(audio_24k, border_samples),
        unexpected_silence_ms=_unexpected_silence_ms(audio_24k),
        cut_off=_level_dbfs(audio_24k[-ms_to_samples(CUT_OFF_MS, VOICE_HZ) :]) > CUT_OFF_DBFS,
        words_per_minute=_words_per_minute(audio_24k, text),
    )


def _frames(samples: int) -> int:
    return -(-samples // ms_to_samples(LEDGER_FRAME_MS, VOICE_HZ))


def _late_frames(sent: Sequence[SentAudio], border_samples: Sequence[int]) -> int:
    late = position = 0
    runs_dry_ms: float | None = None
    for message in sent:
        end = position + message.samples
        at_border = any(position <= border < end for border in border_samples)
        allowed_ms = LATE_AT_BORDER_MS if at_border else LATE_TOLERANCE_MS
        if runs_dry_ms is not None and not message.after_hold and message.at_ms > runs_dry_ms + allowed_ms:
            late += _frames(message.samples)
        runs_dry_ms = max(message.at_ms, runs_dry_ms or message.at_ms) + message.samples * 1000 / VOICE_HZ
        position = end
    return late


def _holes(audio: Samples) -> list[int]:
    """Lengths, in samples, of the holes punched into the sound."""
    edge = ms_to_samples(HOLE_EDGE_MS, VOICE_HZ)
    return [
        end - start
        for start, end in _runs(np.abs(audio) <= HOLE_LEVEL, ms_to_samples(HOLE_MIN_MS, VOICE_HZ))
        if _level_dbfs(audio[max(start - edge, 0) : start]) > HOLE_EDGE_DBFS
        and _level_dbfs(audio[end : end + edge]) > HOLE_EDGE_DBFS
    ]


def _clipped_samples(audio: Samples) -> int:
    runs = _runs(audio >= CLIPPED_LEVEL, CLIPPED_RUN) + _runs(audio <= -CLIPPED_LEVEL, CLIPPED_RUN)
    return sum(end - start for start, end in runs)


def _border_jumps(audio: Samples, border_samples: Sequence[int]) -> int:
    if len(audio) == 0:
        return 0
    steps = np.abs(np.diff(audio, prepend=np.float32(0), append=np.float32(0)))
    nearby = ms_to_samples(JUMP_NEARBY_MS, VOICE_HZ)
    jumps = 0
    for border in {0, len(audio), *(border for border in border_samples if border < len(audio))}:
        around = np.concatenate((steps[max(border - nearby, 0) : border], steps[border + 1 : border + 1 + nearby]))
        jumps += bool(steps[border] > max(JUMP_FLOOR, JUMP_TIMES * float(around.max(initial=0))))
    return jumps


def _unexpected_silence_ms(audio: Samples) -> int:
    window = ms_to_samples(_SILENCE_WINDOW_MS, VOICE_HZ)
    whole = audio[: len(audio) // window * window].reshape(-1, window).astype(np.float64)
    silent = np.mean(whole**2, axis=1) < 10 ** (SILENCE_DBFS / 10)
    lengths_ms = (samples_to_ms((end - start) * window, VOICE_HZ) for start, end in _runs(silent))
    return sum(length_ms for length_ms in lengths_ms if length_ms > SILENCE_LIMIT_MS)


def _words_per_minute(audio: Samples, text: str) -> float | None:
    # A number takes about as many words as it has digits; what has neither digit nor letter is not said.
    digits = [sum(map(str.isdigit, word)) for word in text.split() if any(map(str.isalnum, word))]
    words = sum(max(count, 1) for count in digits)
    if words < WORDS_TO_JUDGE or len(audio) == 0:
        return None
    return words * 60 * VOICE_HZ / len(audio)


def _level_dbfs(audio: Samples) -> float:
    if len(audio) == 0:
        return -np.inf
    return float(10 * np.log10(np.mean(np.square(audio, dtype=np.float64)) + 1e-20))


def _runs(mask: NDArray[np.bool_], least: int = 1) -> list[tuple[int, int]]:
    """The stretches `[start, end)`, of at least so many, in which `mask` holds."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False)).reshape(-1, 2)
    return [(int(start), int(end)) for start, end in edges[edges[:, 1] - edges[:, 0] >= least]]
