"""Replies prepared in a pause, live: promoted or thrown away, and nothing of them told before."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace

import pytest

from speakback.audio.speech import SpeechChunk
from speakback.providers.errors import ProviderError
from speakback.providers.llm import LlmDelta, Message, Prompt, TextDelta, ToolCall
from speakback.session import notices as n
from speakback.session.asking import APOLOGY
from speakback.session.settings import SessionSettings
from speakback.turn.drafts import DraftBook, Drafts
from speakback.turn.endpointing import FixedEndpointing
from tests.session.line import Line, after, on_the_line, said, slow_ear, slow_voice
from tests.session.scripted import (
    ANSWER,
    BRIEF,
    LONG,
    PLAIN,
    QUESTION,
    TEXTS,
    LlmScript,
    ScriptedLlm,
    ScriptedTts,
    llm_failure,
    reply_text,
    says,
    scripted,
    sent_samples,
    user,
    writes,
)

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])

DRAFTING = replace(BRIEF, turn=replace(PLAIN, drafts=Drafts()))
CALL = ToolCall("call_1", "clock", "{}")
THINKING_MS = 300
WORDY = "It is noon in Rome today. The sun stands high above the town. Nobody is out in the street."
"""Three clauses."""


class OnceHoarse(ScriptedTts):
    """A voice that fails the first time."""

    calls = 0

    async def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        self.calls += 1
        if self.calls == 1:
            raise ProviderError("tts", self.name, "is not there")
        async for chunk in super().speak(clauses):
            yield chunk


def telling(called: asyncio.Event, script: LlmScript) -> LlmScript:
    """A model that tells when it is called."""

    async def write(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        called.set()
        async for delta in script(prompt):
            yield delta

    return write


async def asked(line: Line) -> n.LatencyMeasured:
    """Ask a question, and hear the answer to its end."""
    line.say(QUESTION, 400)
    return await line.client.until(n.LatencyMeasured)


def book(line: Line) -> DraftBook:
    """What the drafts came to, as the client was told last."""
    return line.client.all(n.DraftsCounted)[-1].book


def told_of_a_reply(line: Line, since: int = 0) -> list[n.Notice]:
    """All that a client may know of replies."""
    kinds = (n.ReplyBegan, n.ReplyMessageBegan, n.ReplyTextGrew, n.ReplyAudioSent, n.ReplyToolCalled, n.ReplyEnded)
    return [notice for notice in line.client.seen[since:] if isinstance(notice, kinds)]


# ---- promoted ---------------------------------------------------------------------------------------


async def first_audio_after_ms(settings: SessionSettings) -> int:
    script = after(THINKING_MS, says("It is noon."))
    async with on_the_line(scripted(script, stt=slow_ear(50)), settings) as line:
        latency = (await asked(line)).latency
    assert latency.ttfb_ms is not None
    assert latency.drafted is settings.turn.drafts.enabled
    return latency.ttfb_ms


async def test_a_drafted_reply_is_heard_sooner() -> None:
    sooner_ms = await first_audio_after_ms(BRIEF) - await first_audio_after_ms(DRAFTING)
    assert sooner_ms == pytest.approx(THINKING_MS, abs=20)


async def test_nothing_of_a_draft_is_told_before_the_turn_is_over() -> None:
    llm, tts = ScriptedLlm([says(LONG)]), ScriptedTts()
    async with on_the_line(scripted(llm=llm, tts=tts, stt=slow_ear()), DRAFTING) as line:
        line.say(QUESTION, 400)
        committed = await line.client.until(n.InputBufferCommitted)
        assert (len(llm.prompts), len(tts.clauses)) == (1, 1)
        assert told_of_a_reply(line) == []
        ended = await line.client.until(n.ReplyEnded)
    assert line.client.at_ms(line.client.all(n.ReplyAudioSent)[0]) == line.client.at_ms(committed)
    assert (ended.status, said(ended), reply_text(line.client.seen, ended.response_id)) == ("completed", LONG, LONG)
    assert len(llm.prompts) == 1
    assert llm.prompts[0].messages == (Message("system", "Be brief."), Message("user", TEXTS[QUESTION]))
    assert (book(line).started, book(line).promoted, book(line).wasted_tokens) == (1, 1, 0)


async def test_the_ledger_of_a_drafted_reply_blames_nobody_for_work_done_in_the_wait() -> None:
    async with on_the_line(scripted(after(THINKING_MS, says("It is noon.")), stt=slow_ear(50)), DRAFTING) as line:
        latency = (await asked(line)).latency
    assert latency.drafted
    assert (latency.endpointing_wait_ms, latency.transcription_ms) == (latency.ttfb_ms, 0)
    assert latency.first_token_ms == pytest.approx(THINKING_MS, abs=2)
    assert latency.own_ms is not None
    assert 0 <= latency.own_ms <= 2


async def test_a_draft_that_is_not_ready_at_the_turns_end_goes_on_as_the_reply() -> None:
    llm = ScriptedLlm([after(1000, says("It is noon."))])
    async with on_the_line(scripted(llm=llm, stt=slow_ear()), DRAFTING) as line:
        latency = (await asked(line)).latency
    assert (len(llm.prompts), book(line).promoted) == (1, 1)
    assert latency.ttfb_ms is not None
    assert 1000 < latency.ttfb_ms < 1500
    assert latency.own_ms is not None
    assert 0 <= latency.own_ms <= 2


async def test_a_tool_call_in_a_draft_is_told_behind_the_turns_end() -> None:
    async with on_the_line(scripted(writes(TextDelta("Let me see."), CALL), stt=slow_ear()), DRAFTING) as line:
        line.say(QUESTION, 400)
        await line.client.until(n.InputBufferCommitted)
        assert told_of_a_reply(line) == []
        called = await line.client.until(n.ReplyToolCalled)
        ended = await line.client.until(n.ReplyEnded)
    assert (called.item.name, called.item.call_id) == ("clock", "call_1")
    assert (ended.status, len(ended.items), book(line).promoted) == ("completed", 2, 1)


async def test_a_draft_of_nothing_but_a_tool_call_is_promoted() -> None:
    llm = ScriptedLlm([writes(CALL)])
    async with on_the_line(scripted(llm=llm, stt=slow_ear()), DRAFTING) as line:
        line.say(QUESTION, 400)
        await line.client.until(n.InputBufferCommitted)
        assert told_of_a_reply(line) == []
        await line.client.until(n.ReplyToolCalled)
        assert (await line.client.until(n.ReplyEnded)).status == "completed"
    assert (len(llm.prompts), book(line).promoted) == (1, 1)


async def test_a_drafted_text_is_told_behind_the_turns_end() -> None:
    tts = ScriptedTts()
    engines = scripted(says("It is noon."), tts=tts, stt=slow_ear())
    async with on_the_line(engines, replace(DRAFTING, speaks=False)) as line:
        line.say(QUESTION, 400)
        await line.client.until(n.InputBufferCommitted)
        assert told_of_a_reply(line) == []
        ended = await line.client.until(n.ReplyEnded)
    assert (said(ended), ended.speaks, book(line).promoted) == ("It is noon.", False, 1)
    assert (tts.clauses, sent_samples(line.client.seen)) == ([], 0)


async def test_a_tool_call_in_a_drafted_text_is_told_behind_the_turns_end() -> None:
    llm = ScriptedLlm([writes(CALL)])
    async with on_the_line(scripted(llm=llm, stt=slow_ear()), replace(DRAFTING, speaks=False)) as line:
        line.say(QUESTION, 400)
        await line.client.until(n.ReplyToolCalled)
        await line.client.until(n.LatencyMeasured)
    assert (len(llm.prompts), len(line.client.all(n.ReplyToolCalled)), book(line).promoted) == (1, 1, 1)


# ---- thrown away ------------------------------------------------------------------------------------


async def test_a_draft_is_thrown_away_unseen_when_the_user_goes_on() -> None:
    llm = ScriptedLlm([says(LONG), says("It is noon.")])
    async with on_the_line(scripted(llm=llm, stt=slow_ear()), DRAFTING) as line:
        line.say(QUESTION, 400)
        line.pause(400)
        line.say(ANSWER, 400)
        ended = await line.client.until(n.ReplyEnded)
        await line.client.until(n.LatencyMeasured)
    assert len(line.client.all(n.ReplyBegan)) == 1
    assert reply_text(line.client.seen, ended.response_id) == said(ended) == "It is noon."
    assert [prompt.messages[-1].content for prompt in llm.prompts] == [TEXTS[QUESTION], TEXTS[ANSWER]]
    assert llm.prompts[1].messages == (Message("system", "Be brief."), Message("user", TEXTS[ANSWER]))
    assert (book(line).started, book(line).promoted) == (2, 1)
    assert book(line).wasted_tokens > 0
    assert book(line).wasted_characters > 0
    assert llm.under_way == 0


async def test_a_draft_that_is_thrown_away_is_worked_on_no_longer() -> None:
    llm = ScriptedLlm([after(10_000, says(LONG)), says("It is noon.")])
    async with on_the_line(scripted(llm=llm, stt=slow_ear()), DRAFTING) as line:
        line.say(QUESTION, 400)
        line.pause(400)
        line.say(ANSWER, 400)
        await line.client.until(n.ReplyEnded)
        assert (len(llm.prompts), llm.under_way) == (2, 0)


@pytest.mark.parametrize("speaks", [True, False], ids=["voice", "text"])
async def test_the_model_writes_a_draft_to_its_end_and_is_free_for_others(speaks: bool) -> None:
    """A place of llama.cpp is held until its call is read to the end, not until the draft is promoted."""
    llm = ScriptedLlm([says(WORDY)])
    tts = slow_voice()
    patient = replace(PLAIN, drafts=Drafts(), endpointing=FixedEndpointing(2000))
    async with on_the_line(
        scripted(llm=llm, stt=slow_ear(), tts=tts), replace(DRAFTING, turn=patient, speaks=speaks)
    ) as line:
        line.say(QUESTION, 400)
        await asyncio.sleep(1.5)
        assert (len(llm.prompts), llm.under_way) == (1, 0)
        assert len(tts.clauses) == (1 if speaks else 0), "only the first clause is worth a voice by now"
        assert told_of_a_reply(line) == []
        ended = await line.client.until(n.ReplyEnded)
    assert (said(ended), len(llm.prompts)) == (WORDY, 1)
    assert reply_text(line.client.seen, ended.response_id).strip() == WORDY


async def test_all_that_was_written_of_a_draft_is_counted() -> None:
    patient = replace(PLAIN, drafts=Drafts(), endpointing=FixedEndpointing(2000))
    async with on_the_line(scripted(says(WORDY), stt=slow_ear()), replace(DRAFTING, turn=patient)) as line:
        line.say(QUESTION, 400)
        line.pause(1500)
        line.say(ANSWER, 400)
        await line.client.until(n.ReplyEnded)
    assert book(line).wasted_tokens == len(WORDY.split())
    assert 0 < book(line).wasted_characters < len(WORDY)


async def test_what_the_client_says_in_the_pause_makes_the_reply_anew() -> None:
    drafting = asyncio.Event()
    llm = ScriptedLlm([telling(drafting, says("Never told.")), says("It is noon.")])
    async with on_the_line(scripted(llm=llm, stt=slow_ear()), DRAFTING) as line:
        line.say(QUESTION, 400)
        await drafting.wait()
        line.client.session.add_item(user("I am in Rome."))
        ended = await line.client.until(n.ReplyEnded)
    assert said(ended) == "It is noon."
    assert [message.content for message in llm.prompts[1].messages[1:]] == ["I am in Rome.", TEXTS[QUESTION]]
    assert (book(line).started, book(line).promoted) == (1, 0)
    assert "Never" not in "".join(grew.delta for grew in line.client.all(n.ReplyTextGrew))


@pytest.mark.parametrize(
    "broken",
    [writes(llm_failure()), writes(TextDelta("One two three. "), llm_failure()), writes(ValueError("secret"))],
    ids=["at once", "in mid reply", "defect"],
)
async def test_a_draft_that_fails_is_no_failure(broken: LlmScript) -> None:
    llm = ScriptedLlm([broken, says("It is noon.")])
    async with on_the_line(scripted(llm=llm, stt=slow_ear()), DRAFTING) as line:
        latency = (await asked(line)).latency
    (ended,) = line.client.all(n.ReplyEnded)
    assert (ended.status, said(ended), latency.drafted) == ("completed", "It is noon.", False)
    assert line.client.all(n.Fault) == []
    assert (book(line).started, book(line).promoted) == (1, 0)


async def test_a_draft_that_fails_once_it_is_the_reply_is_apologised_for() -> None:
    async def breaks(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        yield TextDelta("One two three. Four five six. ")
        await asyncio.sleep(2)
        raise llm_failure()

    async with on_the_line(scripted(breaks, stt=slow_ear(), tts=slow_voice()), DRAFTING) as line:
        line.say(QUESTION, 400)
        assert (await line.client.until(n.ReplyEnded)).status == "failed"
        assert said(await line.client.until(n.ReplyEnded)) == APOLOGY


async def test_a_voice_that_fails_in_a_draft_is_asked_again() -> None:
    tts = OnceHoarse()
    async with on_the_line(scripted(says("It is noon."), tts=tts, stt=slow_ear()), DRAFTING) as line:
        line.say(QUESTION, 400)
        assert said(await line.client.until(n.ReplyEnded)) == "It is noon."
    assert line.client.all(n.Fault) == []
    assert tts.calls == 2


# ---- the budget -------------------------------------------------------------------------------------


async def hesitate(line: Line, times: int) -> None:
    for _ in range(times):
        line.say(QUESTION, 400)
        line.pause(400)
    line.say(ANSWER, 400)
    await line.client.until(n.LatencyMeasured)


async def test_no_more_is_drafted_than_may_be_wasted() -> None:
    stingy = replace(DRAFTING, turn=replace(PLAIN, drafts=Drafts(free_tokens=5, free_characters=0, wasted_share=0.0)))
    llm = ScriptedLlm([says(LONG)])
    async with on_the_line(scripted(llm=llm, stt=slow_ear()), stingy) as line:
        await hesitate(line, times=2)
    assert (book(line).started, book(line).promoted) == (1, 0)
    assert len(llm.prompts) == 2


async def test_no_turn_has_more_than_its_share_of_drafts() -> None:
    few = replace(DRAFTING, turn=replace(PLAIN, drafts=Drafts(most_per_turn=2, free_tokens=999, free_characters=9999)))
    llm = ScriptedLlm([says(LONG)])
    async with on_the_line(scripted(llm=llm, stt=slow_ear()), few) as line:
        await hesitate(line, times=3)
    assert (book(line).started, len(llm.prompts)) == (2, 3)


async def test_closing_the_session_leaves_no_draft_running() -> None:
    drafting = asyncio.Event()
    llm = ScriptedLlm([telling(drafting, after(10_000, says(LONG)))])
    async with on_the_line(scripted(llm=llm, stt=slow_ear()), DRAFTING) as line:
        line.say(QUESTION, 400)
        await drafting.wait()
    assert llm.under_way == 0
