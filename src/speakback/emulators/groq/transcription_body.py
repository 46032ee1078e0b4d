"""What a transcription is answered with. Pure."""

from dataclasses import dataclass
from zlib import compress

from speakback.emulators.content import HeardText
from speakback.emulators.groq.languages import ENGLISH_NAMES
from speakback.emulators.groq.transcription_request import TranscriptionRequest

TIMESTAMP_ZERO = 50365
"""Whisper's token of the time 0; each further one is 20 ms later."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How sure the model says it is."""

    avg_logprob: float
    no_speech_prob: float


def compression_ratio(text: str) -> float:
    """As Whisper measures repetition."""
    data = text.encode()
    return len(data) / len(compress(data)) if data else 0.0


def json_body(heard: HeardText, request_id: str) -> dict[str, object]:
    """Of `json`."""
    return {"text": spaced(heard.text), "x_groq": {"id": request_id}}


def verbose_body(
    heard: HeardText, duration_s: float, evidence: Evidence, request: TranscriptionRequest, request_id: str
) -> dict[str, object]:
    """Of `verbose_json`. `segments` is null where only words were asked for, and `words` absent where only segments."""
    words = [{"word": word.text, "start": word.start_ms / 1000, "end": word.end_ms / 1000} for word in heard.words]
    return {
        "task": "transcribe",
        "language": ENGLISH_NAMES[request.language or "en"],
        "duration": round(duration_s, 2),
        "text": spaced(heard.text),
        **({"words": words} if request.words else {}),
        "segments": [_segment(heard, duration_s, evidence, request)]
        if request.segments and heard.text
        else []
        if request.segments
        else None,
        "x_groq": {"id": request_id},
    }


def spaced(text: str) -> str:
    """The service's texts begin with a space."""
    return f" {text}" if text else ""


def _segment(
    heard: HeardText, duration_s: float, evidence: Evidence, request: TranscriptionRequest
) -> dict[str, object]:
    """All in one: what is said in a turn is seldom longer than Whisper's 30 s."""
    start_s = heard.words[0].start_ms / 1000 if heard.words else 0.0
    end_s = heard.words[-1].end_ms / 1000 if heard.words else round(duration_s, 2)
    spoken = [hash_token(word) for word in heard.text.split()]
    temperature = request.temperature
    return {
        "id": 0,
        "seek": 0,
        "start": start_s,
        "end": end_s,
        "text": spaced(heard.text),
        "tokens": [TIMESTAMP_ZERO + round(start_s * 50), *spoken, TIMESTAMP_ZERO + round(end_s * 50)],
        "temperature": int(temperature) if temperature.is_integer() else temperature,
        "avg_logprob": evidence.avg_logprob,
        "compression_ratio": round(compression_ratio(heard.text), 4),
        "no_speech_prob": evidence.no_speech_prob,
    }


def hash_token(word: str) -> int:
    """A number in the range of Whisper's text tokens; not the token that the word has."""
    return sum((at + 1) * ord(char) for at, char in enumerate(word)) % 50_000
