"""TTFB with Groq and ElevenLabs as they are emulated: over 200 complete prompts, on a typical and on a bad day.

Emulated latencies are estimates (`emulators/profiles.py`): this compares what Speakback does about them, and says
nothing about the services themselves.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp
import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.calls import held
from benchmarks.emulated import emulated
from benchmarks.figures import Figure, Findings
from speakback.caller.record import timeline_of
from speakback.caller.script import ScriptLine, SpokenLine, spoken
from speakback.caller.server_process import ServerProcess, server_process
from speakback.caller.table import SERVER_STAGES
from speakback.caller.timeline import Timeline
from speakback.providers.adapters.hibari import Hibari

PROMPTS = (
    "How much does a ticket to Berlin cost?",
    "Can you recommend a good restaurant near the station?",
    "What is the weather going to be like tomorrow?",
    "I would like to book a table for four people.",
    "Please tell me how to make a simple tomato soup.",
    "Who was the first woman in space?",
    "My bicycle has a flat tyre.",
    "Is the museum open on Mondays?",
    "I need a present for my grandmother.",
)
"""Complete, and said without a pause within."""
ROUNDS = 24
AT_ONCE = 3
ROLES = ("stt", "llm", "tts")
MEAN_MS, P95_MS, P99_MS = 900.0, 1100.0, 1200.0
LOCAL_P99_MS = 1300.0


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run the server."""

    name: str
    profile: str
    environ: Mapping[str, str]


NEVER = {"SPEAKBACK_CHAIN__HEDGE": "never"}
ALWAYS = {"SPEAKBACK_CHAIN__HEDGE": "always", "SPEAKBACK_CHAIN__HEDGE_SHARE": "1.0"}
WAYS = (
    Way("typical, no hedging", "typical", NEVER),
    Way("typical, hedged when late", "typical", {}),
    Way("typical, all doubled", "typical", ALWAYS),
    Way("bad-day, no hedging", "bad-day", NEVER),
    Way("bad-day, hedged when late", "bad-day", {}),
    Way("bad-day, all doubled", "bad-day", ALWAYS),
    Way("bad-day, local models as hedges", "bad-day", {**ALWAYS, "SPEAKBACK_CHAIN__HEDGE_WITH": "next"}),
)


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of the prompts."""

    way: Way
    ttfbs_ms: tuple[float, ...]
    waits_ms: tuple[float, ...]
    works_ms: tuple[float, ...]
    """TTFB less the endpointing wait: what was left to be done when the turn was held to be over."""
    stages: Mapping[str, tuple[float, ...]]
    """What the server measured of its stages, by name, in ms."""
    unanswered: int
    slipped_ms: int
    decisions: Mapping[str, int]
    """By role and kind."""
    errors: tuple[str, ...]


async def measure() -> Findings:
    """Each way in turn, with a server of its own."""
    voice = Hibari()
    try:
        lines = await spoken(voice, [ScriptLine(text) for text in PROMPTS])
    finally:
        await voice.aclose()
    answered = [await _asked(way, lines) for way in WAYS]
    return findings(answered)


async def _asked(way: Way, lines: Sequence[SpokenLine]) -> Answered:
    with emulated(lines, way.profile, seed=1) as environ:
        async with server_process({**environ, **way.environ}) as server:
            places = asyncio.Semaphore(AT_ONCE)
            async with asyncio.TaskGroup() as group:
                calls = [group.create_task(_call(server, lines, number, places)) for number in range(ROUNDS)]
            decisions = await _decisions(server)
    timelines = [call.result() for call in calls]
    turns = [turn for timeline in timelines for turn in timeline.turns if turn.user is not None]
    ttfbs_ms = tuple(turn.ttfb_ms for turn in turns if turn.ttfb_ms is not None)
    waits_ms = [turn.server.endpointing_wait_ms for turn in turns if turn.server is not None]
    return Answered(
        way=way,
        ttfbs_ms=ttfbs_ms,
        waits_ms=tuple(wait_ms for wait_ms in waits_ms if wait_ms is not None),
        works_ms=tuple(
            turn.ttfb_ms - turn.server.endpointing_wait_ms
            for turn in turns
            if turn.ttfb_ms is not None and turn.server is not None and turn.server.endpointing_wait_ms is not None
        ),
        stages={
            stage.head: tuple(took_ms for turn in turns if (took_ms := stage.of(turn)) is not None)
            for stage in SERVER_STAGES
        },
        unanswered=len(PROMPTS) * ROUNDS - len(ttfbs_ms),
        slipped_ms=sum(timeline.slipped_ms for timeline in timelines),
        decisions=decisions,
        errors=tuple(error for timeline in timelines for error in timeline.errors),
    )


async def _call(server: ServerProcess, lines: Sequence[SpokenLine], number: int, places: asyncio.Semaphore) -> Timeline:
    """All prompts, in an order of its own."""
    first = number % len(lines)
    async with places:
        return timeline_of(await held(server, [*lines[first:], *lines[:first]]))


async def _decisions(server: ServerProcess) -> dict[str, int]:
    """What its chains decided, as its metrics have it."""
    address = server.url.replace("ws", "http", 1).removesuffix("/v1/realtime")
    headers = {"Authorization": f"Bearer {server.api_key}"}
    async with aiohttp.ClientSession() as http, http.get(f"{address}/metrics", headers=headers) as answer:
        families = text_string_to_metric_families(await answer.text())
    return {
        f"{sample.labels['role']} {sample.labels['kind']} ({sample.labels['provider']})": round(sample.value)
        for family in families
        for sample in family.samples
        if sample.name == "speakback_provider_decisions_total"
    }


def findings(answered: Sequence[Answered]) -> Findings:
    """The table. Goals stand where the way has any."""
    goals = {
        "typical, hedged when late": (MEAN_MS, P95_MS, P99_MS),
        "typical, all doubled": (MEAN_MS, P95_MS, P99_MS),
        "bad-day, local models as hedges": (None, None, LOCAL_P99_MS),
    }
    figures: list[Figure] = []
    notes: list[str] = ["Emulated services: nothing here is a measurement of the real ones."]
    for one in answered:
        name = one.way.name
        mean_goal, p95_goal, p99_goal = goals.get(name, (None, None, None))
        figures += [
            Figure(f"{name}: TTFB, mean", _mean(one.ttfbs_ms), "ms", mean_goal),
            Figure(f"{name}: TTFB, p95", _percentile(one.ttfbs_ms, 95), "ms", p95_goal),
            Figure(f"{name}: TTFB, p99", _percentile(one.ttfbs_ms, 99), "ms", p99_goal),
            Figure(f"{name}: of it the endpointing wait, median", _percentile(one.waits_ms, 50), "ms"),
            Figure(f"{name}: of it the endpointing wait, p95", _percentile(one.waits_ms, 95), "ms"),
            Figure(f"{name}: less the wait, mean", _mean(one.works_ms), "ms"),
            Figure(f"{name}: less the wait, p95", _percentile(one.works_ms, 95), "ms"),
            Figure(f"{name}: less the wait, p99", _percentile(one.works_ms, 99), "ms"),
            Figure(f"{name}: prompts without an answer", one.unanswered, ""),
            *(Figure(f"{name}: second requests, {role}", _doubled_percent(one, role), "%") for role in ROLES),
        ]
        parts = ", ".join(f"{name} {np.median(took):.0f}" for name, took in one.stages.items() if took)
        notes.append(f"{name}: stages, median ms: {parts}")
        told = ", ".join(f"{what}: {count}" for what, count in sorted(one.decisions.items())) or "none"
        notes.append(f"{name}: n = {len(one.ttfbs_ms)}; decisions: {told}")
        if one.slipped_ms:
            notes.append(f"{name}: the callers fell {one.slipped_ms} ms behind real time: not to be trusted")
        notes += [f"{name}: error from the server: {error}" for error in dict.fromkeys(one.errors)]
    figures += _excess(answered)
    return Findings("services", f"{len(PROMPTS) * ROUNDS} prompts each way, {AT_ONCE} callers at once", tuple(figures),
                    tuple(notes))  # fmt: skip


def _doubled_percent(answered: Answered, role: str) -> float | None:
    """What it costs: requests made besides the first, for each prompt."""
    count = sum(count for what, count in answered.decisions.items() if what.startswith(f"{role} hedged "))
    return 100 * count / len(answered.ttfbs_ms) if answered.ttfbs_ms else None


def _excess(answered: Sequence[Answered]) -> list[Figure]:
    """How much of what a bad day adds to p99 second requests leave."""
    p99_ms = {one.way.name: _percentile(one.ttfbs_ms, 99) for one in answered}
    typical, bare = p99_ms.get("typical, hedged when late"), p99_ms.get("bad-day, no hedging")
    if typical is None or bare is None or bare <= typical:
        return []
    left = {
        name: 100 * (hedged - typical) / (bare - typical)
        for name in ("bad-day, hedged when late", "bad-day, all doubled")
        if (hedged := p99_ms.get(name)) is not None
    }
    return [Figure(f"{name}: p99 excess that is left", percent, "%", 50) for name, percent in left.items()]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _percentile(values: Sequence[float], percent: float) -> float | None:
    return float(np.percentile(values, percent)) if values else None
