"""The end-of-turn model in a conversation: asked where it can matter, waited for no longer than that."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from speakback.audio.pcm import Samples
from speakback.providers.errors import ProviderError
from speakback.providers.urgency import Purpose, Urgency, present_purpose
from speakback.providers.workers import Overdue
from speakback.session import notices as n
from speakback.session.pause_scores import MARGIN_MS
from speakback.session.settings import SessionSettings
from speakback.turn.barge_in import BargeIn
from speakback.turn.config import TurnConfig
from speakback.turn.endpointing import CalibratedEndpointing, SemanticEndpointing
from speakback.vad.hysteresis import VadConfig
from tests.session.line import GRADED, Line, on_the_line, slow_ear, slow_voice
from tests.session.scripted import (
    ANSWER,
    BACKCHANNEL,
    BRIEF,
    LONG,
    MANUAL,
    QUESTION,
    ScriptedStt,
    says,
    scripted,
    talking,
    utterance,
)

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])

UNSCORED_MS = 600
SEMANTIC = TurnConfig(
    endpointing=SemanticEndpointing(sure_ms=300, doubtful_ms=1200, unscored_ms=UNSCORED_MS),
    barge_in=BargeIn.IMMEDIATE,
)
SETTINGS = replace(BRIEF, turn=SEMANTIC)
NOTICED_MS = VadConfig().min_silence_ms
FRAME_MS = 32
"""The VAD hears in frames, so that it is sure of a silence up to so much later."""


async def at_once() -> float:
    return 0.99


async def never() -> float:
    await asyncio.Event().wait()
    return 0.0


@dataclass
class Model:
    """An `EndOfTurnModel` that does what the script says, each time it is asked."""

    script: Callable[[], Awaitable[float]] = at_once
    name: str = "scripted"
    asked_for: list[Purpose] = field(default_factory=list)
    given_up: int = 0

    async def score(self, audio_16k: Samples) -> float:
        self.asked_for.append(present_purpose())
        try:
            return await self.script()
        except asyncio.CancelledError:
            self.given_up += 1
            raise

    async def aclose(self) -> None:
        pass


def ear_that_reads_nothing_yet() -> ScriptedStt:
    """Words that come long after the pause was decided."""
    return slow_ear(5000)


def outcomes(line: Line) -> list[str]:
    return [weighed.outcome for weighed in line.client.all(n.PauseWeighed)]


async def waited_ms(line: Line) -> int:
    """Say something, and tell after how long a silence the turn ends."""
    now_ms = asyncio.get_running_loop().time() * 1000
    line.say(QUESTION, 800)
    stopped = await line.client.until(n.UserSpeechStopped)
    return round(line.client.at_ms(stopped) - now_ms) - 800


async def test_a_score_in_time_ends_the_turn_sooner() -> None:
    model = Model()
    async with on_the_line(scripted(end_of_turn=model, stt=ear_that_reads_nothing_yet()), SETTINGS) as line:
        assert await waited_ms(line) in range(300, 300 + 2 * FRAME_MS)
    (weighed,) = line.client.all(n.PauseWeighed)
    (stopped,) = line.client.all(n.UserSpeechStopped)
    assert weighed == n.PauseWeighed(stopped.item_id, 1, "scored", 0.99, stopped.audio_end_ms)
    (purpose,) = model.asked_for
    assert purpose.urgency is Urgency.PAUSE
    assert purpose.due_s is not None, "the pool knows by when it is wanted"


async def test_a_score_that_does_not_come_is_given_up_and_silence_decides() -> None:
    model = Model(never)
    async with on_the_line(scripted(end_of_turn=model, stt=ear_that_reads_nothing_yet()), SETTINGS) as line:
        assert await waited_ms(line) in range(UNSCORED_MS, UNSCORED_MS + 2 * FRAME_MS)
    assert outcomes(line) == ["late"]
    assert model.given_up == 1


async def test_the_deadline_may_be_set_sooner() -> None:
    async def slow() -> float:
        await asyncio.sleep(0.25)
        return 0.99

    hurried = replace(SETTINGS, hearing=replace(SETTINGS.hearing, score_within_ms=350))
    for settings, outcome in ((SETTINGS, "scored"), (hurried, "late")):
        engines = scripted(end_of_turn=Model(slow), stt=ear_that_reads_nothing_yet())
        async with on_the_line(engines, settings) as line:
            await waited_ms(line)
        assert outcomes(line) == [outcome]


async def test_a_model_with_too_much_to_do_leaves_silence_to_decide() -> None:
    async def busy() -> float:
        raise Overdue("end_of_turn", "scripted", "too many calls are before it")

    engines = scripted(end_of_turn=Model(busy), stt=ear_that_reads_nothing_yet())
    async with on_the_line(engines, SETTINGS) as line:
        assert await waited_ms(line) >= UNSCORED_MS
    assert outcomes(line) == ["busy"]


async def test_a_model_that_fails_leaves_silence_to_decide() -> None:
    async def fail() -> float:
        raise ProviderError("end_of_turn", "scripted", "is not there")

    engines = scripted(end_of_turn=Model(fail), stt=ear_that_reads_nothing_yet())
    async with on_the_line(engines, SETTINGS) as line:
        assert await waited_ms(line) >= UNSCORED_MS
    assert outcomes(line) == ["failed"]


async def test_a_score_is_dropped_when_the_voice_comes_back() -> None:
    model = Model(never)
    engines = scripted(end_of_turn=model, stt=ear_that_reads_nothing_yet())
    async with on_the_line(engines, SETTINGS) as line:
        line.say(QUESTION, 400)
        line.pause(250)
        line.say(QUESTION, 400)
        await line.client.until(n.UserSpeechStopped)
    assert outcomes(line) == ["moot", "late"]
    first, second = line.client.all(n.PauseWeighed)
    assert (first.number, first.score, second.number, second.score) == (1, None, 2, None)
    assert first.item_id == second.item_id
    assert second.audio_ms - first.audio_ms in range(650 - FRAME_MS, 650 + 2 * FRAME_MS)
    assert model.given_up == 2


async def test_a_score_is_dropped_when_the_words_have_decided() -> None:
    model = Model(never)
    surely_over = {QUESTION: "Thank you.", ANSWER: "Tell me more."}
    async with on_the_line(scripted(end_of_turn=model, stt=ScriptedStt(texts=surely_over)), SETTINGS) as line:
        assert await waited_ms(line) < UNSCORED_MS - MARGIN_MS
    assert outcomes(line) == ["moot"]


async def test_words_that_ask_for_patience_spare_a_score_that_waits() -> None:
    model = Model(never)
    patient = replace(BRIEF, turn=replace(SEMANTIC, endpointing=CalibratedEndpointing()))
    hesitating = {QUESTION: "I want to go to the", ANSWER: "Tell me more."}
    async with on_the_line(scripted(end_of_turn=model, stt=ScriptedStt(texts=hesitating)), patient) as line:
        assert await waited_ms(line) > 1300
    assert outcomes(line) == ["words"]
    assert model.given_up == 1


# ---- where nobody asks ----------------------------------------------------------------------------


async def test_a_fixed_silence_never_asks() -> None:
    model = Model()
    async with on_the_line(scripted(end_of_turn=model), BRIEF) as line:
        await waited_ms(line)
    assert outcomes(line) == ["policy"]
    assert not model.asked_for


async def test_a_sound_too_short_to_tell_is_not_asked_about() -> None:
    model = Model()
    async with on_the_line(scripted(end_of_turn=model), SETTINGS) as line:
        line.say(QUESTION, 120)
        await line.client.until(n.UserSpeechStopped)
    assert outcomes(line) == ["short"]
    assert not model.asked_for


async def test_a_client_that_ends_turns_itself_never_asks() -> None:
    model = Model()
    async with talking(scripted(end_of_turn=model), MANUAL) as client:
        client.session.append_audio(utterance(QUESTION))
        client.session.commit_input()
        await client.until(n.TranscriptCompleted)
    assert not model.asked_for
    assert not client.all(n.PauseWeighed)


async def test_without_a_model_nothing_is_counted() -> None:
    async with on_the_line(scripted(), SETTINGS) as line:
        await waited_ms(line)
    assert outcomes(line) == []


async def over_the_agent(level: float, settings: SessionSettings) -> tuple[Model, list[str]]:
    """Say that over the agent; what was asked of the model about it."""
    model = Model()
    async with on_the_line(scripted(says(LONG), tts=slow_voice(), stt=slow_ear(), end_of_turn=model), settings) as line:
        await line.asks()
        asked, weighed = len(model.asked_for), len(outcomes(line))
        line.say(level, 400)
        await line.client.until(n.OverlapJudged, lambda judged: judged.verdict in ("backchannel", "interruption"))
        line.pause(1000)
        await line.client.until(n.ReplyEnded)
    return replace(model, asked_for=model.asked_for[asked:]), outcomes(line)[weighed:]


async def test_a_listeners_words_over_the_agent_are_not_asked_about() -> None:
    graded = replace(GRADED, turn=replace(GRADED.turn, endpointing=SEMANTIC.endpointing))
    model, weighed = await over_the_agent(BACKCHANNEL, graded)
    assert not model.asked_for
    assert weighed == ["words"]


async def test_what_may_be_a_turn_over_the_agent_is_asked_about_when_its_words_are_read() -> None:
    graded = replace(GRADED, turn=replace(GRADED.turn, endpointing=SEMANTIC.endpointing))
    model, weighed = await over_the_agent(ANSWER, graded)
    assert len(model.asked_for) == 1
    assert weighed == ["scored"]
