"""Pains of `test_pains.py`, continued: agents that are stuck, say it twice, cut in, or keep one waiting."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from speakback.providers.errors import ProviderError
from speakback.providers.llm import LlmDelta, Prompt, TextDelta, ToolCall
from speakback.session import notices as n
from speakback.session.asking import APOLOGY
from speakback.session.settings import SessionSettings
from speakback.turn.drafts import Drafts
from speakback.turn.strategies import STRATEGIES, strategy
from tests.session.line import on_the_line, said, slow_ear, slow_voice
from tests.session.scripted import (
    ANSWER,
    BACKCHANNEL,
    BRIEF,
    LONG,
    PLAIN,
    QUESTION,
    LlmScript,
    ScriptedLlm,
    ScriptedStt,
    ScriptedTts,
    llm_failure,
    says,
    scripted,
    writes,
)

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])

OVERLAP_AWARE = replace(BRIEF, turn=strategy("overlap-aware"))
EVERY_STRATEGY = [replace(BRIEF, turn=strategy(name)) for name in STRATEGIES]


# ---- 7: stuck turns, dead air -----------------------------------------------------------------------

HURRIED = replace(
    OVERLAP_AWARE,
    turn=replace(OVERLAP_AWARE.turn, transcript_timeout_ms=2000, first_audio_timeout_ms=3000, stall_timeout_ms=2000),
)
MOST_MS = 9000
"""Within this much of the user's last word something is heard or an error told, under `HURRIED`."""


async def _never(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
    await asyncio.Event().wait()
    yield TextDelta("Never said.")


async def _stalls(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
    yield TextDelta("One two three. ")
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    "script",
    [_never, _stalls, writes(), writes(TextDelta("<think>hm</think>")), writes(llm_failure()), writes(KeyError("x"))],
    ids=["never", "stalls", "empty", "bare marker", "fails", "crashes"],
)
async def test_pain_7_whatever_the_model_does_the_turn_is_answered(script: LlmScript) -> None:
    async with on_the_line(scripted(script, script, stt=slow_ear()), HURRIED) as line:
        line.client.forgiven.add("internal_error")
        line.say(QUESTION, 400)
        stopped = await line.client.until(n.UserSpeechStopped)
        apology = await line.client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
        assert said(apology) == APOLOGY
        assert line.client.at_ms(apology) - line.client.at_ms(stopped) < MOST_MS
        assert line.client.all(n.Fault) != []


@pytest.mark.parametrize("tts", [ScriptedTts(mute=True), ScriptedTts(failure=ProviderError("tts", "x", "is gone"))])
async def test_pain_7_a_voice_that_stays_silent_ends_in_an_error(tts: ScriptedTts) -> None:
    async with on_the_line(scripted(stt=slow_ear(), tts=tts), HURRIED) as line:
        line.say(QUESTION, 400)
        await line.client.until(n.Fault)
        tts.mute, tts.failure = False, None
        line.say(ANSWER, 400)
        await line.client.until(n.ReplyEnded, lambda ended: ended.status == "completed")


async def test_pain_7_a_transcript_that_never_comes_ends_in_an_apology() -> None:
    stt = ScriptedStt(gate=asyncio.Event())
    async with on_the_line(scripted(stt=stt), HURRIED) as line:
        line.say(QUESTION, 400)
        stopped = await line.client.until(n.UserSpeechStopped)
        apology = await line.client.until(n.ReplyEnded)
        assert said(apology) == APOLOGY
        assert line.client.at_ms(apology) - line.client.at_ms(stopped) < MOST_MS


async def test_pain_7_a_reply_that_fails_while_it_is_held_leaves_no_silence() -> None:
    mid_reply = asyncio.Event()

    async def breaks(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        yield TextDelta("One two three four five six. Seven eight nine ten. ")
        await mid_reply.wait()
        raise llm_failure()

    engines = scripted(breaks, says("It is noon."), stt=slow_ear(400), tts=slow_voice())
    async with on_the_line(engines, HURRIED) as line:
        await line.asks(heard_ms=800)
        line.say(BACKCHANNEL, 600)
        assert (await line.client.until(n.OverlapJudged)).verdict == "hold"
        mid_reply.set()
        assert (await line.client.until(n.ReplyEnded)).status == "failed"
        assert said(await line.client.until(n.ReplyEnded)) == "It is noon."


# ---- 9: speculative replies, said twice or paid for without end -------------------------------------


async def test_pain_9_a_hesitant_turn_is_answered_once_and_its_drafts_are_bounded() -> None:
    llm = ScriptedLlm([says(LONG)])
    async with on_the_line(scripted(llm=llm, stt=slow_ear(50)), OVERLAP_AWARE) as line:
        for _ in range(6):
            line.say(QUESTION, 300)
            line.pause(360)
        ended = await line.client.until(n.ReplyEnded)
        await line.client.until(n.LatencyMeasured)
    assert said(ended) == LONG
    assert len(line.client.all(n.ReplyBegan)) == 1
    assert len(llm.prompts) <= Drafts().most_per_turn + 1
    assert llm.under_way == 0


async def test_pain_9_a_superseded_draft_is_never_played() -> None:
    llm = ScriptedLlm([says("Never told at all."), says("It is noon.")])
    drafting = replace(BRIEF, turn=replace(PLAIN, drafts=Drafts()))
    async with on_the_line(scripted(llm=llm, stt=slow_ear(50)), drafting) as line:
        line.say(QUESTION, 400)
        line.pause(400)
        line.say(ANSWER, 400)
        await line.client.until(n.ReplyEnded)
    assert len(llm.prompts) == 2
    assert "".join(grew.delta for grew in line.client.all(n.ReplyTextGrew)) == "It is noon."


async def test_pain_9_no_tool_is_called_for_words_that_were_taken_back() -> None:
    llm = ScriptedLlm([writes(ToolCall("call_1", "pay", "{}")), says("It is noon.")])
    drafting = replace(BRIEF, turn=replace(PLAIN, drafts=Drafts()))
    async with on_the_line(scripted(llm=llm, stt=slow_ear(50)), drafting) as line:
        line.say(QUESTION, 400)
        line.pause(400)
        line.say(ANSWER, 400)
        assert said(await line.client.until(n.ReplyEnded)) == "It is noon."
    assert len(llm.prompts) == 2
    assert line.client.all(n.ReplyToolCalled) == []
    assert [message.tool_calls for message in llm.prompts[1].messages if message.tool_calls] == []


# ---- 10: numbers and addresses are cut off, and all else is slow -------------------------------------


@pytest.mark.parametrize(
    ("first", "whole"),
    [
        ("My number is five five five", "My number is five five five one two three four."),
        ("It's john at", "It's john at example dot com."),
        ("I would like to, um", "I would like to, um, book a table."),
        ("I went there and", "I went there and came back."),
    ],
    ids=["number", "address", "filler", "conjunction"],
)
async def test_pain_10_a_user_is_not_cut_off_within_a_number_an_address_or_a_sentence(first: str, whole: str) -> None:
    llm = ScriptedLlm([says("It is noon.")])
    stt = ScriptedStt(takes_ms=100, texts={QUESTION: first, ANSWER: whole})
    async with on_the_line(scripted(llm=llm, stt=stt), OVERLAP_AWARE) as line:
        line.say(QUESTION, 1000)
        line.pause(1100)
        line.say(ANSWER, 1000)
        await line.client.until(n.ReplyEnded)
    assert [transcript.text for transcript in line.client.all(n.TranscriptCompleted)] == [whole]
    assert [message.content for message in llm.prompts[-1].messages[1:]] == [whole]


@pytest.mark.parametrize("answer", ["Yes.", "No, thank you.", "Thank you."])
async def test_pain_10_a_plain_answer_is_answered_at_once(answer: str) -> None:
    stt = ScriptedStt(takes_ms=50, texts={ANSWER: answer})
    async with on_the_line(scripted(stt=stt), OVERLAP_AWARE) as line:
        line.say(ANSWER, 400)
        latency = (await line.client.until(n.LatencyMeasured)).latency
    assert latency.endpointing_wait_ms is not None
    assert latency.endpointing_wait_ms <= 500


# ---- 11: waits that nobody asked for ----------------------------------------------------------------


@pytest.mark.parametrize("settings", EVERY_STRATEGY, ids=list(STRATEGIES))
async def test_pain_11_nothing_is_waited_for_but_the_silence_that_the_strategy_asks_for(
    settings: SessionSettings,
) -> None:
    async with on_the_line(scripted(), settings) as line:
        line.say(QUESTION, 400)
        latency = (await line.client.until(n.LatencyMeasured)).latency
    assert latency.ttfb_ms is not None
    assert latency.endpointing_wait_ms is not None
    assert latency.ttfb_ms - latency.endpointing_wait_ms <= 2
    assert latency.own_ms is not None
    assert 0 <= latency.own_ms <= 2


async def test_pain_11_the_wait_counts_from_the_last_sound_however_long_the_words_take() -> None:
    fixed = replace(BRIEF, turn=strategy("half-duplex"))
    async with on_the_line(scripted(stt=slow_ear(400)), fixed) as line:
        line.say(QUESTION, 400)
        latency = (await line.client.until(n.LatencyMeasured)).latency
    assert (latency.endpointing_wait_ms, latency.transcription_ms) == (700, 0)
