"""A user who types while the agent speaks: all that a client sends for it goes out in one go, without waiting."""

from dataclasses import replace

import pytest

from speakback.providers.llm import Message
from speakback.session import notices as n
from speakback.session.items import MessageItem
from speakback.session.settings import ReplyOptions
from speakback.turn.strategies import strategy
from tests.session.line import on_the_line, said, slow_ear, slow_voice
from tests.session.scripted import (
    ANSWER,
    BRIEF,
    LONG,
    QUESTION,
    TEXTS,
    WORD_MS,
    ScriptedLlm,
    says,
    scripted,
    talking,
    user,
    utterance,
)

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])

TYPED = "And in Rome?"


@pytest.mark.parametrize("item_first", [True, False])
async def test_what_is_typed_is_answered_behind_what_was_heard_of_the_reply_that_it_stops(item_first: bool) -> None:
    llm = ScriptedLlm([says(LONG), says("It is noon.")])
    async with talking(scripted(llm=llm)) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(5 * WORD_MS)
        if item_first:
            client.session.add_item(user(TYPED))
        client.session.cancel_reply()
        if not item_first:
            client.session.add_item(user(TYPED))
        client.session.request_reply(ReplyOptions())
        stopped, answer = await client.until(n.ReplyEnded), await client.until(n.ReplyEnded)
    assert (stopped.reason, answer.status) == ("client_cancelled", "completed")
    assert client.all(n.Fault) == []
    assert llm.prompts[1].messages == (
        Message("system", "Be brief."),
        Message("user", TEXTS[QUESTION]),
        Message("assistant", said(stopped)),
        Message("user", TYPED),
    )


async def test_only_what_the_client_played_is_in_the_prompt() -> None:
    llm = ScriptedLlm([says(LONG), says("It is noon.")])
    async with talking(scripted(llm=llm)) as client:
        client.session.append_audio(utterance(QUESTION))
        audio = await client.until_heard(8 * WORD_MS)
        client.session.add_item(user(TYPED))
        client.session.cancel_reply()
        client.session.acknowledge_playback(audio.item_id, 2 * WORD_MS, 0)
        client.session.truncate_item(audio.item_id, 2 * WORD_MS)
        client.session.request_reply(ReplyOptions())
        await client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
    assert llm.prompts[1].messages[-2:] == (Message("assistant", "One two"), Message("user", TYPED))


async def test_of_a_reply_that_is_over_only_a_truncate_changes_what_was_heard() -> None:
    async with talking(scripted(says(LONG))) as client:
        client.session.append_audio(utterance(QUESTION))
        audio = await client.until_heard(8 * WORD_MS)
        client.session.cancel_reply()
        ended = await client.until(n.ReplyEnded)
        client.session.acknowledge_playback(audio.item_id, 2 * WORD_MS, 0)
        assert client.session.item(audio.item_id) == ended.items[0]
        client.session.truncate_item(audio.item_id, 2 * WORD_MS)
        cut = client.session.item(audio.item_id)
    assert isinstance(cut, MessageItem)
    assert (cut.text, cut.status) == ("One two", "incomplete")


async def test_with_a_spoken_turn_that_waits_it_is_answered_together_where_the_item_goes_first() -> None:
    """The reply to the spoken turn begins with the cancel, so that the request for one comes too late for another."""
    llm = ScriptedLlm([says(LONG), says("It is noon.")])
    settings = replace(BRIEF, turn=strategy("half-duplex"))
    async with on_the_line(scripted(llm=llm, stt=slow_ear(), tts=slow_voice()), settings) as line:
        await line.asks()
        line.say(ANSWER, 400)
        await line.client.until(n.TranscriptCompleted)
        line.client.session.add_item(user(TYPED))
        line.client.session.cancel_reply()
        line.client.session.request_reply(ReplyOptions(), "ev_1")
        fault = await line.client.until(n.Fault)
        answer = await line.client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
    assert (fault.code, fault.request_id) == ("conversation_already_has_active_response", "ev_1")
    assert said(answer) == "It is noon."
    assert len(llm.prompts) == 2
    assert [message.content for message in llm.prompts[1].messages if message.role == "user"] == [
        TEXTS[QUESTION],
        TEXTS[ANSWER],
        TYPED,
    ]
