"""1,000 turns of random faults, and of sessions that end at any moment: nothing sticks, leaks, is lost or unsaid."""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from random import Random

import numpy as np
import pytest

from speakback.providers.chain.entry import ANY, Entry
from speakback.providers.chain.llm_chain import LlmChain
from speakback.providers.chain.stt_chain import SttChain
from speakback.providers.chain.tts_chain import TtsChain
from speakback.providers.decisions import DecisionKind as K
from speakback.providers.decisions import Role
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.llm import LanguageModel, Message, Prompt, TextDelta
from speakback.providers.stt import SpeechToText
from speakback.providers.tts import TextToSpeech
from tests.providers.chain.scripted import Act, Ear, Listener, Model, Record, Requests, Voice, clauses, text

TURNS_PER_SEED = 100
LONGEST_TURN_S = 60.0
TRANSIENT = (Failure.BUSY, Failure.UNREACHABLE, Failure.BROKE_OFF, Failure.BAD_ANSWER, Failure.RATE_LIMITED)
CLAUSES = (text(2), text(4, 3), text(4, 7))
WORDS = 10
PROMPT = Prompt((Message("user", "Count."),))


def an_act(rng: Random, role: Role, words: int) -> Act:
    first_ms = rng.lognormvariate(5, 0.6) if rng.random() < 0.9 else rng.uniform(1000, 20_000)
    if rng.random() < 0.65:
        return Act(first_ms=first_ms, ends=rng.random() > 0.1, piece_ms=260)
    kind = rng.choice(TRANSIENT) if rng.random() < 0.95 else Failure.QUOTA
    death = None if rng.random() < 0.3 else ProviderError(role, "scripted", kind.value, failure=kind)
    return Act(
        first_ms=first_ms,
        dies_at=rng.choice([0.0, rng.randrange(2 * words) / 2]),
        death=death,
        swallows=rng.random() < 0.1 and role == "tts",
        piece_ms=rng.choice([130, 500]),
        times_real_time=rng.choice([2, 20, 200]),
    )


def acts(rng: Random, role: Role, words: int = WORDS) -> list[Act]:
    return [an_act(rng, role, words) for _ in range(600)]


async def answered() -> None:
    """A probe of a provider that is well again."""
    await asyncio.sleep(0.1)


@dataclass
class Bench:
    """Two services and a local model in each role."""

    rng: Random
    ears: list[Ear] = field(default_factory=list)
    models: list[Model] = field(default_factory=list)
    voices: list[Voice] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = self.rng
        self.ears = [Ear("e1", acts(rng, "stt")), Ear("e2", acts(rng, "stt")), Ear("local")]
        self.models = [Model("m1", acts(rng, "llm", 10), WORDS), Model("m2", acts(rng, "llm", 10), WORDS, repeats=True)]
        self.models.append(Model("local", words=WORDS))
        self.voices = [Voice("v1", acts(rng, "tts")), Voice("v2", acts(rng, "tts")), Voice("local")]
        stt: list[Entry[SpeechToText]] = [Entry(e.name, e, is_local=e.name == "local") for e in self.ears]
        llm: list[Entry[LanguageModel]] = [Entry(m.name, m, is_local=m.name == "local") for m in self.models]
        tts: list[Entry[TextToSpeech]] = [Entry(v.name, v, is_local=v.name == "local") for v in self.voices]
        self.stt = SttChain(tuple(stt), probes=dict.fromkeys(("e1", "e2", "local"), answered), rng=rng)
        self.llm = LlmChain(tuple(llm), probes=dict.fromkeys(("m1", "m2", "local"), answered), rng=rng)
        self.tts = TtsChain(tuple(tts), probes=dict.fromkeys(("v1", "v2", "local"), answered), rng=rng)

    @property
    def requests(self) -> list[Requests]:
        ears, models, voices = self.ears, self.models, self.voices
        return [*(e.requests for e in ears), *(m.requests for m in models), *(v.requests for v in voices)]

    @property
    def under_way(self) -> int:
        return sum(one.under_way for one in self.requests)

    @property
    def failed(self) -> int:
        return sum(one.failed for one in self.requests)

    async def transcribe(self, record: Record) -> None:
        audio = np.zeros(self.rng.randrange(1, 100_000), np.float32)
        transcript = await self.stt.bound(ANY, record).transcribe(audio, language="en")
        assert transcript.text.startswith("heard by")

    async def write(self, record: Record) -> None:
        async with aclosing(self.llm.bound(ANY, record).stream(PROMPT)) as deltas:
            out = [delta.text async for delta in deltas if isinstance(delta, TextDelta)]
        assert "".join(out) == text(WORDS)

    async def speak(self, record: Record) -> None:
        listener = Listener()
        source = clauses(*CLAUSES, every_ms=self.rng.choice([0, 50, 3000]))
        async with aclosing(self.tts.bound(ANY, record).speak(source)) as chunks:
            async for chunk in chunks:
                listener.hear(chunk)
        listener.check(*CLAUSES)

    async def aclose(self) -> None:
        for chain in (self.stt, self.llm, self.tts):
            await chain.aclose()


def tasks_of_turns() -> set[asyncio.Task[object]]:
    return {task for task in asyncio.all_tasks() if not task.get_name().startswith("probe of")}


async def one_turn(bench: Bench, record: Record) -> None:
    await bench.transcribe(record)
    await bench.write(record)
    await bench.speak(record)


async def ended(turn: Coroutine[object, object, None], after_s: float | None) -> bool:
    """Let a turn run to its end, or end it after so long; whether it came to its end. Raises what it raised."""
    task = asyncio.create_task(turn)
    done, _ = await asyncio.wait([task], timeout=LONGEST_TURN_S if after_s is None else after_s)
    if done:
        await task
        return True
    assert after_s is not None, "a turn is stuck"
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    return False


@pytest.mark.parametrize("seed", range(10))
async def test_turns_of_random_faults(seed: int) -> None:
    before = asyncio.all_tasks()
    rng = Random(seed)
    bench, kinds = Bench(rng), set[K]()
    for _ in range(TURNS_PER_SEED):
        record, failed_before = Record(), bench.failed
        after_s = rng.uniform(0, 4) if rng.random() < 0.3 else None
        is_whole = await ended(one_turn(bench, record), after_s)
        assert tasks_of_turns() == before
        assert bench.under_way == 0
        assert not is_whole or record.kinds.count(K.FAILED_OVER) >= bench.failed - failed_before
        kinds.update(record.kinds)
    assert kinds >= {K.FAILED_OVER, K.HEDGED, K.HEDGE_WON, K.HEDGE_REFUSED, K.WENT_ON, K.CIRCUIT_OPENED, K.SKIPPED}
    await bench.aclose()
    assert asyncio.all_tasks() == before
