"""Fifty conversations at once on Groq and ElevenLabs, emulated on a typical day: the product's own criterion.

The emulators are a process of their own, as are the server and, in a thread of this one, the callers: on two cores
the three of them share what a node would have to itself.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from types import MappingProxyType

from benchmarks.emulated import environ, services
from benchmarks.figures import Figure, Findings
from benchmarks.loaded import lines, loaded, p50, p99
from speakback.audio.pcm import Samples
from speakback.caller.server_process import server_process
from speakback.emulators.server import serving
from speakback.load.plan import Habits
from speakback.load.repertoire import Repertoire
from speakback.load.report import Report
from speakback.load.run import LoadOptions

SESSIONS = 50
SECONDS = 60.0
P99_MS = 1200.0
HABITS = Habits(barge_in_share=0.0, backchannel_share=0.0)
"""Complete questions: this is about answers."""
QUESTION = "Could you tell me when the next train to London leaves?"

HEDGES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "when late": {},
        "besides each": {"SPEAKBACK_CHAIN__HEDGE": "always", "SPEAKBACK_CHAIN__HEDGE_SHARE": "1"},
    }
)
"""Second requests, as the configuration has them by default and at their quickest, which costs twice as much."""


async def measure() -> Findings:
    """One crowd with each way to make second requests."""
    said = await lines()
    reports = {name: await _crowd(said, hedge) for name, hedge in HEDGES.items()}
    return Findings(
        "crowd",
        f"{SESSIONS} sessions, {SECONDS:.0f} s each",
        tuple(
            replace(figure, what=f"second requests {name}: {figure.what}")
            for name, found in reports.items()
            for figure in _figures(found)
        ),
        (
            "Emulated services: nothing here is a measurement of the real ones.",
            "Besides each, speech to text comes near the plan's 400 requests a minute, which it begins with unused.",
            *(f"second requests {name}: {note}" for name, found in reports.items() for note in _notes(found)),
        ),
    )


async def _crowd(said: Repertoire, hedge: Mapping[str, str]) -> Report:
    async with _emulators() as services_at:
        chosen = {"SPEAKBACK_CHAIN__LAST_RESORT": "none", "SPEAKBACK_SERVER__MAX_SESSIONS": str(SESSIONS), **hedge}
        async with server_process({**services_at, **chosen}) as server:
            return await loaded(server, LoadOptions(SESSIONS, SECONDS, habits=HABITS), said)


def _figures(found: Report) -> Iterator[Figure]:
    answers, used = found.answers, found.server
    yield Figure("opened", found.sessions.joined, "", SESSIONS, at_least=True)
    yield Figure("TTFB, p50", p50(answers.ttfb), "ms")
    yield Figure("TTFB, p99", p99(answers.ttfb), "ms", P99_MS)
    yield Figure("of it the endpointing wait, p50", p50(answers.wait), "ms")
    yield Figure("overhead, p50", p50(answers.overhead), "ms")
    yield Figure("overhead, p99", p99(answers.overhead), "ms")
    yield Figure("turns without an answer", answers.unanswered, "", 1)
    yield Figure("event loop late, p99", used.loop_lag_p99_ms if used else None, "ms")
    yield Figure("the server", used.cpu_cores if used else None, "cores")


def _notes(found: Report) -> Iterator[str]:
    yield f"{found.answers.asked} turns; {found.void or 'the callers were in time'}"
    yield from (f"{text}, {count} times" for text, count in found.errors.items())


@asynccontextmanager
async def _emulators() -> AsyncIterator[Mapping[str, str]]:
    """Both services in a process of their own; gives the environment that makes a server use them."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.crowd", stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        addresses: dict[str, str] = json.loads(await process.stdout.readline())
        yield environ(addresses)
    finally:
        process.stdin.close()
        await process.wait()


def _hears(voiced_16k: Samples) -> str:
    return QUESTION


async def _serve() -> None:
    async with serving(services(_hears, "typical", seed=1)) as addresses:
        print(json.dumps(dict(addresses)), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
