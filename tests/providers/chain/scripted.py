"""Providers that do what a test says, in virtual time; a listener who notices every lost or doubled word and every gap.

Words are w0, w1, …; the audio of w7 is 200 ms of the level 0.007, so that audio tells which word it is.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field

import numpy as np

from speakback.audio.pcm import Samples
from speakback.audio.speech import SpeechChunk, SpokenWord
from speakback.providers.chain.feed import now_ms
from speakback.providers.decisions import Decision, DecisionKind
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.llm import LlmDelta, Prompt, TextDelta, ToolCall, Usage
from speakback.providers.stt import Passes, Transcript
from speakback.timebase import VOICE_HZ, ms_to_samples

WORD_MS, PAUSE_MS = 200, 20
WORD_SAMPLES, PAUSE_SAMPLES = ms_to_samples(WORD_MS, VOICE_HZ), ms_to_samples(PAUSE_MS, VOICE_HZ)
FOREVER_S = 10_000.0


def failure(kind: Failure = Failure.BUSY, *, role: str = "tts", retry_after_s: float | None = None) -> ProviderError:
    return ProviderError(role, "scripted", kind.value, failure=kind, retry_after_s=retry_after_s)


@dataclass(frozen=True)
class Act:
    """What one request does. Words are counted within the request."""

    first_ms: float = 100
    """To the first answer; a voice takes it for each clause."""
    dies_at: float | None = None
    """At this word (2.5: in the middle of the third) it does what follows."""
    death: ProviderError | None = None
    """None: it falls silent, and its connection stays open."""
    piece_ms: int = 50
    times_real_time: float = 20
    word_times: bool = True
    guesses_ms: int = 0
    """The last word of a clause seems to end so much behind its audio, and the clause's end is not told."""
    ends: bool = True
    """False: all is given, and the end does not come."""
    swallows: bool = False
    """It ends before its time, and says nothing of it."""


@dataclass
class Requests:
    """What a scripted provider was asked."""

    begun: int = 0
    under_way: int = 0
    failed: int = 0
    """Those that raised."""
    at_ms: list[float] = field(default_factory=list)

    def begin(self, acts: list[Act]) -> Act:
        act = acts[min(self.begun, len(acts) - 1)]
        self.begun += 1
        self.under_way += 1
        self.at_ms.append(now_ms())
        return act


async def die(act: Act, requests: Requests) -> None:
    """Fail, or fall silent."""
    if act.death is not None:
        requests.failed += 1
        raise act.death
    await asyncio.sleep(FOREVER_S)


@dataclass
class Voice:
    """A `TextToSpeech`; each request does the next of `acts`, the last one serves all later ones."""

    name: str
    acts: list[Act] = field(default_factory=lambda: [Act()])
    requests: Requests = field(default_factory=Requests)
    heard: list[str] = field(default_factory=list)

    async def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        act = self.requests.begin(self.acts)
        position, number = 0, 0
        try:
            async for clause in clauses:
                self.heard.append(clause)
                words = clause.split()
                dies = act.dies_at is not None and act.dies_at - number < len(words)
                await asyncio.sleep(act.first_ms / 1000)
                cut = None if act.dies_at is None or not dies else act.dies_at - number
                begin = position
                for chunk in spoken(words, begin, act, cut):
                    position += len(chunk.audio_24k)
                    yield chunk
                    await asyncio.sleep(len(chunk.audio_24k) / VOICE_HZ / act.times_real_time)
                if dies:
                    if act.swallows:
                        return
                    await die(act, self.requests)
                number += len(words)
            if not act.ends:
                await asyncio.sleep(FOREVER_S)
        finally:
            self.requests.under_way -= 1

    async def warm(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


def spoken(words: list[str], position: int, act: Act, cut: float | None) -> list[SpeechChunk]:
    """A clause in pieces, up to the word at which it is cut."""
    silence = np.zeros(PAUSE_SAMPLES, np.float32)
    audio = np.concatenate([part for word in words for part in (level_of(word), silence)])
    step = WORD_SAMPLES + PAUSE_SAMPLES
    times = [SpokenWord(word, position + n * step, position + n * step + WORD_SAMPLES) for n, word in enumerate(words)]
    if act.guesses_ms:
        audio = audio[: -PAUSE_SAMPLES - ms_to_samples(act.guesses_ms, VOICE_HZ)]
    end = len(audio) if cut is None else int(cut * step)
    piece = ms_to_samples(act.piece_ms, VOICE_HZ)
    chunks: list[SpeechChunk] = []
    for start in range(0, end, piece):
        stop = min(start + piece, end)
        begun = tuple(word for word in times if start <= word.start_samples - position < stop)
        is_end = cut is None and stop == end and not act.guesses_ms
        chunks.append(SpeechChunk(audio[start:stop], begun if act.word_times else (), clause_end=is_end))
    return chunks


def level_of(word: str) -> Samples:
    return np.full(WORD_SAMPLES, int("".join(filter(str.isdigit, word))) / 1000, np.float32)


def text(count: int, first: int = 1) -> str:
    return " ".join(f"w{number}" for number in range(first, first + count))


async def clauses(*texts: str, every_ms: float = 0) -> AsyncGenerator[str, None]:
    for number, clause in enumerate(texts):
        if number and every_ms:
            await asyncio.sleep(every_ms / 1000)
        yield clause


@dataclass
class Listener:
    """Takes chunks as they come, and plays them at once."""

    audio: list[Samples] = field(default_factory=list)
    words: list[SpokenWord] = field(default_factory=list)
    clause_ends: int = 0
    first_ms: float | None = None
    gap_ms: float = 0
    """The longest silence heard for want of audio."""
    _dry_ms: float = 0

    def hear(self, chunk: SpeechChunk) -> None:
        self.clause_ends += chunk.clause_end
        self.words += chunk.words
        if len(chunk.audio_24k):
            self.audio.append(chunk.audio_24k)
            now = now_ms()
            if self.first_ms is None:
                self.first_ms = self._dry_ms = now
            self.gap_ms = max(self.gap_ms, now - self._dry_ms)
            self._dry_ms = max(self._dry_ms, now) + len(chunk.audio_24k) * 1000 / VOICE_HZ

    def check(self, *texts: str) -> None:
        """Each word was said once, in order, whole, and where its times say."""
        wanted = " ".join(texts).split()
        assert [word.text for word in self.words] == wanted
        audio = np.concatenate(self.audio)
        for word in self.words:
            assert word.end_samples - word.start_samples == WORD_SAMPLES
            heard = audio[word.start_samples : word.end_samples]
            middle = heard[WORD_SAMPLES // 10 : -WORD_SAMPLES // 10]
            assert len(heard) == WORD_SAMPLES
            assert np.array_equal(middle, level_of(word.text)[: len(middle)]), word
            audio[word.start_samples : word.end_samples] = 0
        assert not audio.any(), "there is a part of a word that no word time names"


@dataclass
class Model:
    """A `LanguageModel` that writes `words` words a token each; or its own `deltas`."""

    name: str
    acts: list[Act] = field(default_factory=lambda: [Act()])
    words: int = 8
    deltas: tuple[LlmDelta, ...] = ()
    requests: Requests = field(default_factory=Requests)
    prompts: list[Prompt] = field(default_factory=list)
    repeats: bool = False
    """A continuation begins the reply anew."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        act = self.requests.begin(self.acts)
        self.prompts.append(prompt)
        try:
            await asyncio.sleep(act.first_ms / 1000)
            for number, delta in enumerate(self.deltas or self._deltas(prompt)):
                if act.dies_at is not None and number >= act.dies_at:
                    if act.swallows:
                        return
                    await die(act, self.requests)
                yield delta
                await asyncio.sleep(0.001)
            if not act.ends:
                await asyncio.sleep(FOREVER_S)
        finally:
            self.requests.under_way -= 1

    def _deltas(self, prompt: Prompt) -> list[LlmDelta]:
        out = [message.content for message in prompt.messages if message.role == "assistant"]
        first = 1 if self.repeats or not out else len(out[-1].split()) + 1
        written = text(self.words + 1 - first, first)
        pieces = [written[at : at + 3] for at in range(0, len(written), 3)]
        return [*map(TextDelta, pieces), Usage(1, len(pieces), None, stopped_at_limit=False)]

    async def warm(self, prompt: Prompt) -> None:
        self.prompts.append(prompt)

    async def aclose(self) -> None:
        pass


@dataclass
class Ear:
    """A `SpeechToText`."""

    name: str
    acts: list[Act] = field(default_factory=lambda: [Act()])
    requests: Requests = field(default_factory=Requests)
    passes: Passes = Passes.AT_PAUSES

    async def transcribe(self, audio_16k: Samples, *, language: str) -> Transcript:
        act = self.requests.begin(self.acts)
        try:
            if act.dies_at is not None:
                await asyncio.sleep(act.first_ms / 1000)
                await die(act, self.requests)
            await asyncio.sleep(act.first_ms / 1000)
            return Transcript(f"heard by {self.name}", (), 0.9)
        finally:
            self.requests.under_way -= 1

    async def aclose(self) -> None:
        pass


CALL = ToolCall("call_1", "look", "{}")


@dataclass
class Record:
    """A turn's decisions."""

    decisions: list[Decision] = field(default_factory=list)

    def __call__(self, decision: Decision) -> None:
        assert decision.reason
        self.decisions.append(decision)

    @property
    def kinds(self) -> list[DecisionKind]:
        return [decision.kind for decision in self.decisions]

    def told(self, kind: DecisionKind) -> list[tuple[str, str | None]]:
        """Who stands in for whom."""
        return [(one.provider, one.instead_of) for one in self.decisions if one.kind is kind]
