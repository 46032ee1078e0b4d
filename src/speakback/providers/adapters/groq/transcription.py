"""Groq's `verbose_json`, read tolerantly, and what of it somebody said. Pure.

`duration` may be a number or text, `language` a name or a code (both are left unread); `words` and `segments` may be
missing; word times may overlap or step back.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from speakback.audio.pcm import Samples
from speakback.audio.voicing import measure_voicing
from speakback.providers.adapters.whisper_decoding import compression_ratio
from speakback.providers.hallucination import KNOWN_INVENTIONS, Heard, invention, plain, voice_share, without_sounds
from speakback.providers.stt import TimedWord, Transcript
from speakback.timebase import EAR_HZ, samples_to_ms

LARGE_KNOWN_INVENTIONS = KNOWN_INVENTIONS | {"dziękuję", "시청해주셔서 감사합니다"}
KNOWN_NO_SPEECH = 0.06
"""Of a known invention: above this nobody said it, unless there is a voice. Real speech measures below 0.02."""
CLEAR_VOICE = 0.5
"""Share of a voice in the sound (`voice_share`) that proves a known invention to be said."""


class NotATranscription(ValueError):
    """The answer has not the form of a transcription; the message says in what, and never quotes it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the answer with the model's evidence; None where it gives none."""

    duration_s: float
    avg_logprob: float | None
    no_speech_prob: float | None
    compression_ratio: float | None


@dataclass(frozen=True, slots=True)
class Transcription:
    """The answer. `words` are (text, start in s, end in s) as they came."""

    text: str
    words: tuple[tuple[str, float, float], ...]
    segments: tuple[Segment, ...]


def read_transcription(body: bytes) -> Transcription:
    """Raises `NotATranscription`."""
    try:
        answer: object = json.loads(body)
    except (ValueError, RecursionError):
        raise NotATranscription("is not JSON") from None
    text = answer.get("text") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(text, str):
        raise NotATranscription("has no text")
    words = tuple(word for entry in _entries(answer, "words") if (word := _word(entry)) is not None)
    return Transcription(
        _writable(text),
        words,
        tuple(_segment(entry) for entry in _entries(answer, "segments")),
    )


def said(transcription: Transcription, audio_16k: Samples) -> Transcript:
    """What somebody said, by the gate on inventions; the times are within the audio and ascend."""
    text = without_sounds(transcription.text)
    confidence = _mean(transcription.segments, [_probability(one.avg_logprob) for one in transcription.segments])
    reason = _invention(transcription, audio_16k)
    if reason is not None:
        return Transcript("", (), confidence, rejected=reason)
    return Transcript(text, _timed(transcription.words, samples_to_ms(len(audio_16k), EAR_HZ)), confidence)


def _invention(transcription: Transcription, audio_16k: Samples) -> str | None:
    segments = transcription.segments
    voicing = measure_voicing(audio_16k)
    no_speech_prob = _mean(segments, [one.no_speech_prob for one in segments])
    told_ratios = [one.compression_ratio for one in segments if one.compression_ratio is not None]
    heard = Heard(
        transcription.text,
        voicing,
        _mean(segments, [one.avg_logprob for one in segments]),
        no_speech_prob,
        max([compression_ratio(transcription.text), *told_ratios]),
    )
    is_known = plain(without_sounds(transcription.text)) in LARGE_KNOWN_INVENTIONS
    if is_known and (no_speech_prob or 0.0) > KNOWN_NO_SPEECH and voice_share(voicing) < CLEAR_VOICE:
        return "a known invention"
    return invention(heard)


def _timed(words: tuple[tuple[str, float, float], ...], clip_ms: int) -> tuple[TimedWord, ...]:
    timed = []
    edge_ms = 0
    for text, start_s, end_s in sorted(words, key=lambda word: word[1]):
        start_ms = min(max(round(start_s * 1000), edge_ms), clip_ms)
        edge_ms = min(max(round(end_s * 1000), start_ms), clip_ms)
        timed.append(TimedWord(text, start_ms, edge_ms))
    return tuple(timed)


def _mean(segments: tuple[Segment, ...], values: list[float | None]) -> float | None:
    """Weighted by duration; None where there is no evidence."""
    known = [(value, one.duration_s) for value, one in zip(values, segments, strict=True) if value is not None]
    whole_s = sum(duration_s for _, duration_s in known)
    if not whole_s:
        return sum(value for value, _ in known) / len(known) if known else None
    return sum(value * duration_s for value, duration_s in known) / whole_s


def _probability(avg_logprob: float | None) -> float | None:
    return None if avg_logprob is None else math.exp(min(0.0, avg_logprob))


def _entries(answer: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    entries = answer.get(key)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _word(entry: Mapping[str, object]) -> tuple[str, float, float] | None:
    text, start_s, end_s = entry.get("word"), _number(entry.get("start")), _number(entry.get("end"))
    if not isinstance(text, str) or not text.strip() or start_s is None or end_s is None:
        return None
    return _writable(text), start_s, end_s


def _writable(text: str) -> str:
    """Without spaces around it (the service puts one before), nor halves of characters, which JSON can hold."""
    return text.encode("utf-8", "replace").decode().strip()


def _segment(entry: Mapping[str, object]) -> Segment:
    start_s, end_s = _number(entry.get("start")) or 0.0, _number(entry.get("end")) or 0.0
    return Segment(
        max(0.0, end_s - start_s),
        _number(entry.get("avg_logprob")),
        _number(entry.get("no_speech_prob")),
        _number(entry.get("compression_ratio")),
    )


def _number(value: object) -> float | None:
    """A finite number, also where it is written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
