"""Turn ends on real recordings, live: false cut-ins and delays of each strategy at the gateway.

Each recording is played in real time into a session of its own that does not reply, so that only turn ends are decided.
Unlike in `turn_taking.py` the server runs as it is: its models take their time, and a cut-in changes what follows.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, Findings
from benchmarks.pauses import MEETING, READ, Pause, clips, pauses_of, voiced_stretches, with_tail
from benchmarks.playing import SAME_PAUSE_MS, Played, Recording, TurnEnd, end_ms, play
from benchmarks.process import NotToldHere
from speakback.caller.line import connected
from speakback.caller.server_process import ServerProcess, server_process
from speakback.turn.strategies import STRATEGIES
from speakback.vad.silero import SileroVad
from speakback.weights import resolve

SOURCES = (MEETING, READ)
"""The synthetic phrases would take long in real time."""
AT_ONCE = 2
SETTLE_S = 5.0
"""The first session has the language model read its instructions."""


def matched(pauses: Sequence[Pause], ends: Sequence[TurnEnd]) -> list[TurnEnd | None]:
    """For each pause the first turn end that was put there; None: the turn went on."""
    found: list[TurnEnd | None] = [None] * len(pauses)
    for end in ends:
        distances_ms = [abs(end_ms(pause) - end.voice_end_ms) for pause in pauses]
        place = min(range(len(pauses)), key=distances_ms.__getitem__, default=None)
        if place is not None and distances_ms[place] <= SAME_PAUSE_MS and found[place] is None:
            found[place] = end
    return found


def strategy_figures(name: str, played: Sequence[Played]) -> list[Figure]:
    """A strategy's part of the table. A last pause that is no turn's end has no measured length and does not count."""
    pairs = [
        (one.recording.clip.source, pause, end)
        for one in played
        for pause, end in zip(one.recording.pauses, matched(one.recording.pauses, one.ends), strict=True)
    ]
    figures = []
    for label, kinds in (("all", SOURCES), *((kind, (kind,)) for kind in SOURCES)):
        cuts = [end is not None for kind, pause, end in pairs if kind in kinds and _is_within_turn(pause)]
        share = 100 * float(np.mean(cuts)) if cuts else None
        figures.append(Figure(f"{name}: cut-ins, {label} pauses (n = {len(cuts)})", share, "%"))
    reached = [(pause, end) for _, pause, end in pairs if pause.over]
    delays_ms = [end.told_ms - end_ms(pause) for pause, end in reached if end is not None]
    for share_percent in (50, 90):
        delay_ms = float(np.percentile(delays_ms, share_percent)) if delays_ms else None
        figures.append(Figure(f"{name}: delay at ends (n = {len(delays_ms)}), p{share_percent}", delay_ms, "ms"))
    figures.append(Figure(f"{name}: missed ends (of {len(reached)})", len(reached) - len(delays_ms), ""))
    stray = sum(len(one.ends) for one in played) - sum(end is not None for _, _, end in pairs)
    figures.append(Figure(f"{name}: ends at no known pause", stray, ""))
    return figures


def _is_within_turn(pause: Pause) -> bool:
    return pause.over is False and pause.lasts_ms is not None


async def measure(folder: Path | None) -> Findings:
    """Play the recordings in `folder` to each strategy. Raises `NotToldHere` without one, and `CallError`."""
    if folder is None:
        raise NotToldHere("pauses of people are needed; name a folder of recordings with --clips")
    recordings = await _recordings(folder)
    begun_s = time.monotonic()
    async with server_process() as server:
        async with connected(server.url, server.api_key):
            await asyncio.sleep(SETTLE_S)
        played = await _all_played(server, recordings)
    audio_s = sum(recording.length_ms for recording in recordings) / 1000
    slipped_ms = sum(one.slipped_ms for one in played)
    return Findings(
        "turn_live",
        f"{len(recordings)} recordings, {audio_s:.0f} s of audio, played to {len(STRATEGIES)} strategies",
        tuple(
            figure
            for name in STRATEGIES
            for figure in strategy_figures(name, [one for one in played if one.strategy == name])
        ),
        (
            f"At most {AT_ONCE} sessions at once, {time.monotonic() - begun_s:.0f} s in all; load average at the end "
            f"{os.getloadavg()[0]:.1f}; the player fell {slipped_ms:.0f} ms behind real time.",
            "A cut-in is a turn end at a pause within a turn. A delay is from the end of voice to the client's news; "
            "an end is missed if the next speaker, or the end of the tail, came first.",
        ),
    )


async def _recordings(folder: Path) -> list[Recording]:
    vad = SileroVad(resolve("silero-vad") / "silero_vad.onnx")
    try:
        return [
            Recording(clip, tuple(pauses_of(clip, await voiced_stretches(vad, with_tail(clip.audio_16k)))))
            for clip in clips(folder)
            if clip.source in SOURCES
        ]
    finally:
        await vad.aclose()


async def _all_played(server: ServerProcess, recordings: Sequence[Recording]) -> list[Played]:
    """Longest first, so that no long one is left alone; strategies take turns, so that they meet the same load."""
    lines = asyncio.Semaphore(AT_ONCE)

    async def one(strategy: str, recording: Recording) -> Played:
        async with lines:
            return await play(server, strategy, recording)

    by_length = sorted(recordings, key=lambda recording: recording.length_ms, reverse=True)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(name, recording)) for recording in by_length for name in STRATEGIES]
    return [task.result() for task in tasks]
