"""What the agent does when nobody answers, neither the user nor a tool."""

from dataclasses import replace

import pytest

from speakback.providers.llm import ToolCall
from speakback.session import notices as n
from speakback.session.asking import APOLOGY, GOODBYE, REPROMPT
from speakback.session.items import ToolOutputItem
from speakback.session.settings import ReplyOptions
from speakback.turn.config import Idle
from tests.session.line import Line, on_the_line, said, slow_ear
from tests.session.scripted import (
    ANSWER,
    BRIEF,
    NOISE,
    PLAIN,
    QUESTION,
    ScriptedLlm,
    ScriptedTts,
    says,
    scripted,
    writes,
)

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])

IDLE_MS = 3000
ONE_PROMPT = replace(BRIEF, turn=replace(PLAIN, idle=Idle(wait_ms=IDLE_MS, reprompts=1)))
CALL = ToolCall("call_1", "clock", "{}")


async def heard_reply(line: Line) -> str:
    return said(await line.client.until(n.ReplyEnded))


async def answered_once(line: Line) -> n.ReplyEnded:
    line.say(QUESTION, 400)
    return await line.client.until(n.ReplyEnded)


async def test_a_user_who_says_nothing_is_prompted_then_let_go_and_the_session_closes() -> None:
    async with on_the_line(scripted(), ONE_PROMPT) as line:
        ended = await answered_once(line)
        prompt = await line.client.until(n.ReplyBegan)
        assert line.client.at_ms(prompt) - line.client.at_ms(ended) == pytest.approx(IDLE_MS, abs=2)
        assert await heard_reply(line) == REPROMPT
        assert await heard_reply(line) == GOODBYE
        goodbye = line.client.all(n.ReplyEnded)[-1]
        await line.client.until_closed()
        assert await line.client.session.next_notice() is None
    assert goodbye.status == "completed"
    assert (line.client.session.failed, line.client.session.overrun) == (False, False)


async def test_an_answer_to_the_prompt_keeps_the_conversation() -> None:
    async with on_the_line(scripted(), ONE_PROMPT) as line:
        await answered_once(line)
        assert await heard_reply(line) == REPROMPT
        line.say(ANSWER, 400)
        assert await heard_reply(line) == "It is noon."
        assert await heard_reply(line) == REPROMPT


async def test_what_is_said_over_the_goodbye_is_answered_and_the_session_stays() -> None:
    async with on_the_line(scripted(tts=ScriptedTts(word_ms=200)), ONE_PROMPT) as line:
        await answered_once(line)
        assert await heard_reply(line) == REPROMPT
        await line.client.until(n.ReplyBegan)
        await line.client.until_heard(600)
        line.say(ANSWER, 400)
        stopped = await line.client.until(n.ReplyEnded)
        assert (stopped.status, GOODBYE.startswith(said(stopped))) == ("cancelled", True)
        assert await heard_reply(line) == "It is noon."
        line.say(QUESTION, 400)
        assert await heard_reply(line) == "It is noon."


async def test_a_noise_over_the_goodbye_does_not_keep_the_session_for_ever() -> None:
    async with on_the_line(scripted(tts=ScriptedTts(word_ms=200)), ONE_PROMPT) as line:
        await answered_once(line)
        assert await heard_reply(line) == REPROMPT
        await line.client.until(n.ReplyBegan)
        await line.client.until_heard(600)
        line.say(NOISE, 400)
        await line.client.until(n.ReplyEnded)
        await line.client.until_closed()
    assert said(line.client.all(n.ReplyEnded)[-1]) == GOODBYE
    assert not line.client.session.failed


async def test_nobody_is_prompted_before_the_first_words() -> None:
    async with on_the_line(scripted(), ONE_PROMPT) as line:
        line.pause(2 * IDLE_MS)
        line.say(QUESTION, 400)
        await line.client.until(n.ReplyEnded)
    assert len(line.client.all(n.ReplyBegan)) == 1


async def test_the_idle_time_does_not_run_while_the_user_speaks() -> None:
    async with on_the_line(scripted(stt=slow_ear()), ONE_PROMPT) as line:
        await answered_once(line)
        line.pause(IDLE_MS - 600)
        line.say(ANSWER, 2 * IDLE_MS)
        assert await heard_reply(line) == "It is noon."


async def test_a_tool_that_never_answers_is_apologised_for() -> None:
    settings = replace(BRIEF, turn=replace(PLAIN, tool_timeout_ms=2000))
    async with on_the_line(scripted(writes(CALL)), settings) as line:
        ended = await answered_once(line)
        fault = await line.client.until(n.Fault)
        assert (fault.code, fault.by_client) == ("tool_result_overdue", False)
        assert line.client.at_ms(fault) - line.client.at_ms(ended) == pytest.approx(2000, abs=2)
        assert await heard_reply(line) == APOLOGY


async def test_a_tool_that_answers_in_time_is_not_apologised_for() -> None:
    settings = replace(ONE_PROMPT, turn=replace(ONE_PROMPT.turn, tool_timeout_ms=8000))
    llm = ScriptedLlm([writes(CALL), says("It is noon.")])
    async with on_the_line(scripted(llm=llm), settings) as line:
        await answered_once(line)
        line.pause(2 * IDLE_MS)
        line.say(NOISE, 400)  # the agent waits for the tool, not for the user
        await line.client.until(n.ItemDeleted)
        line.client.session.add_item(ToolOutputItem("item_t", "call_1", "12:00"))
        line.client.session.request_reply(ReplyOptions())
        assert await heard_reply(line) == "It is noon."
        assert line.client.all(n.Fault) == []
        assert await heard_reply(line) == REPROMPT
    assert llm.prompts[1].messages[-1].content == "12:00"
