"""How well the sound, the words and both together tell an ended turn from one cut short.

Each clip is scored at its end, and cut at 30, 50 and 70 % of its length.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Figure, Findings
from benchmarks.samples import Sample, samples
from speakback.audio.pcm import Samples
from speakback.audio.voicing import FRAME_MS, frame_levels_dbfs
from speakback.providers.adapters.smart_turn import SmartTurn
from speakback.providers.adapters.whisper import Whisper
from speakback.timebase import EAR_HZ, ms_to_samples
from speakback.turn.end_of_turn import end_of_turn_probability, word_completeness
from speakback.weights import resolve

CUTS = (0.3, 0.5, 0.7)
LONGEST_S = 28
THRESHOLDS = (0.3, 0.5, 0.7)


@dataclass(frozen=True, slots=True)
class Scored:
    """One stretch: whether it was the end, and what each source says (0.5 where it says nothing)."""

    ended: bool
    acoustic: float
    words: float
    combined: float


def voiced_to(audio_16k: Samples) -> Samples:
    """The audio up to its last sounding frame plus 50 ms."""
    levels = frame_levels_dbfs(audio_16k)
    last = int(np.flatnonzero(levels > np.percentile(levels, 90) - 25.0)[-1])
    return audio_16k[: ms_to_samples((last + 1) * FRAME_MS + 50, EAR_HZ)]


async def scored(clip: Sample, model: SmartTurn, ear: Whisper) -> list[Scored]:
    """The clip's end and its cuts."""
    whole = voiced_to(clip.audio_16k[: LONGEST_S * EAR_HZ])
    stretches = [(True, whole), *((False, voiced_to(whole[: int(len(whole) * cut)])) for cut in CUTS)]
    rows = []
    for ended, audio in stretches:
        acoustic = await model.score(audio)
        words = word_completeness((await ear.transcribe(audio, language="en")).text)
        combined = end_of_turn_probability(acoustic, words)
        rows.append(Scored(ended, acoustic, 0.5 if words is None else words, 0.5 if combined is None else combined))
    return rows


def area_under_curve(ended: NDArray[np.float64], cut: NDArray[np.float64]) -> float:
    """How often an ended stretch scores above a cut one; ties count half."""
    return float(np.mean([(high > low) + 0.5 * (high == low) for high in ended for low in cut]))


async def measure(folder: Path | None) -> Findings:
    """Score all stretches; `folder` holds clips and transcripts.json, None means spoken sentences."""
    clips = samples(folder)
    model = SmartTurn(resolve("smart-turn-v3.2") / "smart-turn-v3.2-cpu.onnx", name="smart-turn")
    ear = Whisper(resolve("whisper-tiny.en"), name="whisper", workers=1)
    rows = [row for clip in clips for row in await scored(clip, model, ear)]
    await ear.aclose()
    await model.aclose()
    figures: list[Figure] = []
    for source in ("acoustic", "words", "combined"):
        ended = np.array([float(getattr(row, source)) for row in rows if row.ended])
        cut = np.array([float(getattr(row, source)) for row in rows if not row.ended])
        figures.append(Figure(f"{source}: an end scores above a cut", 100 * area_under_curve(ended, cut), "%"))
        for limit in THRESHOLDS:
            figures.append(Figure(f"{source}: ends above {limit}", 100 * float(np.mean(ended > limit)), "%"))
            figures.append(Figure(f"{source}: cuts above {limit}", 100 * float(np.mean(cut > limit)), "%"))
    return Findings("end_of_turn", f"{len(clips)} ends, {len(rows) - len(clips)} cuts", tuple(figures))
