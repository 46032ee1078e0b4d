"""Clips with their texts, for the benchmarks: a folder's, or sentences spoken by the local voice."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from hibari import Hibari

from speakback.audio.pcm import Samples
from speakback.timebase import EAR_HZ, VOICE_HZ

SENTENCES = (
    "Hello, how are you today?",
    "Could you tell me when the next train to London leaves?",
    "I would like to change my appointment to Thursday afternoon.",
    "The weather was lovely, so we walked along the river.",
    "No, that is not what I meant.",
    "Please send the invoice to my office, and a copy to my home address.",
    "What is the difference between the two plans?",
    "Thank you very much.",
    "My sister bought an old piano, but nobody in the family can play it.",
    "Okay, let us do it that way.",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A clip at 16 kHz and what is said in it."""

    name: str
    audio_16k: Samples
    text: str


def samples(folder: Path | None) -> list[Sample]:
    """Those of `folder/transcripts.json` (`{"items": {file: {"text": ...}}}`), or spoken sentences."""
    if folder is None:
        voice = Hibari(threads=1)
        return [Sample(f"spoken {n}", _spoken(voice, text), text) for n, text in enumerate(SENTENCES)]
    items = json.loads((folder / "transcripts.json").read_text())["items"]
    return [Sample(file, read_clip(folder / file), item["text"]) for file, item in items.items()]


def _spoken(voice: Hibari, text: str) -> Samples:
    audio_24k = np.concatenate(list(voice.stream(text, seed=1)))
    return np.asarray(soxr.resample(audio_24k, VOICE_HZ, EAR_HZ), np.float32)


def read_clip(file: Path) -> Samples:
    """A sound file as mono at 16 kHz."""
    audio, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(audio.mean(axis=1), rate_hz, EAR_HZ), np.float32)
