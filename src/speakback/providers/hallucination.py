"""Text that a speech recogniser invents on silence and noise, and how to know it from real words.

Whisper, given no speech, writes what often stood under silent video ("Thank you.", "you", "Bye."),
or babbles. A person says these words, too. So no text is refused for its words alone: the model's
own doubt and the sound decide, and words that are known inventions need somewhat better proof.
"""

import math
import re
from dataclasses import dataclass

from speakback.audio.voicing import Voicing

KNOWN_INVENTIONS = frozenset(
    {
        "",
        "you",
        "thank you",
        "thanks",
        "thank you very much",
        "thank you so much",
        "thanks for watching",
        "thank you for watching",
        "thanks for listening",
        "please subscribe",
        "bye",
        "bye bye",
        "so",
        "oh",
        "i",
        "im",
        "i am",
        "the",
        "uh",
        "okay",
        "im sorry",
        "the end",
        "subtitles by the amaraorg community",
    }
)
"""Lower case, letters and digits only, as `plain` makes them. Seen on silence, hum, clicks, music and breath."""

_BRACKETED = re.compile(r"\[[^\]\d]*(?:\]|$)|\([^)\d]*(?:\)|$)|\*[^*\d]*\*|[♪♫]+[^♪♫]*[♪♫]*")
_NOT_PLAIN = re.compile(r"[^\w\s]|_")
_COMPRESSION_LIMIT = 2.4
_QUIETEST_DBFS = -65.0
_LEAST_PROB = 1e-3


@dataclass(frozen=True, slots=True)
class Heard:
    """Evidence about one transcript. `None` where the provider gives none."""

    text: str
    voicing: Voicing
    avg_logprob: float | None
    no_speech_prob: float | None
    compression_ratio: float | None


def without_sounds(text: str) -> str:
    """The text without bracketed sounds such as "[BLANK_AUDIO]", "(music)", "*sighs*" and "♪ la ♪"."""
    return " ".join(_BRACKETED.sub(" ", text).split())


def plain(text: str) -> str:
    """Lower case, letters, digits and single spaces only."""
    return " ".join(_NOT_PLAIN.sub("", text.lower()).split())


def invention(heard: Heard) -> str | None:
    """Why the text must be thrown away, or None when somebody said it. The reason never quotes the text."""
    words = plain(without_sounds(heard.text))
    if not words:
        return "no words" if not plain(heard.text) else "a sound, not words"
    if heard.voicing.level_dbfs < _QUIETEST_DBFS:
        return "invented on silence"
    doubt = doubt_log_odds(heard) + (DOUBT_KNOWN if words in KNOWN_INVENTIONS else 0.0)
    if doubt > 0.0:
        return "invented on noise" if heard.voicing.gliding_ms else "invented without a voice"
    if heard.compression_ratio is not None and heard.compression_ratio > _COMPRESSION_LIMIT:
        return "repeats itself"
    return None


# A logistic regression on what tiny.en and base wrote for 480 clips each of synthetic noise (silence, white and pink
# noise, hum, clicks, keys, breath, tones, chords, beeps, thumps), against short words of two synthetic voices down to
# 6 dB above pink noise, synthetic phrases, read clips and meeting turns. Rounded; `known` raised from 0.2.
DOUBT_BIAS = -1.5
DOUBT_NO_SPEECH = 1.5
DOUBT_LOGPROB = 1.7
DOUBT_VOICE = 3.6
DOUBT_KNOWN = 0.5


def doubt_log_odds(heard: Heard) -> float:
    """How much the evidence, apart from the words, speaks for an invention: above 0 more than not."""
    voicing = heard.voicing
    doubt = DOUBT_BIAS - DOUBT_VOICE * voice_share(voicing)
    if heard.no_speech_prob is not None:
        prob = min(max(heard.no_speech_prob, _LEAST_PROB), 1.0 - _LEAST_PROB)
        doubt += DOUBT_NO_SPEECH * math.log(prob / (1.0 - prob))
    if heard.avg_logprob is not None:
        doubt -= DOUBT_LOGPROB * heard.avg_logprob
    return doubt


def voice_share(voicing: Voicing) -> float:
    """From 0 (no voice) to 1: how much of the sound's periodic part glides, once there is 0.1 s of it."""
    if not voicing.voiced_ms:
        return 0.0
    return voicing.gliding_ms / voicing.voiced_ms * min(1.0, voicing.gliding_ms / 100.0)
