from dataclasses import replace

import pytest

from speakback.providers.llm import Message, Prompt, Tool
from speakback.session import notices as n
from speakback.session.asking import history_prompt
from speakback.session.history import History
from speakback.session.items import MessageItem
from speakback.session.replies import REMEMBERED_LEDGERS, TRUNCATE_SLACK_MS
from speakback.session.settings import ReplyOptions
from tests.session.scripted import BRIEF, WORD_MS, Client, says, scripted, talking

CLOCK = Tool("clock", "Tells the time.", '{"type": "object"}')
SETTINGS = replace(BRIEF, tools=(CLOCK,), tool_choice="required", max_tokens=99, temperature=0.1)


def prompt_of(options: ReplyOptions, unfinished: str = "") -> tuple[Message, ...]:
    return whole_prompt(options, unfinished).messages


def whole_prompt(options: ReplyOptions, unfinished: str = "") -> Prompt:
    history = History()
    history.add(MessageItem("item_1", "user", "Hello.", spoken=True))
    return history_prompt(
        history, SETTINGS, options, unfinished=unfinished, session_id="sess_1", correlation_id="corr-1"
    )


def test_a_prompt_is_as_the_session_says() -> None:
    prompt = whole_prompt(ReplyOptions())
    assert prompt.messages == (Message("system", "Be brief."), Message("user", "Hello."))
    assert (prompt.tools, prompt.tool_choice, prompt.max_tokens, prompt.temperature) == ((CLOCK,), "required", 99, 0.1)
    assert (prompt.session_key, prompt.correlation_id) == ("sess_1", "corr-1")


def test_a_reply_may_have_its_own_options() -> None:
    prompt = whole_prompt(ReplyOptions(instructions="Rhyme.", tools=(), tool_choice="none", max_tokens=5))
    assert prompt.messages[0] == Message("system", "Rhyme.")
    assert (prompt.tools, prompt.tool_choice, prompt.max_tokens) == ((), "none", 5)


def test_instructions_that_are_empty_are_not_the_sessions() -> None:
    assert prompt_of(ReplyOptions(instructions="")) == (Message("user", "Hello."),)


def test_what_the_user_has_said_so_far_stands_last() -> None:
    assert prompt_of(ReplyOptions(), "What ti")[-1] == Message("user", "What ti")


# ---- through a session ----------------------------------------------------------------------------


async def spoken_item(client: Client) -> str:
    client.session.request_reply(ReplyOptions())
    (message,) = (await client.until(n.ReplyEnded)).items
    return message.item_id


async def test_so_many_spoken_items_are_remembered_for_a_late_truncate() -> None:
    async with talking(scripted(says("Noon."))) as client:
        items = [await spoken_item(client) for _ in range(REMEMBERED_LEDGERS + 1)]
        client.session.truncate_item(items[1], 0)
        await client.until(n.ItemTruncated)
        client.session.truncate_item(items[0], 0, "ev_1")
        assert (await client.until(n.Fault)).request_id == "ev_1"


@pytest.mark.parametrize("beyond_ms", [0, TRUNCATE_SLACK_MS])
async def test_a_clients_clock_may_be_a_little_ahead(beyond_ms: int) -> None:
    async with talking(scripted(says("Noon."))) as client:
        item_id = await spoken_item(client)
        client.session.truncate_item(item_id, WORD_MS + beyond_ms)
        await client.until(n.ItemTruncated)
        item = client.session.item(item_id)
        assert isinstance(item, MessageItem)
        assert item.text == "Noon."


async def test_a_deleted_item_cannot_be_truncated() -> None:
    async with talking(scripted(says("Noon."))) as client:
        item_id = await spoken_item(client)
        client.session.delete_item(item_id)
        client.session.truncate_item(item_id, 0, "ev_1")
        fault = await client.until(n.Fault)
        assert (fault.request_id, fault.by_client) == ("ev_1", True)
