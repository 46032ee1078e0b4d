"""The conversation as it truly went: items in order, the agent's speech cut to what was heard.

Written by the session only: user turns when their transcript is there, the agent's from the playout
ledger, the rest by the client. The prompt is built from it, and between turns only grows at its end.
"""

from collections.abc import Iterable

from speakback.providers.llm import Message, ToolCall
from speakback.session.items import Item, MessageItem, ToolCallItem, ToolOutputItem


class UnknownItem(KeyError):
    """There is no item of that id."""


class DuplicateItem(ValueError):
    """There is an item of that id already."""


FIRST = "root"
"""What a client says for the place before all items; no item may be called so."""


class History:
    """Ordered items, unique by id."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._items: list[Item] = list(items)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def items(self) -> tuple[Item, ...]:
        """All of them, in order."""
        return tuple(self._items)

    def has(self, item_id: str) -> bool:
        """Whether there is an item of that id."""
        return any(item.item_id == item_id for item in self._items)

    def is_in_progress(self, item_id: str) -> bool:
        """Whether the agent is still speaking the item of that id."""
        return any(
            item.item_id == item_id
            and isinstance(item, MessageItem)
            and item.role == "assistant"
            and item.status == "in_progress"
            for item in self._items
        )

    def get(self, item_id: str) -> Item:
        """The item of that id. Raises `UnknownItem`."""
        return self._items[self._index(item_id)]

    def add(self, item: Item, previous_item_id: str | None = None) -> str | None:
        """Insert behind `previous_item_id` ("root": first; None: last); returns the id it stands behind.

        Raises `UnknownItem`, `DuplicateItem`.
        """
        if item.item_id == FIRST or self.has(item.item_id):
            raise DuplicateItem(item.item_id)
        match previous_item_id:
            case None:
                place = len(self._items)
            case "root":
                place = 0
            case _:
                place = self._index(previous_item_id) + 1
        self._items.insert(place, item)
        return self._items[place - 1].item_id if place else None

    def replace(self, item: Item) -> None:
        """Put `item` in the place of the one with its id. Raises `UnknownItem`."""
        self._items[self._index(item.item_id)] = item

    def delete(self, item_id: str) -> None:
        """Take the item out. Raises `UnknownItem`."""
        del self._items[self._index(item_id)]

    def messages(self, instructions: str) -> tuple[Message, ...]:
        """The conversation as a prompt. Items without words (not heard, not transcribed) are left out."""
        messages = [Message("system", instructions)] if instructions else []
        for item in self._items:
            match item:
                case MessageItem(role=role, text=text):
                    if text:
                        messages.append(Message(role, text))
                case ToolCallItem(call_id=call_id, name=name, arguments=arguments):
                    call = ToolCall(call_id, name, arguments)
                    # Calls made together are one message: strict services refuse a call whose output is not next.
                    together = messages.pop().tool_calls if messages and messages[-1].tool_calls else ()
                    messages.append(Message("assistant", "", tool_calls=(*together, call)))
                case ToolOutputItem(call_id=call_id, output=output):
                    messages.append(Message("tool", output, tool_call_id=call_id))
        return tuple(messages)

    def _index(self, item_id: str) -> int:
        for index, item in enumerate(self._items):
            if item.item_id == item_id:
                return index
        raise UnknownItem(item_id)
