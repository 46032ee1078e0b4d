import pytest

from speakback.session import notices as n
from speakback.session.items import MessageItem
from speakback.session.settings import ReplyOptions
from tests.session.scripted import (
    ANSWER,
    LONG,
    QUESTION,
    WORD_MS,
    ScriptedLlm,
    says,
    scripted,
    sound,
    talking,
    user,
    utterance,
)

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])


async def test_items_are_added_where_the_client_wants_them() -> None:
    async with talking(scripted()) as client:
        client.session.add_item(user("second", "item_2"))
        client.session.add_item(user("first", "item_1"), "root")
        client.session.add_item(user("third", "item_3"), "item_2")
        await client.until(n.ItemAdded, lambda added: added.item.item_id == "item_3")
        assert [notice.previous_item_id for notice in client.all(n.ItemAdded)] == [None, None, "item_2"]
        client.session.add_item(user("again", "item_2"), request_id="ev_1")
        client.session.add_item(user("lost", "item_4"), "item_9", "ev_2")
        client.session.delete_item("item_9", "ev_3")
        client.session.delete_item("item_2")
        await client.until(n.ItemDeleted)
    params = [(fault.request_id, fault.param, fault.by_client) for fault in client.all(n.Fault)]
    assert params == [("ev_1", "item.id", True), ("ev_2", "previous_item_id", True), ("ev_3", "item_id", True)]


async def test_a_client_does_not_fill_the_memory_with_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("speakback.session.client_items.MOST_ITEMS", 2)
    async with talking(scripted()) as client:
        for number in range(3):
            client.session.add_item(user("more", f"item_{number}"), request_id=f"ev_{number}")
        fault = await client.until(n.Fault)
        assert (fault.code, fault.request_id, fault.by_client) == ("too_many_items", "ev_2", True)
        client.session.delete_item("item_0")
        client.session.add_item(user("again", "item_2"))
        await client.until(n.ItemAdded, lambda added: added.item.item_id == "item_2")


async def test_truncating_cuts_the_history_to_the_words_before() -> None:
    async with talking(scripted(says("One two three four five six."))) as client:
        client.session.request_reply(ReplyOptions())
        (message,) = (await client.until(n.ReplyEnded)).items
        client.session.truncate_item(message.item_id, 2 * WORD_MS + 10)
        assert (await client.until(n.ItemTruncated)).audio_end_ms == 2 * WORD_MS + 10
        cut = client.session.item(message.item_id)
        assert isinstance(cut, MessageItem)
        assert cut.text == "One two"


@pytest.mark.parametrize("audio_end_ms", [-1, 6 * WORD_MS + 1001])
async def test_truncating_beyond_what_was_sent_is_refused(audio_end_ms: int) -> None:
    async with talking(scripted(says("One two three four five six."))) as client:
        client.session.request_reply(ReplyOptions())
        (message,) = (await client.until(n.ReplyEnded)).items
        client.session.truncate_item(message.item_id, audio_end_ms, "ev_1")
        fault = await client.until(n.Fault)
        assert (fault.by_client, fault.request_id) == (True, "ev_1")
        assert client.session.item(message.item_id) == message


async def test_truncating_an_unknown_item_is_refused() -> None:
    async with talking(scripted()) as client:
        client.session.add_item(user("Hello", "item_1"))
        for request_id, item_id in (("ev_1", "item_1"), ("ev_2", "item_9")):
            client.session.truncate_item(item_id, 0, request_id)
            assert (await client.until(n.Fault)).request_id == request_id


async def test_truncating_a_reply_that_was_interrupted_says_what_was_heard() -> None:
    async with talking(scripted(says(LONG))) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(6 * WORD_MS)
        client.session.append_audio(sound(ANSWER, 200))
        (message,) = (await client.until(n.ReplyEnded)).items
        client.session.truncate_item(message.item_id, WORD_MS)
        await client.until(n.ItemTruncated)
        cut = client.session.item(message.item_id)
        assert isinstance(cut, MessageItem)
        assert (cut.text, cut.status) == ("One", "incomplete")


async def test_an_acknowledgement_decides_what_an_interrupted_reply_was_heard_of() -> None:
    async with talking(scripted(says(LONG))) as client:
        client.session.append_audio(utterance(QUESTION))
        audio = await client.until_heard(8 * WORD_MS)
        client.session.acknowledge_playback(audio.item_id, 2 * WORD_MS, 0)
        client.session.append_audio(sound(ANSWER, 200))
        (message,) = (await client.until(n.ReplyEnded)).items
        assert isinstance(message, MessageItem)
        assert message.text in ("One two", "One two three")


async def test_a_reply_that_was_played_late_was_heard_whole_all_the_same() -> None:
    async with talking(scripted(says("One two three four five six."))) as client:
        client.session.append_audio(utterance(QUESTION))
        audio = await client.until_heard(5 * WORD_MS)
        client.session.acknowledge_playback(audio.item_id, WORD_MS, 4 * WORD_MS)
        (message,) = (await client.until(n.ReplyEnded)).items
        assert isinstance(message, MessageItem)
        assert (message.text, message.status) == ("One two three four five six.", "completed")


async def test_the_first_acknowledgement_is_in_the_latency_ledger() -> None:
    async with talking(scripted(says("One two three four five six."))) as client:
        client.session.append_audio(utterance(QUESTION))
        audio = await client.until_heard(4 * WORD_MS)
        client.session.acknowledge_playback("item_unknown", 10, 0)
        client.session.acknowledge_playback(audio.item_id, 1, 0)
        latency = (await client.until(n.LatencyMeasured)).latency
    assert latency.playback_ms is not None
    assert latency.playback_ms >= 0


async def test_an_item_that_is_deleted_while_it_is_spoken_stays_deleted() -> None:
    llm = ScriptedLlm([says("One two three four."), says("It is noon.")])
    async with talking(scripted(llm=llm)) as client:
        client.session.append_audio(utterance(QUESTION))
        audio = await client.until_heard(100)
        client.session.delete_item(audio.item_id)
        await client.until(n.ItemDeleted)
        assert (await client.until(n.ReplyEnded)).status == "completed"
        assert client.session.item(audio.item_id) is None
        await client.goes_on()
    assert [message.role for message in llm.prompts[1].messages] == ["system", "user", "user"]
