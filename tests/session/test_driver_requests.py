from dataclasses import replace

from speakback.providers.llm import Message, TextDelta, Tool, ToolCall, Usage
from speakback.session import notices as n
from speakback.session.items import MessageItem, ToolCallItem, ToolOutputItem
from speakback.session.settings import ReplyOptions
from tests.session.scripted import (
    BRIEF,
    LONG,
    QUESTION,
    ScriptedLlm,
    ScriptedTts,
    reply_text,
    says,
    scripted,
    sent_samples,
    talking,
    user,
    utterance,
    writes,
)

CLOCK = Tool("clock", "Tells the time.", '{"type": "object"}')
CALL = ToolCall("call_1", "clock", "{}")


async def test_a_tool_call_is_passed_through_and_the_reply_goes_on_after_its_output() -> None:
    llm = ScriptedLlm([writes(CALL), says("It is noon.")])
    async with talking(scripted(llm=llm), replace(BRIEF, tools=(CLOCK,))) as client:
        client.session.append_audio(utterance(QUESTION))
        called = await client.until(n.ReplyToolCalled)
        assert (called.output_index, called.item.call_id, called.item.arguments) == (0, "call_1", "{}")
        ended = await client.until(n.ReplyEnded)
        assert (ended.status, ended.items) == ("completed", (called.item,))
        client.session.add_item(ToolOutputItem("item_out", "call_1", "12:00"))
        client.session.request_reply(ReplyOptions())
        assert (await client.until(n.ReplyEnded)).status == "completed"
    assert llm.prompts[0].tools == (CLOCK,)
    assert llm.prompts[1].messages[2:] == (
        Message("assistant", "", tool_calls=(CALL,)),
        Message("tool", "12:00", tool_call_id="call_1"),
    )


async def test_words_before_a_tool_call_are_spoken_and_stand_before_it() -> None:
    async with talking(scripted(writes(TextDelta("Let me see."), CALL))) as client:
        client.session.append_audio(utterance(QUESTION))
        ended = await client.until(n.ReplyEnded)
    message, call = ended.items
    assert isinstance(message, MessageItem)
    assert isinstance(call, ToolCallItem)
    assert message.text == "Let me see."
    called = client.all(n.ReplyToolCalled)[0]
    assert (called.output_index, called.previous_item_id) == (1, message.item_id)


async def test_a_text_reply_makes_no_sound() -> None:
    tts = ScriptedTts()
    async with talking(scripted(says("It is noon."), tts=tts), replace(BRIEF, speaks=False)) as client:
        client.session.add_item(user("What time is it?"))
        client.session.request_reply(ReplyOptions())
        ended = await client.until(n.ReplyEnded)
    (message,) = ended.items
    assert isinstance(message, MessageItem)
    assert (message.text, message.spoken) == ("It is noon.", False)
    assert reply_text(client.seen, ended.response_id).strip() == "It is noon."
    assert (sent_samples(client.seen), tts.clauses) == (0, [])


async def test_a_text_reply_cannot_be_truncated() -> None:
    async with talking(scripted(says("It is noon.")), replace(BRIEF, speaks=False)) as client:
        client.session.request_reply(ReplyOptions())
        (message,) = (await client.until(n.ReplyEnded)).items
        client.session.truncate_item(message.item_id, 0, "ev_1")
        fault = await client.until(n.Fault)
        assert (fault.by_client, fault.request_id) == (True, "ev_1")
        assert client.session.item(message.item_id) == message


async def test_a_second_request_is_refused_while_a_reply_is_active() -> None:
    async with talking(scripted(says(LONG))) as client:
        client.session.request_reply(ReplyOptions())
        await client.until_heard(100)
        client.session.request_reply(ReplyOptions(speaks=False), "ev_2")
        fault = await client.until(n.Fault)
        assert (fault.code, fault.request_id) == ("conversation_already_has_active_response", "ev_2")
        client.session.cancel_reply()
        ended = await client.until(n.ReplyEnded)
        assert (ended.status, ended.reason, ended.speaks) == ("cancelled", "client_cancelled", True)


async def test_cancelling_names_the_reply_or_is_refused() -> None:
    async with talking(scripted(says(LONG))) as client:
        client.session.cancel_reply(request_id="ev_0")
        assert (await client.until(n.Fault)).code == "response_cancel_not_active"
        client.session.request_reply(ReplyOptions())
        began = await client.until(n.ReplyBegan)
        client.session.cancel_reply("resp_other", "ev_1")
        fault = await client.until(n.Fault)
        assert (fault.request_id, fault.param) == ("ev_1", "response_id")
        client.session.cancel_reply(began.response_id)
        assert (await client.until(n.ReplyEnded)).status == "cancelled"


async def test_a_reply_that_reaches_its_token_limit_is_incomplete() -> None:
    script = writes(TextDelta("It is"), Usage(3, 2, None, stopped_at_limit=True))
    async with talking(scripted(script)) as client:
        client.session.request_reply(ReplyOptions())
        ended = await client.until(n.ReplyEnded)
    assert (ended.status, ended.reason) == ("incomplete", "max_output_tokens")
