"""The page in Chromium: what it adds to the server's own delays, and whether a line that jitters is heard.

A recorded voice is its microphone; the server is the scripted one, a process of its own. PAGE_MINUTES sets how long the
jittering line is listened to.
"""

import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.calls import spoken_scripts
from benchmarks.figures import Figure, Findings, spread_figures
from benchmarks.jittery_line import jittery
from benchmarks.lines import INTERRUPTIONS, polite
from benchmarks.loaded import scripted_server
from benchmarks.page_browser import FirstPaint, Told, page_open
from speakback.audio.pcm import Samples
from speakback.audio.resample import resample
from speakback.caller.microphone import room_noise
from speakback.caller.server_process import ServerProcess
from speakback.timebase import VOICE_HZ, ms_to_samples

MINUTES_VARIABLE = "PAGE_MINUTES"
MINUTES = 5.0
JITTER_MS = 50.0
TURNS = 6
"""Of the microphone; each but the first cuts in on the answer to the one before."""
FIRST_AFTER_MS, NEXT_AFTER_MS = 2500, 4000
MICROPHONE_HZ = 48_000
PLAYOUT_MS, SILENT_MS, LONG_TASK_MS, PAINT_BYTES = 50.0, 60.0, 50.0, 100_000.0
REPLY_WITHIN_MS = 60_000
SETTLES_MS = 500
"""After the answer's last message, what is still to be played."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one page told of its call."""

    beyond_server_ms: tuple[float, ...]
    """Of each answer: its time to the first audible sample, less the TTFB that the server measured."""
    silent_ms: tuple[float, ...]
    """Of each interruption: from the decision's arrival to the last audible sample."""
    underruns: int
    missing_ms: float
    worst_task_ms: float
    round_trip_ms: float | None
    replies: int


async def measure() -> Findings:
    """One call with interruptions on a good line, then one of several minutes on a line that jitters."""
    minutes = float(os.environ.get(MINUTES_VARIABLE, MINUTES))
    (script,) = await spoken_scripts([polite(INTERRUPTIONS[:TURNS])])
    said = [line.audio_24k for line in script]
    with tempfile.TemporaryDirectory() as folder:
        talking, quiet = Path(folder) / "talking.wav", Path(folder) / "quiet.wav"
        length_ms = await asyncio.to_thread(_write, talking, said)
        await asyncio.to_thread(_write, quiet, [])
        async with scripted_server(max_sessions=4) as server:
            good, paint, computing_ms = await _good_line(server, talking, length_ms)
            bad = await _jittering_line(server, quiet, minutes)
    return findings(good, bad, paint, minutes, computing_ms)


def findings(good: Heard, bad: Heard, paint: FirstPaint, minutes: float, computing_ms: float) -> Findings:
    """The goals are the issue's."""
    worst_ms = max(good.worst_task_ms, bad.worst_task_ms)
    figures = (
        *spread_figures("first sound at the page beyond the server's TTFB", good.beyond_server_ms, p95_goal=PLAYOUT_MS),
        *spread_figures("decision arrived → page silent", good.silent_ms, p95_goal=SILENT_MS),
        Figure("interruptions that met no sound any more", TURNS - 1 - len(good.silent_ms), ""),
        Figure(f"underruns on a line with {JITTER_MS:.0f} ms of jitter", bad.underruns, "", goal=1),
        Figure("of them missing in all", bad.missing_ms, "ms"),
        *spread_figures("first sound beyond the server's TTFB, on that line", bad.beyond_server_ms),
        Figure("longest task of the page's main thread", worst_ms, "ms", LONG_TASK_MS),
        Figure("longest by its own computing, on the good line", computing_ms, "ms", LONG_TASK_MS),
        Figure("bytes that the first paint needs", paint.bytes_needed, "B", PAINT_BYTES),
        Figure("bytes in all", paint.bytes_in_all, "B"),
        Figure("first paint after", paint.after_ms, "ms"),
    )
    notes = (
        "Headless Chromium with a recorded microphone; the server has stand-ins for its models and shares the machine.",
        "Beyond the server's TTFB: from the last voiced sample at the microphone to the first audible one at the "
        "loudspeaker, less what the server measured; so it holds both ways through the network, capture and playout.",
        f"Jitter: each piece is late by 0 to {JITTER_MS:.0f} ms, in each direction, in order; {minutes:g} min, "
        f"{bad.replies} replies, round trip {_or_unknown(bad.round_trip_ms)}.",
        "No task of the main thread is reported by the browser below 50 ms; then the longest counts as 0. What a task "
        "takes includes time in which the machine gave the core to others; its own computing, from a trace, does not.",
    )
    return Findings("page", f"{len(good.beyond_server_ms)} answers", figures, notes)


async def _good_line(server: ServerProcess, microphone: Path, length_ms: float) -> tuple[Heard, FirstPaint, float]:
    async with page_open(_page_address(server.url), server.api_key, microphone) as opened:
        paint = await opened.first_paint()
        async with opened.traced() as traced:
            await opened.talk()
            await asyncio.sleep((length_ms + NEXT_AFTER_MS) / 1000)
            await opened.hang_up()
        return heard(await opened.told()), paint, traced.longest_ms


async def _jittering_line(server: ServerProcess, microphone: Path, minutes: float) -> Heard:
    now = asyncio.get_running_loop().time
    address = _page_address(server.url)
    async with (
        jittery(int(address.rsplit(":", 1)[1]), JITTER_MS) as line,
        page_open(line.address, server.api_key, microphone) as opened,
    ):
        await opened.talk()
        until_s = now() + minutes * 60
        replies = 0
        while now() < until_s:
            await opened.say("Go on.")
            replies += 1
            done = "one.kind === 'server' && one.event.type === 'response.done'"
            await opened.until(done, REPLY_WITHIN_MS, replies)
            await asyncio.sleep(SETTLES_MS / 1000)
        await opened.hang_up()
        return heard(await opened.told())


def heard(told: list[Told]) -> Heard:
    """From what the call told to the figures. Pure."""
    served = [one["event"] for one in told if one["kind"] == "server"]
    ended = {e["item_id"]: e["audio_end_ms"] for e in served if e["type"] == "input_audio_buffer.speech_stopped"}
    ledgers = {e["response_id"]: e for e in served if e["type"] == "speakback.latency"}
    replies = {e["item_id"]: e["response_id"] for e in served if e["type"] == "speakback.audio_begin"}
    beyond: list[float] = []
    for one in told:
        ledger = ledgers.get(replies.get(one.get("itemId"))) if one["kind"] == "audible" else None
        if ledger is not None and ledger["ttfb_ms"] is not None and ledger["item_id"] in ended:
            ttfa_ms = one["atMs"] - one["offsetMs"] - ended[ledger["item_id"]]
            beyond.append(ttfa_ms - ledger["ttfb_ms"])
    underruns = [one["missingMs"] for one in told if one["kind"] == "underrun"]
    stats = [one for one in told if one["kind"] == "stats"]
    trips = [one["rttMs"] for one in stats if one["rttMs"] is not None]
    return Heard(
        beyond_server_ms=tuple(beyond),
        silent_ms=tuple(max(one["atMs"] - one["askedMs"], 0.0) for one in told if one["kind"] == "silenced"),
        underruns=len(underruns),
        missing_ms=sum(underruns),
        worst_task_ms=max((one["worstLongTaskMs"] for one in stats), default=0.0),
        round_trip_ms=float(np.median(trips)) if trips else None,
        replies=len(replies),
    )


def _write(path: Path, said: list[Samples]) -> float:
    """The lines with pauses between them, in the noise of a room; how long it is, in milliseconds."""
    parts = [_room(FIRST_AFTER_MS)]
    for line in said:
        parts += [line, _room(NEXT_AFTER_MS)]
    audio_24k = np.concatenate(parts)
    audio = resample(audio_24k, VOICE_HZ, MICROPHONE_HZ)
    soundfile.write(path, audio, MICROPHONE_HZ, subtype="PCM_16")
    return len(audio_24k) * 1000 / VOICE_HZ


def _room(ms: int) -> Samples:
    return np.resize(room_noise(), ms_to_samples(ms, VOICE_HZ))


def _page_address(url: str) -> str:
    return url.replace("ws", "http", 1).removesuffix("/v1/realtime")


def _or_unknown(ms: float | None) -> str:
    return "unknown" if ms is None else f"{ms:.0f} ms"
