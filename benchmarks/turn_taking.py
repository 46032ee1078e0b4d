"""Real pauses, judged as a session judges them: what each endpointing policy would have cut into, and how late.

The VAD, Smart Turn and Whisper run on each recording up to each pause through the session's own `UserTurn`; the
policies are then asked with the evidence that there is at each moment. A cut-in does not change what follows: every
pause is judged as if the turn had gone on until there.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from benchmarks.calibration import Outcome, comparisons, reliability
from benchmarks.end_of_turn import area_under_curve
from benchmarks.figures import Figure, Findings
from benchmarks.pauses import MEETING, READ, SYNTHETIC, Clip, Pause, clips, pauses_of, voiced_stretches, with_tail
from benchmarks.process import NotToldHere
from speakback.providers.adapters.smart_turn import SmartTurn
from speakback.providers.adapters.whisper import Whisper
from speakback.session.settings import Hearing
from speakback.session.turn_audio import TurnAudio
from speakback.session.user_turn import UserTurn
from speakback.timebase import EAR_HZ, TurnId, ms_to_samples, samples_to_ms
from speakback.turn.end_of_turn import end_of_turn_probability, word_completeness
from speakback.turn.endpointing import CalibratedEndpointing, Endpointing, FixedEndpointing, PauseEvidence
from speakback.turn.reading import unfinished
from speakback.turn.strategies import STRATEGIES
from speakback.turn.words import Unfinished
from speakback.vad.hysteresis import VadConfig
from speakback.vad.silero import SileroVad
from speakback.weights import resolve

POLICIES: dict[str, Endpointing] = {
    "fixed 500 ms": FixedEndpointing(500),
    **{name: config.endpointing for name, config in STRATEGIES.items()},
    "overlap-aware, not learning": CalibratedEndpointing(learns=False),
}
SOUND_MS, WORDS_MS = 70, 150
"""When the evidence comes, after the VAD has noticed a pause: as on an idle machine, so that runs can be compared."""
VAD = VadConfig()


@dataclass(frozen=True, slots=True)
class Judged:
    """One pause and what a session finds out about it."""

    group: str
    source: str
    pause: Pause
    text: str
    acoustic: float
    words: float | None
    spoken_ms: int
    own_pauses_ms: tuple[int, ...]
    sound_took_ms: float
    words_took_ms: float

    @property
    def combined(self) -> float:
        """The session's probability that the turn is over."""
        probability = end_of_turn_probability(self.acoustic, self.words)
        assert probability is not None
        return probability


@dataclass(frozen=True, slots=True)
class Models:
    """What listens."""

    vad: SileroVad
    sound: SmartTurn
    ear: Whisper

    async def aclose(self) -> None:
        """Release them."""
        await self.ear.aclose()
        await self.sound.aclose()
        await self.vad.aclose()


def loaded() -> Models:
    """The models of the default configuration; call it on the event loop."""
    return Models(
        SileroVad(resolve("silero-vad") / "silero_vad.onnx"),
        SmartTurn(resolve("smart-turn-v3.2") / "smart-turn-v3.2-cpu.onnx", name="smart-turn"),
        Whisper(resolve("whisper-tiny.en"), name="whisper", workers=1),
    )


async def judged(clip: Clip, models: Models) -> list[Judged]:
    """All pauses of a clip; a turn goes on until its reference says that it is over."""
    audio_16k = with_tail(clip.audio_16k)
    audio = TurnAudio()
    audio.append(audio_16k)
    pauses = pauses_of(clip, await voiced_stretches(models.vad, audio_16k))
    rows: list[Judged] = []
    own: list[int] = []
    turn: UserTurn | None = None
    ended = 0
    for number, pause in enumerate(pauses):
        if turn is None:
            turn, own = _opened(audio, pause.voiced.start, ended, models), own if not clip.runs else []
        else:
            turn.go_on()
        turn.begin_pause(number)
        begun = perf_counter()
        acoustic = await turn.score(pause.voiced.stop)
        scored = perf_counter()
        text = (await turn.transcribed_to(pause.voiced.stop)).text
        read = perf_counter()
        assert acoustic is not None
        spoken_ms = samples_to_ms(pause.voiced.stop - turn.onset, EAR_HZ)
        took_ms = (1000 * (scored - begun), 1000 * (read - scored))
        rows.append(
            Judged(
                clip.group, clip.source, pause, text, acoustic, word_completeness(text), spoken_ms, tuple(own), *took_ms
            )
        )
        if pause.over is False and pause.lasts_ms is not None:
            own.append(pause.lasts_ms)
        if pause.over is not False:
            turn, ended = None, pause.voiced.stop
    return rows


def _opened(audio: TurnAudio, onset: int, earliest: int, models: Models) -> UserTurn:
    return UserTurn(
        TurnId(1),
        "item",
        audio,
        onset=onset,
        start=max(earliest, onset - ms_to_samples(Hearing().preroll_ms, EAR_HZ)),
        stt=models.ear,
        end_of_turn=models.sound,
        language="en",
        spawn=lambda work: asyncio.create_task(work),
    )


def ends_after_ms(policy: Endpointing, row: Judged) -> int:
    """The silence after which the policy ends the turn, as evidence comes in: none, the sound's, the words' too."""
    noticed_ms = VAD.min_silence_ms
    sound_only = end_of_turn_probability(row.acoustic, None)
    known = (
        (noticed_ms, None, Unfinished.NO, False),
        (noticed_ms + SOUND_MS, sound_only, Unfinished.NO, False),
        (noticed_ms + WORDS_MS, row.combined, unfinished(row.text), True),
    )
    until_ms = (known[1][0], known[2][0], math.inf)
    for (since_ms, probability, lacking, is_read), next_ms in zip(known, until_ms, strict=True):
        evidence = PauseEvidence(probability, row.spoken_ms, lacking, is_read, row.own_pauses_ms)
        due_ms = max(policy.silence_ms(evidence), since_ms)
        if due_ms < next_ms:
            return due_ms
    raise AssertionError("the last evidence has no end")


def cuts_in(ends_ms: int, pause: Pause) -> bool:
    """Whether the turn is ended before the session hears that speech went on."""
    return pause.lasts_ms is not None and ends_ms < pause.lasts_ms + VAD.min_speech_ms


async def measure(folder: Path | None) -> Findings:
    """Judge all pauses of the recordings in `folder`. Raises `NotToldHere` without one."""
    if folder is None:
        raise NotToldHere("pauses of people are needed; name a folder of recordings with --clips")
    models = loaded()
    try:
        rows = [row for clip in clips(folder) for row in await judged(clip, models)]
    finally:
        await models.aclose()
    return findings(rows)


def findings(rows: Sequence[Judged]) -> Findings:
    """The tables: policies, sources, reliability, and what other coefficients would do."""
    recorded = [row for row in rows if row.source != SYNTHETIC]
    ends = [row for row in rows if row.pause.over]
    holds = [row for row in rows if row.pause.over is False]
    synthetic, meetings = (sum(row.source == kind for row in [*ends, *holds]) for kind in (SYNTHETIC, MEETING))
    sound_ms, words_ms = median(row.sound_took_ms for row in rows), median(row.words_took_ms for row in rows)
    known = [
        Outcome(row.group, row.source == SYNTHETIC, bool(row.pause.over), row.acoustic, row.words)
        for row in (*ends, *holds)
    ]
    figures = [
        *(figure for name, policy in POLICIES.items() for figure in _policy_figures(name, policy, rows)),
        *_source_figures("recorded", recorded),
        *_source_figures("recorded and synthetic", rows),
        *reliability(known),
        *comparisons(known),
    ]
    return Findings(
        "turn_taking",
        f"{len(holds)} pauses within turns, {len(ends)} ends ({synthetic} synthetic)",
        tuple(figures),
        (
            f"{meetings} pauses and ends are of meetings (far microphone), the other recorded ones of read clips.",
            f"Evidence is taken to come {SOUND_MS} ms (sound) and {WORDS_MS} ms (words) after the VAD noticed a pause;",
            f"alone it took {sound_ms:.0f} and {words_ms:.0f} ms here. A cut-in does not change what follows.",
        ),
    )


def _policy_figures(name: str, policy: Endpointing, rows: Sequence[Judged]) -> list[Figure]:
    figures = []
    ended_ms = [(row, ends_after_ms(policy, row)) for row in rows]
    for kind in (MEETING, READ):
        cuts = [cuts_in(ms, row.pause) for row, ms in ended_ms if _is_known_hold(row) and row.source == kind]
        figures.append(Figure(f"{name}: cuts into {kind} pauses (n = {len(cuts)})", 100 * float(np.mean(cuts)), "%"))
    for label, synthetic in (("recorded", False), ("synthetic", True)):
        delays = [ms for row, ms in ended_ms if row.pause.over and (row.source == SYNTHETIC) is synthetic]
        for share in (50, 90):
            what = f"{name}: delay at {label} ends (n = {len(delays)}), p{share}"
            figures.append(Figure(what, float(np.percentile(delays, share)), "ms"))
    return figures


def _is_known_hold(row: Judged) -> bool:
    return row.pause.over is False and row.pause.lasts_ms is not None


def _source_figures(kind: str, rows: Sequence[Judged]) -> list[Figure]:
    figures = []
    for source in ("acoustic", "words", "combined"):
        ends = np.array([_or_undecided(row, source) for row in rows if row.pause.over])
        holds = np.array([_or_undecided(row, source) for row in rows if row.pause.over is False])
        area = area_under_curve(ends, holds)
        figures.append(Figure(f"AUC of {source}, {kind} ({len(ends)}/{len(holds)})", 100 * area, "%"))
    return figures


def _or_undecided(row: Judged, source: str) -> float:
    value: float | None = getattr(row, source)
    return 0.5 if value is None else value
