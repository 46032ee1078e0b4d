"""What Whisper is given and what is kept of its answer, as pure functions.

Whisper was trained on windows of 30 s. A shorter window is ten to twenty times cheaper, and the
words are right the first time, but then the decoder often goes round ("Hello? Hello? Hello? …"),
because nothing tells it to stop. Hence: timestamps past the clip's end are forbidden, tokens are
capped by the clip's length, a loop is cut, and when a guard trips the next longer window is tried.
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from speakback.audio.mel import HOP_SAMPLES
from speakback.timebase import EAR_HZ, ms_to_samples, samples_to_ms

TIMESTAMP_MS = 20
LONGEST_MS = 30_000
LONGEST_TIMESTAMP = LONGEST_MS // TIMESTAMP_MS

_TOKENS_PER_S = 7
"""Quick talkers reach five words a second, and 1.3 tokens a word."""
_SPARE_TOKENS = 7
_PAST_END_MS = 100
_COMPRESSION_LIMIT = 2.4
_LOGPROB_LIMIT = -1.0
_SURELY_SPEECH_BELOW = 0.5
_WORDS_PER_S_LIMIT = 6.0
_PHRASE_WORDS = 3
_LONGEST_LOOP_WORDS = 40
_PAUSED_ENDING = ".,?!…;:-\"' "


@dataclass(frozen=True, slots=True)
class Window:
    """One way to decode: silence is added after the clip until both lengths are reached."""

    tail_ms: int
    least_ms: int
    timestamps: bool
    repetition_penalty: float = 1.0

    def frames(self, clip_samples: int) -> int:
        """Mel frames of the window; even, as the encoder halves them, and at most 30 s."""
        wanted = clip_samples + ms_to_samples(self.tail_ms, EAR_HZ)
        frames = -(-max(wanted, ms_to_samples(self.least_ms, EAR_HZ)) // HOP_SAMPLES)
        return min(frames + frames % 2, ms_to_samples(LONGEST_MS, EAR_HZ) // HOP_SAMPLES)


TINY_EN_WINDOWS = (Window(2000, 0, True), Window(500, 8000, True, 1.1), Window(500, LONGEST_MS, True))
BASE_WINDOWS = (Window(500, 8000, False), Window(500, 8000, True, 1.1), Window(500, LONGEST_MS, True))


@dataclass(frozen=True, slots=True)
class Segment:
    """Words between two timestamps, within the clip."""

    start_ms: int
    end_ms: int
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the model thinks of its own answer: natural-log probability a token, and of there being no speech."""

    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float

    @property
    def confidence(self) -> float:
        """exp(avg_logprob) · (1 − no_speech_prob) · min(1, 2.4 / compression_ratio), in [0, 1]."""
        compressible = min(1.0, _COMPRESSION_LIMIT / self.compression_ratio)
        return min(1.0, math.exp(self.avg_logprob)) * (1.0 - self.no_speech_prob) * compressible


@dataclass(frozen=True, slots=True)
class Pass:
    """One decoding of a clip, loops cut. `complaint` says which guard tripped, None when it is good."""

    segments: tuple[Segment, ...]
    evidence: Evidence
    complaint: str | None

    @property
    def text(self) -> str:
        """The words joined by spaces."""
        return " ".join(word for segment in self.segments for word in segment.words)


@dataclass(frozen=True, slots=True)
class RawSegment:
    """What stands between two timestamp tokens; `end_ms` is None where the decoder gave none."""

    start_ms: int
    end_ms: int | None
    token_ids: tuple[int, ...]


def token_cap(clip_samples: int) -> int:
    """How many tokens (timestamps included) the decoder may write for a clip."""
    return clip_samples * _TOKENS_PER_S // EAR_HZ + _SPARE_TOKENS


def last_timestamp(clip_samples: int) -> int:
    """The last timestamp that may be written, in steps of 20 ms: just past the clip's end."""
    end_ms = samples_to_ms(clip_samples, EAR_HZ) + _PAST_END_MS
    return min(LONGEST_TIMESTAMP, -(-end_ms // TIMESTAMP_MS))


def raw_segments(token_ids: Sequence[int], *, first_timestamp_id: int, end_of_text_id: int) -> list[RawSegment]:
    """Cut a decoder's answer at its timestamps; other special tokens are dropped."""
    segments: list[RawSegment] = []
    start_ms, text = 0, []
    for token_id in token_ids:
        if token_id < end_of_text_id:
            text.append(token_id)
        elif token_id >= first_timestamp_id:
            at_ms = (token_id - first_timestamp_id) * TIMESTAMP_MS
            if text:
                segments.append(RawSegment(start_ms, at_ms, tuple(text)))
                text = []
            start_ms = at_ms
    if text:
        segments.append(RawSegment(start_ms, None, tuple(text)))
    return segments


def judge(segments: Sequence[Segment], evidence: Evidence, *, clip_ms: int, capped: bool) -> Pass:
    """Keep what was said within the clip, cut loops, and look at the guards.

    `evidence.compression_ratio` is replaced by that of the text kept.
    """
    inside = [segment for segment in segments if segment.start_ms < max(1, clip_ms - _PAST_END_MS)]
    words = [word for segment in inside for word in segment.words]
    too_fast = len(words) * 1000 > _WORDS_PER_S_LIMIT * clip_ms
    kept = words_before_loop(words, runaway=capped or too_fast)
    cut = _first_words(inside, kept)
    if kept < len(words):  # a loop squeezes the first round's timestamps
        cut = (*cut[:-1], replace(cut[-1], end_ms=clip_ms))
    ratio = compression_ratio(" ".join(words[:kept]))
    known = Evidence(evidence.avg_logprob, evidence.no_speech_prob, ratio)
    if capped and kept == len(words):
        complaint = "did not end"
    elif segments and not inside:
        complaint = "only text past the end"
    elif ratio > _COMPRESSION_LIMIT:
        complaint = "repeats itself"
    elif evidence.avg_logprob < _LOGPROB_LIMIT and evidence.no_speech_prob < _SURELY_SPEECH_BELOW:
        complaint = "improbable"
    else:
        complaint = None
    return Pass(cut, known, complaint)


def words_before_loop(words: Sequence[str], *, runaway: bool) -> int:
    """How many of the words to keep so that a loop at the end is said once.

    A phrase of three words or more said twice in a row is a loop. A shorter one ("no, no") is only
    where the decoder ran away (it was capped, or wrote faster than people talk); then an unfinished
    last round is a loop, too.
    """
    plain = [word.lower().strip(_PAUSED_ENDING) for word in words]
    keep = len(plain)
    for period in range(1, min(_LONGEST_LOOP_WORDS, len(plain) - 1) + 1):
        repeated = 0
        while repeated < len(plain) - period and plain[-1 - repeated] == plain[-1 - repeated - period]:
            repeated += 1
        whole = repeated >= period
        if (whole and period >= _PHRASE_WORDS) or (runaway and (whole or repeated > 0 and period >= _PHRASE_WORDS)):
            keep = min(keep, len(plain) - repeated)
    return keep


def compression_ratio(text: str) -> float:
    """Bytes of the text against its bytes compressed: above 2.4 it repeats itself. 1 or less for short texts."""
    raw = text.encode()
    return max(len(raw), 1) / len(zlib.compress(raw))


def _first_words(segments: Sequence[Segment], count: int) -> tuple[Segment, ...]:
    kept = []
    for segment in segments:
        words = segment.words[:count]
        count -= len(words)
        if words:
            kept.append(Segment(segment.start_ms, segment.end_ms, words))
    return tuple(kept)
