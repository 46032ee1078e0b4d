"""Turns of random faults: real sessions, chains and adapters, against emulators where everything goes wrong at random.

Callers speak, type, interrupt, cancel and hang up as chance will. What must hold: each turn ends, nothing outlives the
sessions, and what adapters raise stands in the record.
"""

import asyncio
import gc
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from structlog.testing import capture_logs

from benchmarks.figures import Figure, Findings
from benchmarks.in_process import (
    LevelVad,
    LocalEar,
    Raised,
    WitnessedLlm,
    WitnessedStt,
    WitnessedTts,
    elevenlabs,
    forgiving,
    groq_llm,
    groq_stt,
    hurried_s,
    served,
)
from benchmarks.random_call import Course, End, RandomCall
from speakback.emulators.elevenlabs.app import elevenlabs_app
from speakback.emulators.elevenlabs.options import ElevenLabsOptions
from speakback.emulators.faults import Fault, Faults
from speakback.emulators.groq.app import GroqOptions, groq_app
from speakback.emulators.profiles import FAST, Profile
from speakback.emulators.scripted_content import ScriptedRecogniser, ScriptedWriter, ToneSpeaker
from speakback.providers.adapters.echo import Echo
from speakback.providers.adapters.elevenlabs.flash import WARM_SOCKETS, ElevenLabs
from speakback.providers.adapters.elevenlabs.options import Patience
from speakback.providers.adapters.hibari import Hibari
from speakback.providers.chain.entry import Entry, Pin
from speakback.providers.chain.llm_chain import LlmChain, probe_llm
from speakback.providers.chain.options import LLM_OPTIONS, STT_OPTIONS, TTS_OPTIONS
from speakback.providers.chain.stt_chain import SttChain, probe_stt
from speakback.providers.chain.tts_chain import TtsChain, probe_tts
from speakback.providers.decisions import DecisionKind
from speakback.providers.engines import Engines, Pins
from speakback.providers.llm import LanguageModel
from speakback.providers.stt import SpeechToText
from speakback.providers.tts import TextToSpeech
from speakback.session.settings import SessionSettings
from speakback.turn.barge_in import BargeIn
from speakback.turn.config import TurnConfig
from speakback.turn.drafts import Drafts
from speakback.turn.endpointing import FixedEndpointing

TURNS, AT_ONCE = 1_000, 16
REPLIES = ("Yes. It is not far.", "Of course. Let me see.", "No, I do not think so.", "That depends. Shall we begin?")
WAIT_MS = 300
SETTLING_S = 20.0
"""Within this long after the last session a pool closes what it does not need, stragglers end, and the voice gives up
contexts whose end the service does not tell (10 s)."""
ONLY_SERVICES = 0.3
"""So many of the callers want nobody else: they hear the apologies."""
KEPT = ("pool-", "probe of", "link")
"""How the names of tasks begin that engines keep while they live."""
PINGS = "Connection.keepalive"
"""The task of the library of sockets, one for each open one."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad the day is."""

    turns: int = TURNS
    at_once: int = AT_ONCE
    seed: int = 1
    profile: Profile = FAST
    each_share: float = 0.02
    """Of each fault that there is, on each occasion."""
    any_share: float = 0.15
    """Of the common ones, besides."""
    patience: Patience = Patience()
    """With the voice."""
    last_patience_ms: float | None = None
    """Of the chains, where nobody else is left to ask; None: the usual."""

    @property
    def faults(self) -> Faults:
        """All of them."""
        return Faults(dict.fromkeys(Fault, self.each_share), self.any_share)


@dataclass(frozen=True, slots=True)
class Open:
    """What a process holds open."""

    tasks: int
    sockets: int
    threads: int


@dataclass(frozen=True, slots=True)
class Left:
    """What was still there after all sessions had ended, and after the engines and emulators had, too."""

    requests: int
    """Of sessions, at adapters."""
    contexts_in_use: int
    """Sockets of the voice on which something still goes on."""
    sockets_of_voice: int
    tasks: int
    """Beyond those of the engines, which keep sockets warm and probe."""
    tasks_at_end: int
    sockets_at_end: int
    threads_at_end: int


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What came of it."""

    courses: tuple[Course, ...]
    raised: tuple[str, ...]
    requests: int
    logged: tuple[str, ...]
    """Reasons of the decisions that say of a failure what was done about it."""
    decisions: Mapping[str, int]
    crashes: tuple[str, ...]
    left: Left
    took_s: float

    @property
    def ends(self) -> Counter[End]:
        """Of all turns."""
        return sum((course.ends for course in self.courses), Counter[End]())

    @property
    def unrecorded(self) -> list[str]:
        """Failures that were raised, and that no decision tells of."""
        return unmatched(self.raised, self.logged)


async def measure() -> Findings:
    """1,000 turns."""
    weather = Weather()
    return findings(weather, await weathered(weather))


async def weathered(weather: Weather) -> Aftermath:
    """Serve, call, end; and look at what is left at each step."""
    before = await _open_now()
    began_s, raised = time.monotonic(), Raised()
    with capture_logs() as logged, _complaints() as complaints:
        async with _emulators(weather) as addresses:
            voice = await asyncio.to_thread(elevenlabs, addresses["elevenlabs"], weather.seed, weather.patience)
            engines = await asyncio.to_thread(_engines, addresses["groq"], voice, raised, weather)
            try:
                await engines.tts.warm()
                courses = await _calls(weather, engines)
                left = await _settled(raised, voice, before)
            finally:
                await engines.aclose()
        after = await _closed_down(before)
        gc.collect()  # a task that nobody holds any more is no longer among all tasks, and complains now
    decisions = [line for line in logged if line["event"] == "a chain of providers decided"]
    kinds = {kind.value for kind in (DecisionKind.FAILED_OVER, DecisionKind.EXHAUSTED)}
    return Aftermath(
        courses=tuple(courses),
        raised=tuple(raised.failures),
        requests=raised.requests,
        logged=tuple(line["reason"] for line in decisions if line["kind"] in kinds),
        decisions=Counter(f"{line['role']} {line['kind']}" for line in decisions),
        crashes=(*complaints, *(str(line["event"]) for line in logged if line["log_level"] == "error")),
        left=Left(
            requests=left.requests,
            contexts_in_use=left.contexts,
            sockets_of_voice=left.sockets,
            tasks=left.tasks,
            tasks_at_end=after.tasks - before.tasks,
            sockets_at_end=after.sockets - before.sockets,
            threads_at_end=after.threads - before.threads,
        ),
        took_s=time.monotonic() - began_s,
    )


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What the event loop finds amiss: tasks destroyed while pending, exceptions that nobody took."""
    loop, found = asyncio.get_running_loop(), list[str]()
    usual = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: found.append(f"{context['message']}: {context.get('exception')!r}"))
    try:
        yield found
    finally:
        loop.set_exception_handler(usual)


def _emulators(weather: Weather) -> AbstractAsyncContextManager[Mapping[str, str]]:
    groq = GroqOptions(
        recogniser=ScriptedRecogniser(lambda _: "How far is it to the station?"),
        writer=ScriptedWriter(REPLIES),
        profile=weather.profile,
        faults=weather.faults,
        seed=weather.seed,
        now_s=hurried_s,
    )
    voice = ElevenLabsOptions(speaker=ToneSpeaker(), profile=weather.profile, faults=weather.faults, seed=weather.seed)
    return served({"groq": groq_app(groq), "elevenlabs": elevenlabs_app(voice)})


def _engines(groq: str, voice: ElevenLabs, raised: Raised, weather: Weather) -> Engines:
    """Chains of the service and this machine. A circuit opens for a moment only, so that faults go on coming."""
    last_ms = weather.last_patience_ms
    ears = groq_stt(groq)
    model = groq_llm(groq)
    stt: tuple[Entry[SpeechToText], ...] = (
        Entry("groq", WitnessedStt(ears, raised)),
        Entry("local", WitnessedStt(LocalEar(), raised), is_local=True),
    )
    llm: tuple[Entry[LanguageModel], ...] = (
        Entry("groq", WitnessedLlm(model, raised)),
        Entry("local", WitnessedLlm(Echo(), raised), is_local=True),
    )
    tts: tuple[Entry[TextToSpeech], ...] = (
        Entry("elevenlabs", WitnessedTts(voice, raised)),
        Entry("local", WitnessedTts(Hibari(), raised), is_local=True),
    )
    return Engines(
        vad=LevelVad(),
        stt=SttChain(stt, forgiving(STT_OPTIONS, last_ms), probes={"groq": lambda: probe_stt(ears)}),
        end_of_turn=None,
        llm=LlmChain(llm, forgiving(LLM_OPTIONS, last_ms), probes={"groq": lambda: probe_llm(model)}),
        tts=TtsChain(tts, forgiving(TTS_OPTIONS, last_ms), probes={"elevenlabs": lambda: probe_tts(voice)}),
    )


async def _calls(weather: Weather, engines: Engines) -> list[Course]:
    each, more = divmod(weather.turns, weather.at_once)
    async with asyncio.TaskGroup() as group:
        calls = []
        for number in range(weather.at_once):
            rng = Random(f"{weather.seed}/{number}")
            call = RandomCall(engines, _settings(rng), rng, f"call{number:02}")
            calls.append(group.create_task(call.run(each + (number < more))))
    return [call.result() for call in calls]


def _settings(rng: Random) -> SessionSettings:
    only = rng.random() < ONLY_SERVICES
    groq, voice = Pin("groq", only=True), Pin("elevenlabs", only=True)
    turn = TurnConfig(
        endpointing=FixedEndpointing(WAIT_MS),
        barge_in=BargeIn.IMMEDIATE,
        drafts=Drafts(enabled=rng.random() < 0.5),
    )
    pins = Pins(stt=groq, llm=groq, tts=voice) if only else Pins()
    return SessionSettings(instructions="Be brief.", turn=turn, pins=pins)


# ---- what is left ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rest:
    requests: int
    contexts: int
    sockets: int
    tasks: int


async def _settled(raised: Raised, voice: ElevenLabs, before: Open) -> _Rest:
    """What is there once no session is, as soon as it is as little as it should be, or after a while."""
    deadline_s = time.monotonic() + SETTLING_S
    while True:
        rest = _Rest(raised.under_way, voice.sockets_in_use, voice.open_sockets, len(_tasks_of_sessions()) - 1)
        is_clear = rest.requests == rest.contexts == 0 and rest.sockets <= WARM_SOCKETS
        if is_clear or time.monotonic() > deadline_s:
            return rest
        await asyncio.sleep(0.1)


def _tasks_of_sessions() -> list["asyncio.Task[object]"]:
    """Those that the engines do not keep for their warm sockets and their probes."""
    return [
        task
        for task in asyncio.all_tasks()
        if not task.get_name().startswith(KEPT) and getattr(task.get_coro(), "__qualname__", "") != PINGS
    ]


async def _closed_down(before: Open) -> Open:
    deadline_s = time.monotonic() + SETTLING_S
    while True:
        now = await _open_now()
        if (now.tasks, now.sockets) <= (before.tasks, before.sockets) or time.monotonic() > deadline_s:
            return now
        await asyncio.sleep(0.1)


async def _open_now() -> Open:
    # The threads of the event loop's own executor begin where they are first needed, and stay.
    threads = [thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")]
    return Open(len(asyncio.all_tasks()), await asyncio.to_thread(_open_sockets), len(threads))


def _open_sockets() -> int:
    count = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            count += os.readlink(descriptor).startswith("socket:")
        except OSError:  # the one that lists them
            continue
    return count


def unmatched(raised: Sequence[str], reasons: Sequence[str]) -> list[str]:
    """Failures for which no reason is left that quotes them, each reason being good for one. Pure."""
    left = list(reasons)
    missing = list[str]()
    for message in sorted(raised, key=len, reverse=True):
        found = next((index for index, reason in enumerate(left) if message in reason), None)
        if found is None:
            missing.append(message)
        else:
            del left[found]
    return missing


def findings(weather: Weather, came: Aftermath) -> Findings:
    """The table."""
    ends, left = came.ends, came.left
    turns = sum(ends.values())
    told = sum(len(course.told) for course in came.courses)
    in_records = sum(len(course.in_records) for course in came.courses)
    none = 0.5
    figures = (
        *(Figure(f"turns that ended {end.value}", ends[end], "") for end in End if end not in (End.STUCK, End.SILENT)),
        Figure("turns that were stuck", ends[End.STUCK], "", none),
        Figure("turns that ended in silence, unexplained", ends[End.SILENT], "", none),
        Figure("failures that adapters raised to turns", len(came.raised), ""),
        Figure("of them not in the record", len(came.unrecorded), "", none),
        Figure("crashes of our own", len(came.crashes), "", none),
        Figure("requests under way after the last session", left.requests, "", none),
        Figure("contexts open after the last session", left.contexts_in_use, "", none),
        Figure("sockets of the voice beyond the warm ones", max(left.sockets_of_voice - WARM_SOCKETS, 0), "",
               none),
        Figure("tasks then, beyond the engines' own", left.tasks, "", none),
        Figure("tasks, sockets, threads after the engines",
               left.tasks_at_end + left.sockets_at_end + left.threads_at_end, "", none),
        Figure("wall time", came.took_s, "s"),
    )  # fmt: skip
    kinds = ", ".join(f"{what}: {count}" for what, count in sorted(came.decisions.items()))
    notes = [
        f"{came.requests} requests of {sum(course.sessions for course in came.courses)} sessions; decisions: {kinds}",
        f"decisions as events: {told}; in records of turns: {in_records}; the rest: of sessions that were closed",
        f"faults told to clients: {dict(sum((course.faults for course in came.courses), Counter[str]()))}",
        *(f"not in the record: {message}" for message in came.unrecorded[:20]),
        *(oddity for course in came.courses for oddity in course.oddities[:5]),
        *came.crashes[:5],
    ]
    n = f"{turns} turns, {weather.at_once} callers at once, profile {weather.profile.name}, seed {weather.seed}"
    return Findings("bad_days", n, figures, tuple(notes))
