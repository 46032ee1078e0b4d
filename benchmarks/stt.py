"""Word error rate and time a pass of Whisper, by model and window policy.

python benchmarks/stt.py [FOLDER]     FOLDER holds clips and transcripts.json; without it, spoken sentences
"""

import asyncio
import re
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from samples import Sample, samples

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


def plain_words(text: str) -> list[str]:
    """Lower case, without punctuation, as word error rate compares."""
    return re.sub(r"[^a-z0-9' ]+", " ", text.lower()).split()


def word_errors(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Fewest insertions, deletions and substitutions between the two."""
    row = list(range(len(heard) + 1))
    for index, word in enumerate(reference, 1):
        diagonal, row[0] = row[0], index
        for place, other in enumerate(heard, 1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (word != other))
    return row[-1]


async def measure(model: str, policy: str, clips: Sequence[Sample]) -> str:
    """One row of the table."""
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
    median_ms, worst_ms = statistics.median(times_ms), max(times_ms)
    return f"{model:8} {policy:16} {errors / words:6.3f} {median_ms:8.0f} {worst_ms:8.0f}"


async def main() -> None:
    clips = samples(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    print(f"{len(clips)} clips\nmodel    windows             WER median ms  max ms")
    for model in ("tiny.en", "base"):
        for policy in POLICIES:
            print(await measure(model, policy, clips))


if __name__ == "__main__":
    asyncio.run(main())
