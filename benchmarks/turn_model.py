"""The end-of-turn model under the pauses of many callers: how long a score takes, how many come too late, and what the
event loop feels of it. Nothing else is at work but the VAD, which hears all the callers.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import numpy as np

from benchmarks.figures import Figure, Findings
from speakback.audio.pcm import Samples
from speakback.providers.adapters.smart_turn import SmartTurn
from speakback.providers.urgency import Purpose, Urgency, urgent
from speakback.providers.workers import Overdue
from speakback.timebase import EAR_HZ
from speakback.vad.hysteresis import FRAME_SAMPLES
from speakback.vad.silero import SileroVad
from speakback.weights import resolve

CALLERS = 40
PAUSES_A_SECOND = 0.3
"""Of one caller, as the VAD hears them."""
WITHIN_MS = 545
"""What a score has: the 700 ms after which `overlap-aware` ends a turn without, less what the VAD needs to be sure."""
SECONDS = 10.0
HEARD_S = (2, 4, 8)
LAG_EVERY_S = 0.005


@dataclass(slots=True)
class Run:
    """What was measured with one number of threads."""

    took_ms: list[float] = field(default_factory=list)
    late: int = 0
    lag_ms: list[float] = field(default_factory=list)

    def figures(self, threads: int) -> tuple[Figure, ...]:
        what, asked = f"{threads} thread(s)", len(self.took_ms) + self.late
        return (
            Figure(f"{what}: score, p50", float(np.percentile(self.took_ms, 50)), "ms"),
            Figure(f"{what}: score, p99", float(np.percentile(self.took_ms, 99)), "ms"),
            Figure(f"{what}: too late, of {asked}", 100 * self.late / asked, "%"),
            Figure(f"{what}: lag of the event loop, p99", float(np.percentile(self.lag_ms, 99)), "ms"),
        )


async def measure() -> Findings:
    """Pauses at the same chance moments, scored on one thread and on two."""
    figures: tuple[Figure, ...] = ()
    for threads in (1, 2):
        figures += (await _run(threads)).figures(threads)
    notes = (
        f"{PAUSES_A_SECOND} pauses a second and caller, at chance moments. Each score has {WITHIN_MS} ms; one that "
        "could not be in time is not begun, or not even queued.",
    )
    return Findings("turn_model", f"{CALLERS} callers, {SECONDS:.0f} s", figures, notes)


async def _run(threads: int) -> Run:
    file = resolve("smart-turn-v3.2") / "smart-turn-v3.2-cpu.onnx"
    model = await asyncio.to_thread(lambda: SmartTurn(file, name="smart-turn", threads=threads))
    run, chance, sound = Run(), Random(7), _sound(max(HEARD_S))
    async with _background(run, sound), asyncio.TaskGroup() as asked:
        end_s = time.monotonic() + SECONDS
        while time.monotonic() < end_s:
            asked.create_task(_score(model, sound[: chance.choice(HEARD_S) * EAR_HZ], run))
            await asyncio.sleep(chance.expovariate(CALLERS * PAUSES_A_SECOND))
    await model.aclose()
    return run


async def _score(model: SmartTurn, audio_16k: Samples, run: Run) -> None:
    began_s = time.monotonic()
    try:
        async with asyncio.timeout(WITHIN_MS / 1000):
            with urgent(Purpose(Urgency.PAUSE, WITHIN_MS)):
                await model.score(audio_16k)
    except (TimeoutError, Overdue):
        run.late += 1
    else:
        run.took_ms.append(1000 * (time.monotonic() - began_s))


@asynccontextmanager
async def _background(run: Run, sound: Samples) -> AsyncIterator[None]:
    """All callers are heard, and the lag of the loop is taken down, meanwhile."""
    vad = SileroVad(resolve("silero-vad") / "silero_vad.onnx")
    tasks = [asyncio.create_task(_speak(vad, sound, caller)) for caller in range(CALLERS)]
    tasks.append(asyncio.create_task(_watch(run)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await vad.aclose()


async def _speak(vad: SileroVad, sound: Samples, caller: int) -> None:
    stream = vad.open_stream(lambda _: None)
    frame_s = FRAME_SAMPLES / EAR_HZ
    due_s = time.monotonic() + frame_s * caller / CALLERS
    for start in range(0, 10**9, FRAME_SAMPLES):
        await asyncio.sleep(max(due_s - time.monotonic(), 0.0))
        offset = start % (len(sound) - FRAME_SAMPLES)
        stream.push(sound[offset : offset + FRAME_SAMPLES])
        due_s += frame_s


async def _watch(run: Run) -> None:
    while True:
        due_s = time.monotonic() + LAG_EVERY_S
        await asyncio.sleep(LAG_EVERY_S)
        run.lag_ms.append(1000 * max(time.monotonic() - due_s, 0.0))


def _sound(seconds: int) -> Samples:
    """A buzz that comes and goes three times a second, in some noise: to these models all sound costs the same."""
    at_s = np.arange(seconds * EAR_HZ) / EAR_HZ
    buzz = 0.1 * np.sin(2 * np.pi * 150 * at_s) * (np.sin(2 * np.pi * 3 * at_s) > 0)
    return (buzz + np.random.default_rng(1).normal(0, 0.01, len(at_s))).astype(np.float32)
