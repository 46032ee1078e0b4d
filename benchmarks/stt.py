"""Word error rate and time of a pass of Whisper, by model and window policy."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, Findings
from benchmarks.samples import Sample, samples
from benchmarks.word_errors import plain_words, word_errors
from speakback.providers.adapters.whisper import Whisper
from speakback.providers.adapters.whisper_decoding import BASE_WINDOWS, LONGEST_MS, TINY_EN_WINDOWS, Window
from speakback.weights import resolve

POLICIES: dict[str, tuple[Window, ...]] = {
    "tiny.en default": TINY_EN_WINDOWS,
    "base default": BASE_WINDOWS,
    "clip + 1 s only": (Window(1000, 0, True),),
    "clip + 2 s only": (Window(2000, 0, True),),
    "8 s only": (Window(500, 8000, True),),
    "30 s only": (Window(500, LONGEST_MS, True),),
}


async def _figures(model: str, policy: str, clips: Sequence[Sample]) -> tuple[Figure, ...]:
    ear = Whisper(resolve(f"whisper-{model}"), name=model, workers=1, windows=POLICIES[policy])
    errors = words = 0
    times_ms = []
    for clip in clips:
        start = time.perf_counter()
        heard = await ear.transcribe(clip.audio_16k, language="en")
        times_ms.append((time.perf_counter() - start) * 1000)
        reference = plain_words(clip.text)
        errors += word_errors(reference, plain_words(heard.text))
        words += len(reference)
    await ear.aclose()
    return (
        Figure(f"{model}, {policy}: word error rate", 100 * errors / words, "%"),
        Figure(f"{model}, {policy}: one pass, median", statistics.median(times_ms), "ms"),
        Figure(f"{model}, {policy}: one pass, longest", max(times_ms), "ms"),
    )


async def measure(folder: Path | None) -> Findings:
    """Every model under every policy; `folder` holds clips and transcripts.json, None means spoken sentences."""
    clips = samples(folder)
    figures = [
        figure
        for model in ("tiny.en", "base")
        for policy in POLICIES
        for figure in await _figures(model, policy, clips)
    ]
    return Findings("stt", f"{len(clips)} clips", tuple(figures))
