"""What a session says its work is for, as the engines see it when they are asked, and after."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from speakback.audio.pcm import Samples
from speakback.audio.speech import SpeechChunk
from speakback.providers.llm import LlmDelta, Prompt
from speakback.providers.stt import Transcript
from speakback.providers.urgency import Purpose, Urgency, present_purpose
from speakback.session import notices as n
from speakback.turn.drafts import Drafts
from speakback.turn.strategies import strategy
from tests.session.line import GRADED, on_the_line
from tests.session.scripted import (
    BACKCHANNEL,
    BRIEF,
    LONG,
    QUESTION,
    ScriptedLlm,
    ScriptedStt,
    ScriptedTts,
    says,
    scripted,
)

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])


@dataclass
class Asked:
    """Purposes of which an engine was asked for something, and their urgency then."""

    purposes: list[Purpose] = field(default_factory=list)
    at_first: list[Urgency] = field(default_factory=list)

    def note(self) -> None:
        self.purposes.append(present_purpose())
        self.at_first.append(self.purposes[-1].urgency)


@dataclass
class Ear(ScriptedStt):
    asked: Asked = field(default_factory=Asked)

    async def transcribe(self, audio_16k: Samples, *, language: str) -> Transcript:
        self.asked.note()
        return await super().transcribe(audio_16k, language=language)


@dataclass
class Model(ScriptedLlm):
    asked: Asked = field(default_factory=Asked)
    warmed_for: Asked = field(default_factory=Asked)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        self.asked.note()
        async for delta in super().stream(prompt):
            yield delta

    async def warm(self, prompt: Prompt) -> None:
        self.warmed_for.note()


@dataclass
class Voice(ScriptedTts):
    """Notes the purpose of each clause, when it begins to work on it."""

    asked: Asked = field(default_factory=Asked)

    async def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        async def noted() -> AsyncGenerator[str, None]:
            async for clause in clauses:
                self.asked.note()
                yield clause

        async for chunk in super().speak(noted()):
            yield chunk


async def test_passes_over_a_turn_grow_urgent_towards_its_end() -> None:
    ear = Ear(takes_ms=400)
    async with on_the_line(scripted(stt=ear)) as line:
        line.say(QUESTION, 1500)
        await line.client.until(n.InputBufferCommitted)
        await line.client.until(n.TranscriptCompleted)
    *partial, last = ear.asked.at_first
    assert partial
    assert set(partial) == {Urgency.PARTIAL}
    assert last is Urgency.PAUSE


async def test_the_pass_that_a_turn_ends_on_becomes_the_final_one() -> None:
    ear = Ear(takes_ms=900)
    async with on_the_line(scripted(stt=ear)) as line:
        line.say(QUESTION, 300)
        await line.client.until(n.InputBufferCommitted)
        assert ear.asked.at_first[-1] is Urgency.PAUSE
        assert ear.asked.purposes[-1].urgency is Urgency.COMMITTED
        await line.client.until(n.TranscriptCompleted)


async def test_words_over_the_agent_are_wanted_at_once_as_they_judge_it() -> None:
    ear = Ear(takes_ms=50)
    async with on_the_line(scripted(says(LONG), stt=ear, tts=ScriptedTts(word_ms=200)), GRADED) as line:
        await line.asks()
        ear.asked.at_first.clear()
        line.say(BACKCHANNEL, 600)
        await line.client.until(n.OverlapJudged, lambda judged: judged.verdict == "backchannel")
    assert len(ear.asked.at_first) >= 2
    assert set(ear.asked.at_first) == {Urgency.PAUSE}


async def test_a_replys_first_clause_comes_before_its_tail() -> None:
    model, voice = Model([says("One two three four five six seven eight nine ten. Eleven twelve. Thirteen.")]), Voice()
    async with on_the_line(scripted(llm=model, tts=voice)) as line:
        line.say(QUESTION, 400)
        await line.client.until(n.ReplyEnded)
    assert model.asked.at_first == [Urgency.FIRST_CLAUSE]
    assert voice.asked.at_first == [Urgency.FIRST_CLAUSE, Urgency.LATER_CLAUSES, Urgency.LATER_CLAUSES]


async def test_a_tail_is_urgent_when_the_audio_runs_out() -> None:
    voice = Voice(word_ms=60)
    async with on_the_line(scripted(says("One two. Three four."), tts=voice)) as line:
        line.say(QUESTION, 400)
        await line.client.until(n.ReplyEnded)
    assert voice.asked.at_first == [Urgency.FIRST_CLAUSE] * len(voice.asked.at_first)
    assert len(voice.asked.at_first) == 2


async def test_a_draft_is_not_urgent_until_it_is_promoted() -> None:
    model, voice = Model([says("It is noon in Rome. The sun is high.")]), Voice()
    turn = replace(strategy("overlap-aware"), drafts=Drafts())
    engines = scripted(llm=model, tts=voice, stt=ScriptedStt(takes_ms=50))
    async with on_the_line(engines, replace(BRIEF, turn=turn)) as line:
        line.say(QUESTION, 800)
        await line.client.until(n.ReplyBegan)
        (of_model,) = model.asked.purposes
        assert model.asked.at_first == voice.asked.at_first == [Urgency.DRAFT]
        assert of_model.urgency is not Urgency.DRAFT
        assert voice.asked.purposes == [of_model]
        await line.client.until(n.ReplyEnded)


async def test_to_read_ahead_is_the_least_urgent() -> None:
    model = Model([says("It is noon.")])
    async with on_the_line(scripted(llm=model)) as line:
        line.say(QUESTION, 400)
        await line.client.until(n.ReplyEnded)
    assert model.warmed_for.at_first
    assert set(model.warmed_for.at_first) == {Urgency.WARMING}
