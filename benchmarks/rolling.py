"""A rolling restart of two workers under many conversations: what is lost, what comes twice, and what is heard of it.

`ROLLING_SESSIONS` sets how many (50). Each caller speaks, hears the whole answer and speaks again; SIGHUP comes while
they do. Done twice: with time for everyone to finish, and with so little that many are cut in the middle of a word.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.figures import Figure, Findings
from benchmarks.process import children
from benchmarks.scripted_workers import reply_to
from speakback.audio.pcm import Samples
from speakback.caller.caller import Caller, calling
from speakback.caller.errors import CallError
from speakback.caller.record import timeline_of
from speakback.caller.script import ScriptLine, spoken
from speakback.caller.server_process import ServerProcess, server_process
from speakback.caller.timeline import Timeline
from speakback.cli.serve import loop_factory
from speakback.providers.adapters.piper import Piper

SESSIONS = int(os.environ.get("ROLLING_SESSIONS", "50"))
WORKERS = 2
DRAINS_S = (20.0, 0.3)
LINES = (
    ScriptLine("When does the next train to London leave?"),
    ScriptLine("Is the museum open on Sunday morning?"),
    ScriptLine("What would two tickets cost us altogether?"),
)
JOIN_WITHIN_S = 6.0
"""Callers come one after the other, so that they are not all at the same point of their conversations."""
RENEWED_WITHIN_S = 120.0
ANSWER_WITHIN_S = 20.0
GAP_MS = 400
UNHEARD_GOAL_MS = 1000.0
AGAIN_A_CUT = 1
"""Words: the one that the cut falls into may be said again from its beginning."""


@dataclass(frozen=True, slots=True)
class Call:
    """What became of one conversation."""

    said: int
    """Turns of the caller."""
    timeline: Timeline | None
    """None: it did not last."""
    told: tuple[str, ...] = ()
    """The transcript of each answer or part of one, as it came in."""
    failure: str = ""


async def measure() -> Findings:
    """Both drains in turn."""
    voice = await asyncio.to_thread(Piper)
    try:
        lines = [line.audio_24k for line in await spoken(voice, LINES)]
    finally:
        await voice.aclose()
    return findings([(drain_s, await _restarted(drain_s, lines)) for drain_s in DRAINS_S])


def findings(runs: Sequence[tuple[float, Sequence[Call]]]) -> Findings:
    """Goals stand where the issue sets them."""
    figures = [figure for drain_s, calls in runs for figure in _figures(f"drain_s {drain_s:g}", calls)]
    failures = Counter(call.failure for _, calls in runs for call in calls if call.failure)
    notes = (
        "Each answer is sixteen words that no other answer has, counted as the callers were told them. The word that a "
        "cut falls into may be said again from its beginning: that is no turn said twice.",
        "Unheard: from the end of what the loudspeaker still had to the agent's next sound; where an answer was only "
        "in the making, the time without a line.",
        *(f"{times} calls failed: {failure}" for failure, times in failures.items()),
    )
    sessions = max((len(calls) for _, calls in runs), default=0)
    return Findings("rolling", f"{sessions} sessions, {WORKERS} workers, all renewed once", tuple(figures), notes)


def _figures(name: str, calls: Sequence[Call]) -> list[Figure]:
    lasting = [call.timeline for call in calls if call.timeline is not None]
    outages = [outage for timeline in lasting for outage in timeline.outages]
    unheard = [outage.unheard_ms for outage in outages]
    told = [_told(call.said, call.told, len(call.timeline.outages)) for call in calls if call.timeline is not None]
    never_on = sum(one is None for one in unheard)
    return [
        Figure(f"{name}: turns said", float(sum(call.said for call in calls)), ""),
        Figure(f"{name}: turns lost", float(sum(lost for lost, _, _ in told)), "", goal=1.0),
        Figure(f"{name}: turns said twice", float(sum(twice for _, twice, _ in told)), "", goal=1.0),
        Figure(f"{name}: words said twice", float(sum(words for _, _, words in told)), ""),
        Figure(f"{name}: calls that did not last", float(len(calls) - len(lasting)), "", goal=1.0),
        Figure(f"{name}: sessions resumed", float(sum(bool(timeline.outages) for timeline in lasting)), ""),
        Figure(f"{name}: times resumed", float(len(outages)), ""),
        Figure(f"{name}: in the middle of an answer", float(sum(bool(one) for one in unheard)), ""),
        Figure(f"{name}: answers that never went on", float(never_on), "", goal=1.0),
        Figure(f"{name}: longest unheard", max((one or 0.0 for one in unheard), default=0.0), "ms", UNHEARD_GOAL_MS),
        Figure(f"{name}: longest without a line", max((o.back_ms - o.lost_ms for o in outages), default=0.0), "ms"),
        Figure(f"{name}: callers late by at most", max((float(t.slipped_ms) for t in lasting), default=0.0), "ms"),
    ]


def _told(said: int, told: Sequence[str], cuts: int) -> tuple[int, int, int]:
    """Turns whose answer lacks something, turns answered or part of it said twice, and words that came twice."""
    heard = Counter(word for text in told for word in text.replace(".", "").split())
    answers = [reply_to(turn) for turn in range(1, said + 1)]
    lost = sum(any(word not in heard for word in answer) for answer in answers)
    doubled = [sum(heard[word] - 1 for word in answer if heard[word] > 1) for answer in answers]
    bearable = AGAIN_A_CUT * cuts
    beyond = heard.keys() - {word for answer in answers for word in answer}
    answered_anew = len({reply for reply in range(said + 1, said + 10) if beyond & set(reply_to(reply))})
    return lost, sum(words > bearable for words in doubled) + answered_anew, sum(doubled)


async def _restarted(drain_s: float, lines: Sequence[Samples]) -> list[Call]:
    module = ("benchmarks.scripted_workers", "--workers", str(WORKERS), "--drain-s", str(drain_s))
    environ = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    async with server_process(environ, module=module) as server:
        restart = _Restart(server)

        def run() -> list[Call]:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                return runner.run(_held(restart, lines))

        return await asyncio.to_thread(run)


class _Restart:
    """Of all workers: `begin` it, then it `is_over` once there are only new ones."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self._before = self._workers()

    def begin(self) -> None:
        os.kill(self.server.pid, signal.SIGHUP)

    def is_over(self) -> bool:
        now = self._workers()
        return len(now) == WORKERS and not now & self._before

    def _workers(self) -> set[int]:
        return set(children(self.server.pid))


async def _held(restart: _Restart, lines: Sequence[Samples]) -> list[Call]:
    chance = Random(1)
    over, settled = asyncio.Event(), [asyncio.Event() for _ in range(SESSIONS)]
    calls = [
        asyncio.create_task(_call(restart.server, lines, chance.uniform(0.0, JOIN_WITHIN_S), is_settled, over))
        for is_settled in settled
    ]
    for is_settled in settled:
        await is_settled.wait()
    restart.begin()
    try:
        async with asyncio.timeout(RENEWED_WITHIN_S):
            while not await asyncio.to_thread(restart.is_over):  # noqa: ASYNC110  # another process's affair
                await asyncio.sleep(0.2)
    finally:
        over.set()
        held = await asyncio.gather(*calls)
    return held


async def _call(
    server: ServerProcess, lines: Sequence[Samples], wait_s: float, is_settled: asyncio.Event, over: asyncio.Event
) -> Call:
    said = 0
    await asyncio.sleep(wait_s)
    try:
        async with calling(server.url, server.api_key) as caller:
            await _turn(caller, lines[0])
            said = 1
            is_settled.set()
            while not over.is_set():
                said += 1
                await _turn(caller, lines[said % len(lines)])
            said += 1
            await _turn(caller, lines[said % len(lines)])
            told = tuple(reply.told for reply in caller.log.replies.values())
            return Call(said, timeline_of(caller.record()), told)
    except CallError as problem:
        return Call(said, None, failure=str(problem))
    finally:
        is_settled.set()


async def _turn(caller: Caller, line: Samples) -> None:
    await caller.say(line)
    await caller.until_answered(GAP_MS, ANSWER_WITHIN_S)
