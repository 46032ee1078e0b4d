"""A voice that breaks off in the midst of a reply: the gap that is heard, and whether each word is heard once.

ElevenLabs is emulated and speaks with the voice of this machine, which also stands in for it. The reply is taken as the
client would hear it: each message is played when it came, or behind the one before. Whisper judges the words.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from difflib import SequenceMatcher

import numpy as np
from structlog.testing import capture_logs

from benchmarks.figures import Figure, Findings
from benchmarks.in_process import LevelVad, LocalEar, elevenlabs, forgiving, served
from benchmarks.word_errors import plain_words, word_errors
from speakback import weights
from speakback.audio.pcm import Samples
from speakback.audio.resample import resample
from speakback.emulators.elevenlabs.app import elevenlabs_app
from speakback.emulators.elevenlabs.options import ElevenLabsOptions
from speakback.emulators.faults import Fault, Faults
from speakback.emulators.local_content import VoiceSpeaker
from speakback.emulators.profiles import TYPICAL
from speakback.emulators.scripted_content import RememberingSpeaker
from speakback.providers.adapters.echo import Echo
from speakback.providers.adapters.hibari import Hibari
from speakback.providers.adapters.whisper import Whisper
from speakback.providers.chain.entry import Entry
from speakback.providers.chain.options import TTS_OPTIONS
from speakback.providers.chain.tts_chain import TtsChain
from speakback.providers.decisions import DecisionKind
from speakback.providers.engines import Engines
from speakback.providers.registry import LOCAL_LATENESS
from speakback.providers.tts import TextToSpeech
from speakback.session import notices as n
from speakback.session.driver import Session
from speakback.session.items import MessageItem
from speakback.session.settings import ReplyOptions, SessionSettings
from speakback.timebase import EAR_HZ, VOICE_HZ, ms_to_samples
from speakback.turn.barge_in import BargeIn
from speakback.turn.config import TurnConfig
from speakback.turn.endpointing import FixedEndpointing

TEXTS = (
    "The museum is closed on Mondays. It opens again on Tuesday morning, and the first visitors may come in at once. "
    "You can leave your coat and your bag near the door. Children do not pay.",
    "Tomato soup is quite simple. Cut an onion and cook it slowly in butter, until it is soft and golden. "
    "Then add the tomatoes and a little water. Let it simmer, and taste it before you serve it.",
    "The train leaves from the other platform today. Please use the bridge behind the ticket office, "
    "because the lift is being repaired. The journey takes about an hour. You do not need to change.",
    "A flat tyre is not a great problem. First take the wheel off the bicycle and look for the hole under a tap. "
    "Dry the rubber well, rub it with sandpaper, and press the patch on firmly. Then wait for a moment.",
    "Tomorrow will be cloudy in the morning. The sun should come out around noon, with a gentle wind from the sea. "
    "Take a jacket with you, since the evening may be cold. Rain is not expected before the weekend.",
    "I would start with a short walk through the old town. The market is lively, and the bread there is excellent. "
    "After lunch you could visit the castle on the hill. The view over the river is worth the climb.",
)
"""Said in 8 to 12 s; without numbers and names, which Whisper may spell otherwise."""
BREAKS = (Fault.CLOSE_1006, Fault.CLOSE_1008, Fault.STALLED)
SHARE = 0.3
"""Of the clips of a reply that break off."""
ROUNDS, AT_ONCE = 2, 3
LONGEST_REPLY_S = 60.0
GAP_MS = 600.0
SILENCE_DBFS = -50.0
WINDOW_MS = 10
SEED = 1


@dataclass(frozen=True, slots=True)
class Message:
    """Audio that came to the client."""

    at_ms: float
    audio_24k: Samples


@dataclass(frozen=True, slots=True)
class Told:
    """One reply, as a client had it."""

    text: str
    """What was to be said."""
    written: str
    """The words that the session said were being spoken."""
    messages: tuple[Message, ...]
    went_on: int
    """How often another voice or request went on with it."""
    status: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What was heard of a reply."""

    told: Told
    understood: tuple[str, ...]
    """The words that the judge heard."""
    underrun_ms: float
    """The longest time within the reply for which the client had nothing to play."""
    silence_ms: float
    """The longest silence within the reply, the voice's own pauses included."""
    wrong: int
    """Words that the judge heard otherwise than they stand in the text: fewest insertions, deletions, substitutions."""


async def measure() -> Findings:
    """Each way to break off in turn, then no break, for comparison."""
    broken = [told for fault in BREAKS for told in await replies(fault, ROUNDS)]
    whole = await replies(None, 1)
    judge = await asyncio.to_thread(_judge)
    try:
        judged = [await judged_by(judge, told) for told in (*broken, *whole)]
    finally:
        await judge.aclose()
    return findings(judged[: len(broken)], judged[len(broken) :])


async def replies(fault: Fault | None, rounds: int, texts: Sequence[str] = TEXTS) -> list[Told]:
    """All texts said so many times, some at once; of their clips some break off so."""
    faults = Faults({} if fault is None else {fault: SHARE})
    speaker = Hibari()
    try:
        await speaker.warm()
        with capture_logs():
            async with _emulator(speaker, faults) as addresses:
                return await _said(addresses["elevenlabs"], [text for _ in range(rounds) for text in texts])
    finally:
        await speaker.aclose()


async def _said(address: str, waiting: list[str]) -> list[Told]:
    engines = await asyncio.to_thread(_engines, address)
    try:
        await engines.tts.warm()
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(_call(engines, waiting, f"call{at}")) for at in range(AT_ONCE)]
    finally:
        await engines.aclose()
    return [told for call in calls for told in call.result()]


def _emulator(voice: TextToSpeech, faults: Faults) -> AbstractAsyncContextManager[Mapping[str, str]]:
    speaker = RememberingSpeaker(VoiceSpeaker(voice))
    options = ElevenLabsOptions(speaker=speaker, profile=TYPICAL, faults=faults, seed=SEED)
    return served({"elevenlabs": elevenlabs_app(options)})


def _engines(address: str) -> Engines:
    """The chain with its usual options, but a service that failed is trusted again soon: to fail is its part here."""
    voices: tuple[Entry[TextToSpeech], ...] = (
        Entry("elevenlabs", elevenlabs(address, SEED)),
        Entry("hibari", Hibari(), is_local=True, lateness=LOCAL_LATENESS["hibari"]),
    )
    tts = TtsChain(voices, forgiving(TTS_OPTIONS))
    return Engines(vad=LevelVad(), stt=LocalEar(), end_of_turn=None, llm=Echo(), tts=tts)


# ---- a call ---------------------------------------------------------------------------------------


@dataclass
class _Taken:
    messages: list[Message] = field(default_factory=list)
    words: str = ""
    went_on: int = 0


async def _call(engines: Engines, waiting: list[str], name: str) -> list[Told]:
    """One session that says texts, until none waits."""
    turn = TurnConfig(endpointing=FixedEndpointing(500), barge_in=BargeIn.NEVER)
    session = Session(engines, SessionSettings("", turn), session_id=name, correlation_id=name)
    running = asyncio.create_task(session.run())
    told = []
    try:
        while waiting:
            text = waiting.pop(0)
            session.add_item(MessageItem(session.new_id("item"), "user", text, spoken=False))
            session.request_reply(ReplyOptions())
            async with asyncio.timeout(LONGEST_REPLY_S):
                told.append(await _reply(session, text))
    finally:
        session.close()
        await running
    return told


async def _reply(session: Session, text: str) -> Told:
    loop, taken = asyncio.get_running_loop(), _Taken()
    while (notice := await session.next_notice()) is not None:
        match notice:
            case n.ReplyAudioSent(audio_24k=audio):
                taken.messages.append(Message(loop.time() * 1000, audio))
            case n.ReplyTextGrew(delta=delta):
                taken.words += delta
            case n.ProviderDecided(decision) if decision.kind is DecisionKind.WENT_ON:
                taken.went_on += 1
            case n.ReplyEnded(status=status):
                return Told(text, taken.words, tuple(taken.messages), taken.went_on, status)
            case _:
                pass
    raise RuntimeError("the session closed within a reply")


# ---- judging --------------------------------------------------------------------------------------


def _judge() -> Whisper:
    return Whisper(weights.resolve("whisper-base"), name="whisper-base")


async def judged_by(judge: Whisper, told: Told) -> Judged:
    """What was heard, and what is made of it."""
    audio, underrun_ms = heard(told.messages)
    audio_16k = await asyncio.to_thread(resample, audio, VOICE_HZ, EAR_HZ)
    understood = tuple(plain_words((await judge.transcribe(audio_16k, language="en")).text))
    wrong = word_errors(plain_words(told.text), understood)
    return Judged(told, understood, underrun_ms, longest_silence_ms(audio), wrong)


def heard(messages: Sequence[Message]) -> tuple[Samples, float]:
    """What a client that plays at once plays, at 24 kHz, and the longest time in ms for which it had nothing. Pure."""
    parts: list[Samples] = []
    longest_ms = 0.0
    played_out_ms: float | None = None
    for message in messages:
        missing_ms = 0.0 if played_out_ms is None else max(message.at_ms - played_out_ms, 0.0)
        parts += [np.zeros(ms_to_samples(round(missing_ms), VOICE_HZ), np.float32), message.audio_24k]
        begins_ms = message.at_ms if played_out_ms is None else max(message.at_ms, played_out_ms)
        played_out_ms = begins_ms + len(message.audio_24k) * 1000 / VOICE_HZ
        longest_ms = max(longest_ms, missing_ms)
    return np.concatenate([np.zeros(0, np.float32), *parts]), longest_ms


def longest_silence_ms(audio_24k: Samples) -> float:
    """The longest stretch below `SILENCE_DBFS` between what is louder. Pure."""
    window = ms_to_samples(WINDOW_MS, VOICE_HZ)
    whole = audio_24k[: len(audio_24k) // window * window].reshape(-1, window)
    loud = np.flatnonzero(np.sqrt(np.mean(np.square(whole), axis=1)) > 10 ** (SILENCE_DBFS / 20))
    return float((np.diff(loud).max(initial=1) - 1) * WINDOW_MS)


def lost_and_extra(said: Sequence[str], understood: Sequence[str]) -> tuple[int, int]:
    """Words that are missing, and words that are too many; one for another is neither. Pure."""
    lost = extra = 0
    for _, from_said, to_said, from_heard, to_heard in SequenceMatcher(None, said, understood, False).get_opcodes():
        surplus = (to_heard - from_heard) - (to_said - from_said)
        lost, extra = lost + max(-surplus, 0), extra + max(surplus, 0)
    return lost, extra


def findings(broken: Sequence[Judged], whole: Sequence[Judged]) -> Findings:
    """The table: replies in which another went on, and for comparison those in which nothing broke."""
    over = [one for one in broken if one.told.went_on]
    seams = sum(one.told.went_on for one in over)
    as_whole = {one.told.text: one.understood for one in whole}
    compared = [(one, *lost_and_extra(as_whole[one.told.text], one.understood)) for one in over]
    unwritten = [one for one in over if one.told.written.split() != one.told.text.split()]
    figures = (
        *_spread("longest silence of a reply", [one.silence_ms for one in over], GAP_MS),
        *_spread("of it nothing to play", [one.underrun_ms for one in over], None),
        *_spread("longest silence where nothing broke", [one.silence_ms for one in whole], None),
        Figure("replies not written word for word", len(unwritten), "", 0.5),
        Figure("words lost", sum(lost for _, lost, _ in compared), "", 0.5),
        Figure("words heard besides", sum(extra for *_, extra in compared), "", 0.5),
        Figure("word errors", _error_rate(over), "%"),
        Figure("word errors where nothing broke", _error_rate(whole), "%"),
    )
    notes = [
        "words lost and heard besides: of what Whisper heard of the same text where nothing broke",
        f"{len(broken)} replies of whose clips {SHARE:.0%} break off ({', '.join(fault.value for fault in BREAKS)})",
        *(f"ended {one.told.status}: {one.told.written!r}" for one in broken if one.told.status != "completed"),
        *(
            f"lost {lost}, besides {extra}: {' '.join(one.understood)!r}"
            for one, lost, extra in compared
            if lost or extra
        ),
        *(f"written otherwise: {one.told.written!r}" for one in unwritten),
    ]
    return Findings("failover", f"{len(over)} replies with {seams} failovers", figures, tuple(notes))


def _spread(what: str, values_ms: Sequence[float], goal: float | None) -> tuple[Figure, ...]:
    if not values_ms:
        return (Figure(what, None, "ms", goal),)
    median, p95 = (float(np.percentile(values_ms, percent)) for percent in (50, 95))
    return (
        Figure(f"{what}, median", median, "ms"),
        Figure(f"{what}, p95", p95, "ms"),
        Figure(f"{what}, most", max(values_ms), "ms", goal),
    )


def _error_rate(judged: Sequence[Judged]) -> float | None:
    words = sum(len(plain_words(one.told.text)) for one in judged)
    return 100 * sum(one.wrong for one in judged) / words if words else None
