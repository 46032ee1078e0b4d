"""session/driver.py: a session that is to leave closes at rest, and not before."""

import pytest

from speakback.providers.llm import ToolCall, Usage
from speakback.session import notices as n
from speakback.session.items import MessageItem, ToolOutputItem
from speakback.session.settings import ReplyOptions
from tests.session.scripted import (
    BRIEF,
    LONG,
    MANUAL,
    QUESTION,
    Client,
    ScriptedStt,
    reply_text,
    says,
    scripted,
    sent_samples,
    silence,
    sound,
    talking,
    user,
    writes,
)

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])


async def has_left(client: Client) -> None:
    """The session closes, and because it was at rest."""
    await client.until_closed()
    assert client.session.left
    assert not client.session.failed


async def test_a_session_in_which_nothing_happens_leaves_at_once() -> None:
    async with talking(scripted()) as client:
        client.session.append_audio(silence(100))
        assert client.session.is_at_rest
        client.session.close_at_rest()
        await has_left(client)


async def test_the_agents_turn_is_finished_and_heard_whole() -> None:
    async with talking(scripted(says(LONG))) as client:
        client.session.append_audio(sound(QUESTION))
        client.session.append_audio(silence())
        began = await client.until(n.ReplyBegan)
        await client.until_heard(200)
        client.session.close_at_rest()
        await has_left(client)
        (ended,) = client.all(n.ReplyEnded)
        assert ended.status == "completed"
        assert reply_text(client.seen, began.response_id) == LONG
        assert sent_samples(client.seen) == 16 * 60 * 24
        (message,) = ended.items
        assert isinstance(message, MessageItem)
        assert message.text == LONG


async def test_a_user_who_speaks_is_heard_out_and_answered() -> None:
    async with talking(scripted()) as client:
        client.session.append_audio(sound(QUESTION))
        await client.until(n.UserSpeechStarted)
        client.session.close_at_rest()
        client.session.append_audio(silence())
        await has_left(client)
        assert [notice.status for notice in client.all(n.ReplyEnded)] == ["completed"]


async def test_a_turn_is_owed_from_the_moment_it_is_over() -> None:
    async with talking(scripted(stt=ScriptedStt(takes_ms=300))) as client:
        client.session.append_audio(sound(QUESTION))
        client.session.append_audio(silence())
        await client.until(n.InputBufferCommitted)
        assert not client.session.is_at_rest
        client.session.close_at_rest()
        await has_left(client)
        assert client.all(n.TranscriptCompleted)
        assert [notice.status for notice in client.all(n.ReplyEnded)] == ["completed"]


async def test_a_client_that_works_on_a_tool_call_may_bring_its_result() -> None:
    calls = writes(ToolCall("call_1", "clock", "{}"), Usage(1, 1, None, stopped_at_limit=False))
    async with talking(scripted(calls, says("It is noon."))) as client:
        client.session.add_item(user("What time is it?"))
        client.session.request_reply(ReplyOptions())
        await client.until(n.ReplyEnded)
        client.session.close_at_rest()
        assert not client.session.left
        client.session.add_item(ToolOutputItem("item_r", "call_1", "noon"))
        client.session.request_reply(ReplyOptions())
        await has_left(client)
        assert [notice.status for notice in client.all(n.ReplyEnded)] == ["completed"] * 2


@pytest.mark.parametrize("ends_by", ["commit", "clear"])
async def test_audio_that_waits_for_the_clients_word_is_waited_for(ends_by: str) -> None:
    async with talking(scripted(), MANUAL) as client:
        client.session.append_audio(sound(QUESTION))
        client.session.close_at_rest()
        assert not client.session.left
        if ends_by == "commit":
            client.session.commit_input()
        else:
            client.session.clear_input()
        await has_left(client)
        assert bool(client.all(n.TranscriptCompleted)) is (ends_by == "commit")
        assert bool(client.all(n.InputBufferCleared)) is (ends_by == "clear")


async def test_a_session_that_is_not_asked_to_stays() -> None:
    async with talking(scripted(), BRIEF) as client:
        client.session.append_audio(sound(QUESTION))
        client.session.append_audio(silence())
        await client.until(n.ReplyEnded)
        assert client.session.is_at_rest
        assert not client.session.left
