"""What a client does to the items of its conversation: it adds, asks for, deletes and cuts them; or why it may not."""

from collections.abc import Callable

from speakback.session import notices as n
from speakback.session.history import DuplicateItem, History, UnknownItem
from speakback.session.items import Item
from speakback.session.replies import Replies, TruncateRefused

MOST_ITEMS = 5000
"""Of a conversation, before a client may add no more; turns and replies are bounded by time."""


class ClientItems:
    """One session's. What comes of each call is told by `notify`."""

    def __init__(self, history: History, replies: Replies, notify: Callable[[n.Notice], None]) -> None:
        self._history = history
        self._replies = replies
        self._notify = notify

    def add(self, item: Item, previous_item_id: str | None, request_id: str) -> None:
        """Put an item into the conversation; no reply comes of it alone."""
        if len(self._history) >= MOST_ITEMS:
            message = f"the conversation has {len(self._history)} items already: delete some first"
            self._refuse("too_many_items", message, request_id)
            return
        try:
            previous = self._history.add(item, previous_item_id)
        except DuplicateItem as problem:
            message = f"the conversation already has item {problem.args[0]!r}"
            self._refuse("invalid_value", message, request_id, "item.id")
        except UnknownItem as problem:
            message = f"the conversation has no item {problem.args[0]!r}"
            self._refuse("invalid_value", message, request_id, "previous_item_id")
        else:
            self._notify(n.ItemAdded(item, previous))

    def delete(self, item_id: str, request_id: str) -> None:
        """Take an item out of the conversation."""
        if self._history.has(item_id):
            self._history.delete(item_id)
            self._notify(n.ItemDeleted(item_id))
        else:
            self._refuse("item_not_found", f"the conversation has no item {item_id!r}", request_id, "item_id")

    def get(self, item_id: str) -> Item | None:
        """The item as it stands in the history; None where there is none."""
        return self._history.get(item_id) if self._history.has(item_id) else None

    def truncate(self, item_id: str, audio_end_ms: int, request_id: str) -> None:
        """Cut a spoken item to what the client says was heard."""
        try:
            self._replies.truncate(item_id, audio_end_ms)
        except TruncateRefused as problem:
            self._refuse("invalid_value", str(problem), request_id)

    def _refuse(self, code: str, message: str, request_id: str, param: str | None = None) -> None:
        self._notify(n.Fault(code, message, by_client=True, request_id=request_id, param=param))
