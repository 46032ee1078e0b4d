import pytest

from speakback.providers.llm import Message, ToolCall
from speakback.session.history import DuplicateItem, History, UnknownItem
from speakback.session.items import MessageItem, ToolCallItem, ToolOutputItem


def said(item_id: str, text: str = "Hello.") -> MessageItem:
    return MessageItem(item_id, "user", text, spoken=True)


def history_of(*item_ids: str) -> History:
    history = History()
    for item_id in item_ids:
        history.add(said(item_id))
    return history


def order(history: History) -> list[str]:
    """The ids, found by adding nothing: each item's text is its id."""
    return [message.content for message in history.messages("")]


@pytest.mark.parametrize(
    ("previous", "stands_behind", "expected"),
    [(None, "b", ["a", "b", "new"]), ("root", None, ["new", "a", "b"]), ("a", "a", ["a", "new", "b"])],
)
def test_an_item_is_added_where_it_is_wanted(
    previous: str | None, stands_behind: str | None, expected: list[str]
) -> None:
    history = History()
    for item_id in ("a", "b"):
        history.add(said(item_id, item_id))
    assert history.add(said("new", "new"), previous) == stands_behind
    assert order(history) == expected
    assert len(history) == 3


def test_the_first_item_stands_behind_none() -> None:
    history = History()
    assert history.add(said("a")) is None


def test_an_id_is_given_once() -> None:
    history = history_of("a")
    with pytest.raises(DuplicateItem):
        history.add(said("a"))
    assert len(history) == 1


def test_what_is_not_there_is_refused() -> None:
    history = history_of("a")
    with pytest.raises(UnknownItem):
        history.add(said("b"), "x")
    with pytest.raises(UnknownItem):
        history.get("x")
    with pytest.raises(UnknownItem):
        history.replace(said("x"))
    with pytest.raises(UnknownItem):
        history.delete("x")
    assert len(history) == 1


def test_an_item_is_replaced_in_its_place_and_deleted() -> None:
    history = History()
    for item_id in ("a", "b", "c"):
        history.add(said(item_id, item_id))
    history.replace(said("b", "other"))
    assert order(history) == ["a", "other", "c"]
    assert history.get("b") == said("b", "other")
    history.delete("b")
    assert order(history) == ["a", "c"]
    assert not history.has("b")


def test_the_prompt_holds_every_kind_of_item_and_leaves_out_what_has_no_words() -> None:
    history = History()
    history.add(said("a", "What time is it?"))
    history.add(said("b", ""))
    history.add(ToolCallItem("c", "call_1", "clock", '{"zone": "UTC"}'))
    history.add(ToolOutputItem("d", "call_1", "12:00"))
    history.add(MessageItem("e", "assistant", "Noon.", spoken=True, status="incomplete"))
    assert history.messages("Be brief.") == (
        Message("system", "Be brief."),
        Message("user", "What time is it?"),
        Message("assistant", "", tool_calls=(ToolCall("call_1", "clock", '{"zone": "UTC"}'),)),
        Message("tool", "12:00", tool_call_id="call_1"),
        Message("assistant", "Noon."),
    )


def test_without_instructions_there_is_no_system_message() -> None:
    assert history_of("a").messages("") == (Message("user", "Hello."),)


def test_the_prompt_only_grows_at_its_end() -> None:
    history = history_of("a")
    before = history.messages("Be brief.")
    history.add(said("b"))
    assert history.messages("Be brief.")[: len(before)] == before
