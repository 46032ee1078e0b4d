"""Engines that do what a test says, and a client that waits on notices. All of a session itself is real.

The user's speech is a constant level: `LevelVad` hears it, and `ScriptedStt` knows the text of each level.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

import numpy as np

from speakback.audio.pcm import Samples
from speakback.audio.speech import SpeechChunk, SpokenWord
from speakback.providers.end_of_turn import EndOfTurnModel
from speakback.providers.engines import Engines
from speakback.providers.errors import ProviderError
from speakback.providers.llm import LanguageModel, LlmDelta, Prompt, TextDelta, Usage
from speakback.providers.stt import Passes, SpeechToText, Transcript
from speakback.providers.tts import TextToSpeech
from speakback.session import notices as n
from speakback.session.driver import Session
from speakback.session.items import MessageItem
from speakback.session.settings import SessionSettings
from speakback.timebase import EAR_HZ, VOICE_HZ, ms_to_samples
from speakback.turn.barge_in import BargeIn
from speakback.turn.config import TurnConfig
from speakback.turn.endpointing import FixedEndpointing
from speakback.vad.scorer import VadScorer

PATIENCE_S = 10.0
"""A notice that takes longer does not come."""
WAIT_MS = 500
"""The silence that ends a turn under `PLAIN`."""
WORD_MS = 60
"""How long `ScriptedTts` takes over a word."""

QUESTION, ANSWER, NOISE = 0.2, 0.4, 0.6
"""Levels of the user's voice; noise is loud, too, but holds no words."""
BACKCHANNEL, HALT, GO_ON, WHAT, ECHOED = 0.3, 0.5, 0.7, 0.8, 0.9
"""What a user says over the agent; the last is the agent's own voice come back, of a reply such as `LONG`."""
TEXTS = {
    QUESTION: "What time is it?",
    ANSWER: "Tell me more.",
    BACKCHANNEL: "Mm-hmm.",
    HALT: "Wait.",
    GO_ON: "Go on.",
    WHAT: "What?",
    ECHOED: "Two three four five.",
}

PLAIN = TurnConfig(endpointing=FixedEndpointing(WAIT_MS), barge_in=BargeIn.IMMEDIATE)
BRIEF = SessionSettings(instructions="Be brief.", turn=PLAIN)
MANUAL = replace(BRIEF, listens=False)
"""The client ends turns itself."""

_N = TypeVar("_N")

LONG = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen."
"""A reply that takes 1 s to say."""


def sound(level: float, ms: int = 400) -> Samples:
    """Sound of one level, at 16 kHz."""
    return np.full(ms_to_samples(ms, EAR_HZ), level, np.float32)


def silence(ms: int = 1000) -> Samples:
    """A line that is open, and nobody speaks."""
    return sound(0.0, ms)


def utterance(level: float, ms: int = 400, *, then_ms: int = 1000) -> Samples:
    """Somebody speaks, and is silent long enough for the turn to end."""
    return np.concatenate((sound(level, ms), silence(then_ms)))


def user(text: str, item_id: str = "item_u") -> MessageItem:
    return MessageItem(item_id, "user", text, spoken=False)


# ---- engines --------------------------------------------------------------------------------------


class LevelStream:
    """A `VadStream` to which a frame above that level is speech; scores come soon, in order."""

    def __init__(self, on_score: Callable[[float], None], loud_above: float) -> None:
        self._on_score = on_score
        self._loud_above = loud_above
        self._closed = False

    def push(self, frame_16k: Samples) -> None:
        loud = float(np.abs(frame_16k).max()) > self._loud_above
        asyncio.get_running_loop().call_soon(self._deliver, 0.95 if loud else 0.02)

    def close(self) -> None:
        self._closed = True

    def _deliver(self, probability: float) -> None:
        if not self._closed:
            self._on_score(probability)


@dataclass
class LevelVad:
    """A `VadScorer` without a model."""

    loud_above: float = QUESTION / 2

    def open_stream(self, on_score: Callable[[float], None]) -> LevelStream:
        return LevelStream(on_score, self.loud_above)

    async def aclose(self) -> None:
        pass


@dataclass
class ScriptedStt:
    """A `SpeechToText` that knows the text of a level. Give it a `failure` to raise, or hold it with `gate`."""

    name: str = "scripted"
    takes_ms: int = 0
    failure: Exception | None = None
    gate: asyncio.Event | None = None
    texts: dict[float, str] = field(default_factory=lambda: TEXTS)
    heard: list[Samples] = field(default_factory=list)
    passes: Passes = Passes.WHILE_SPEAKING

    async def transcribe(self, audio_16k: Samples, *, language: str) -> Transcript:
        self.heard.append(audio_16k)
        if self.takes_ms:
            await asyncio.sleep(self.takes_ms / 1000)
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        level = round(float(np.abs(audio_16k).max(initial=0.0)), 1)
        text = self.texts.get(level, "")
        return Transcript(text, (), 0.9 if text else None, rejected=None if text else "noise")

    async def aclose(self) -> None:
        pass


LlmScript: TypeAlias = Callable[[Prompt], AsyncGenerator[LlmDelta, None]]


def says(text: str) -> LlmScript:
    """A model that writes `text`, word by word."""

    async def write(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        for word in text.split(" "):
            yield TextDelta(word + " ")
        yield Usage(len(prompt.messages), len(text.split()), None, stopped_at_limit=False)

    return write


def writes(*deltas: LlmDelta | Exception) -> LlmScript:
    """A model that gives exactly these deltas, and raises where one is an exception."""

    async def write(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        for delta in deltas:
            if isinstance(delta, Exception):
                raise delta
            yield delta

    return write


def llm_failure() -> ProviderError:
    return ProviderError("llm", "scripted", "is not there")


@dataclass
class ScriptedLlm:
    """A `LanguageModel` with a script for each reply; the last script serves all later ones."""

    scripts: list[LlmScript]
    name: str = "scripted"
    prompts: list[Prompt] = field(default_factory=list)
    warmed: list[Prompt] = field(default_factory=list)
    under_way: int = 0
    """Streams that were begun and not ended."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        script = self.scripts[min(len(self.prompts), len(self.scripts) - 1)]
        self.prompts.append(prompt)
        self.under_way += 1
        try:
            async for delta in script(prompt):
                yield delta
        finally:
            self.under_way -= 1

    async def warm(self, prompt: Prompt) -> None:
        self.warmed.append(prompt)

    async def aclose(self) -> None:
        pass


@dataclass
class ScriptedTts:
    """A `TextToSpeech` that hums each word for `word_ms`; `failure` is raised at the clause `fails_at`."""

    name: str = "scripted"
    word_ms: int = WORD_MS
    failure: Exception | None = None
    fails_at: int = 0
    mute: bool = False
    clauses: list[str] = field(default_factory=list)

    async def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        position = number = 0
        async for clause in clauses:
            self.clauses.append(clause)
            if self.failure is not None and number >= self.fails_at:
                raise self.failure
            number += 1
            if not self.mute:
                chunk = hummed(clause, position, word_ms=self.word_ms)
                position += len(chunk.audio_24k)
                yield chunk

    async def warm(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


def hummed(clause: str, position: int = 0, *, word_ms: int = WORD_MS) -> SpeechChunk:
    """The clause as one chunk that begins at `position` of its reply."""
    word_samples = ms_to_samples(word_ms, VOICE_HZ)
    words = clause.split()
    starts = [position + index * word_samples for index in range(len(words))]
    spoken = tuple(SpokenWord(word, start, start + word_samples) for word, start in zip(words, starts, strict=True))
    phase = np.arange(len(words) * word_samples) * (2 * np.pi * 200 / VOICE_HZ)
    return SpeechChunk((0.1 * np.sin(phase)).astype(np.float32), spoken, clause_end=True)


def scripted(
    *scripts: LlmScript,
    vad: VadScorer | None = None,
    stt: SpeechToText | None = None,
    tts: TextToSpeech | None = None,
    llm: LanguageModel | None = None,
    end_of_turn: EndOfTurnModel | None = None,
) -> Engines:
    """Engines that do what they are told; replies follow `scripts`."""
    return Engines(
        vad=vad or LevelVad(),
        stt=stt or ScriptedStt(),
        end_of_turn=end_of_turn,
        llm=llm or ScriptedLlm(list(scripts) or [says("It is noon.")]),
        tts=tts or ScriptedTts(),
    )


# ---- the client -----------------------------------------------------------------------------------


class Client:
    """Takes a session's notices, in order."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.seen: list[n.Notice] = []
        self._taken_ms: list[int] = []
        self.forgiven: set[str] = set()
        """Codes of `OURS` that the test provokes."""

    async def until(self, kind: type[_N], where: Callable[[_N], bool] = lambda _: True) -> _N:
        """The next notice of that kind; it and all before it are in `seen`."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                notice = await self.session.next_notice()
                assert notice is not None, f"the session closed before a {kind.__name__} came"
                self._take(notice)
                if isinstance(notice, kind) and where(notice):
                    return notice

    async def until_heard(self, ms: int) -> n.ReplyAudioSent:
        """The message with which at least `ms` of the reply have come."""
        before = len(self.seen)

        def enough(_: n.ReplyAudioSent) -> bool:
            return sent_samples(self.seen[before:]) >= ms_to_samples(ms, VOICE_HZ)

        return await self.until(n.ReplyAudioSent, enough)

    async def until_closed(self) -> None:
        """Take all that is still to come."""
        async with asyncio.timeout(PATIENCE_S):
            while (notice := await self.session.next_notice()) is not None:
                self._take(notice)

    async def goes_on(self) -> None:
        """The conversation is whole: the next turn is answered, with a reply that the script holds for it."""
        self.session.append_audio(utterance(ANSWER))
        began = await self.until(n.ReplyBegan)
        ended = await self.until(n.ReplyEnded)
        assert (ended.response_id, ended.status) == (began.response_id, "completed")
        assert reply_text(self.seen, ended.response_id) == "It is noon."

    def all(self, kind: type[_N]) -> list[_N]:
        """All notices of that kind so far."""
        return [notice for notice in self.seen if isinstance(notice, kind)]

    def place(self, notice: n.Notice) -> int:
        """Where among all notices that one came."""
        return next(place for place, seen in enumerate(self.seen) if seen is notice)

    def at_ms(self, notice: n.Notice) -> int:
        """When that one was taken; in virtual time, when it was sent."""
        return self._taken_ms[self.place(notice)]

    def _take(self, notice: n.Notice) -> None:
        self.seen.append(notice)
        self._taken_ms.append(round(asyncio.get_running_loop().time() * 1000))


OURS = {"internal_error", "out_of_order", "unknown_id", "clock_went_back", "policy_failed"}
"""Faults that no conversation may have."""


@asynccontextmanager
async def living(session: Session) -> AsyncIterator[Client]:
    """The session runs in the `with` block, and is closed at its end."""
    client = Client(session)
    running = asyncio.create_task(session.run())
    try:
        yield client
    finally:
        session.close()
        async with asyncio.timeout(PATIENCE_S):
            await running
    await client.until_closed()


@asynccontextmanager
async def talking(
    engines: Engines, settings: SessionSettings = BRIEF, *, name: str = "sess_1", alone: bool = True
) -> AsyncIterator[Client]:
    """A session that lives in the `with` block. After it no fault of `OURS` may have come, and no task be left.

    Where another session outlives it (it is not `alone`), only that other one can tell whether tasks are left.
    """
    before = asyncio.all_tasks()
    async with living(Session(engines, settings, session_id=name, correlation_id="corr-1")) as client:
        yield client
    assert not alone or asyncio.all_tasks() <= before, "the session left a task behind"
    assert not [fault for fault in client.all(n.Fault) if fault.code in OURS - client.forgiven]


def sent_samples(notices: list[n.Notice]) -> int:
    """How much of the agent's audio `notices` hold."""
    return sum(len(notice.audio_24k) for notice in notices if isinstance(notice, n.ReplyAudioSent))


def reply_text(notices: list[n.Notice], response_id: str) -> str:
    """The words of one reply that were sent."""
    return "".join(
        notice.delta for notice in notices if isinstance(notice, n.ReplyTextGrew) and notice.response_id == response_id
    )
