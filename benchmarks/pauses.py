"""The pauses of recordings: where the VAD hears one, and whether the turn was over there by a reference.

A folder may hold meetings (NAME.words.rttm beside NAME.flac: runs of words a speaker), read clips
(transcripts.json) and synthetic phrases (phrases.json). Positions are samples at 16 kHz.
"""

import asyncio
import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.samples import read_clip, samples
from speakback.audio.pcm import Samples
from speakback.session.ears import Ears, HeardEdge
from speakback.session.echo import EchoGuard
from speakback.session.settings import Hearing
from speakback.timebase import EAR_HZ, ms_to_samples, samples_to_ms
from speakback.vad.hysteresis import FRAME_SAMPLES, VoiceStarted
from speakback.vad.scorer import VadScorer

MEETING, READ, SYNTHETIC = "meeting", "read", "synthetic"
TAIL_MS = 1_500
"""Silence after a clip, as faint noise: digital zeros are no room."""
TAIL_RMS = 1e-4
LAPSE_MS = 2_000
"""A longer silence in a meeting is nobody's pause, though its last speaker be the next: people's last 1.96 s at p99."""
WINDOW_S, SLACK_S = 0.6, 0.1
"""Who speaks is looked up this far into the voice and this far beyond its edge: words are placed to about 0.1 s."""


@dataclass(frozen=True, slots=True)
class Run:
    """Words of one speaker without a long break."""

    speaker: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording with its reference."""

    name: str
    source: str
    audio_16k: Samples
    runs: tuple[Run, ...] = ()
    """Of a meeting; empty: one speaker, whose pauses are all within the turn."""
    whole: bool = True
    """Whether the speaker has finished at the end; not asked of a meeting's excerpt."""
    says: str = ""
    """Of synthetic clips: the same for those with the same words, which belong together when some are left out."""

    @property
    def group(self) -> str:
        """What must be left out together."""
        return self.says or self.name


@dataclass(frozen=True, slots=True)
class Voiced:
    """A stretch of voice as the VAD hears it."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Pause:
    """A silence after voice."""

    voiced: Voiced
    over: bool | None
    """Whether the turn was over; None: the reference does not say."""
    lasts_ms: int | None
    """Until the voice came back; None: to the end of the clip."""


def clips(folder: Path) -> list[Clip]:
    """All recordings of `folder` that have a reference."""
    found = [
        Clip(path.name.removesuffix(".words.rttm"), MEETING, read_clip(_audio_of(path)), runs_of(path.read_text()))
        for path in sorted(folder.glob("*.words.rttm"))
    ]
    if (folder / "transcripts.json").exists():
        found += [Clip(clip.name, READ, clip.audio_16k, whole=is_whole(clip.text)) for clip in samples(folder)]
    if (folder / "phrases.json").exists():
        items = json.loads((folder / "phrases.json").read_text())["items"]
        found += [Clip(item["file"], SYNTHETIC, read_clip(folder / item["file"]), says=item["text"]) for item in items]
    return found


def _audio_of(reference: Path) -> Path:
    return reference.with_name(reference.name.replace(".words.rttm", ".flac"))


def runs_of(rttm: str) -> tuple[Run, ...]:
    """The speaker lines of an RTTM file, in order of their starts."""
    fields = [line.split() for line in rttm.splitlines() if line.startswith("SPEAKER")]
    return tuple(
        sorted(
            (Run(field[7], float(field[3]), float(field[3]) + float(field[4])) for field in fields),
            key=lambda run: run.start_s,
        )
    )


def is_whole(text: str) -> bool:
    """Whether a read text ends its sentence; one without case and marks is a sentence by itself."""
    return text.endswith((".", "?", "!")) or not any(mark.isupper() or mark in ",;:" for mark in text)


def with_tail(audio_16k: Samples) -> Samples:
    """The clip and a quiet room after it, so that its last pause can be heard."""
    tail = np.random.default_rng(0).normal(0.0, TAIL_RMS, ms_to_samples(TAIL_MS, EAR_HZ))
    return np.concatenate((audio_16k, tail.astype(np.float32)))


async def voiced_stretches(vad: VadScorer, audio_16k: Samples) -> list[Voiced]:
    """Where a session's ears hear voice."""
    edges: list[HeardEdge] = []
    frames = len(audio_16k) // FRAME_SAMPLES
    heard = asyncio.Semaphore(0)
    ears = Ears(vad, Hearing(), EchoGuard(), on_edge=edges.append, on_frame=lambda _: heard.release())
    for place in range(frames):
        frame = audio_16k[place * FRAME_SAMPLES : (place + 1) * FRAME_SAMPLES]
        ears.hear(frame, samples_to_ms((place + 1) * FRAME_SAMPLES, EAR_HZ))
        await heard.acquire()
    ears.close()
    stretches = []
    for begun, ended in pairwise(edges):
        if isinstance(begun.edge, VoiceStarted):
            stretches.append(Voiced(begun.edge.sample, ended.edge.sample))
    return stretches


def pauses_of(clip: Clip, stretches: list[Voiced]) -> list[Pause]:
    """Each silence after voice, judged by the clip's reference."""
    found = [
        Pause(voiced, _is_over(clip.runs, voiced.stop, later.start), samples_to_ms(later.start - voiced.stop, EAR_HZ))
        for voiced, later in pairwise(stretches)
    ]
    if stretches:
        found.append(Pause(stretches[-1], None if clip.runs else clip.whole, None))
    return found


def _is_over(runs: tuple[Run, ...], stop: int, start: int) -> bool | None:
    """In a meeting: whether nobody who spoke up to `stop` speaks from `start` on; None where that is not known."""
    if not runs:
        return False
    if start - stop > ms_to_samples(LAPSE_MS, EAR_HZ):
        return None
    before = _speaking(runs, stop / EAR_HZ - WINDOW_S, stop / EAR_HZ + SLACK_S)
    after = _speaking(runs, start / EAR_HZ - SLACK_S, start / EAR_HZ + WINDOW_S)
    return before.isdisjoint(after) if before and after else None


def _speaking(runs: tuple[Run, ...], from_s: float, to_s: float) -> frozenset[str]:
    """Who speaks most of the time in a window, and whoever speaks at least half as long."""
    spoken_s: dict[str, float] = {}
    for run in runs:
        inside_s = min(run.end_s, to_s) - max(run.start_s, from_s)
        spoken_s[run.speaker] = spoken_s.get(run.speaker, 0.0) + max(inside_s, 0.0)
    most_s = max(spoken_s.values(), default=0.0)
    return frozenset(speaker for speaker, length_s in spoken_s.items() if length_s > 0 and 2 * length_s >= most_s)
