"""A session as the gateway sees it, so that the gateway can be read and tested without one."""

from typing import Protocol

from speakback.audio.pcm import Samples
from speakback.observe.memory import Held
from speakback.session.ears import Wanted
from speakback.session.items import Item
from speakback.session.notices import Notice
from speakback.session.settings import ReplyOptions, SessionSettings
from speakback.session.snapshot import Snapshot


class Conversation(Protocol):
    """`session.driver.Session`. Everything is called on the event loop, and nothing blocks it."""

    overrun: bool
    """True when it closed because its notices were not fetched fast enough."""
    failed: bool
    """True when it closed because of a mistake within; its last notice is a `Fault` that says so."""
    left: bool
    """True when it closed by `close_at_rest`."""

    @property
    def rest_s(self) -> float:
        """For how long nothing has happened, however much silence came in; 0 while somebody speaks or is about to."""
        ...

    @property
    def is_behind(self) -> bool:
        """Whether its notices wait too long to be fetched; see `session/waiting.py`."""
        ...

    @property
    def is_crammed(self) -> bool:
        """Whether so much waits to be fetched that no more is to be taken from the client."""
        ...

    async def room(self) -> None:
        """Return once so little waits to be fetched that more may be taken from the client. Cancelling is safe."""
        ...

    def held(self) -> Held:
        """What its buffers hold now."""
        ...

    async def run(self) -> None:
        """Hold the conversation until `close`. Cancelling is safe."""
        ...

    def close(self) -> None: ...

    def close_at_rest(self) -> None:
        """Close as soon as nobody speaks and nothing is owed: to go on elsewhere from there is heard by nobody."""
        ...

    def snapshot(self) -> Snapshot:
        """The conversation as it stands, without the client's settings; also once it is closed."""
        ...

    async def next_notice(self) -> Notice | None:
        """The next thing to tell the client, in order; None once closed. Cancelling is safe."""
        ...

    @property
    def heard_ms(self) -> int:
        """How much of the user's audio came in since the session began, on all its connections: its media time."""
        ...

    def samples_wanted(self) -> Wanted:
        """How much audio can be made something of."""
        ...

    def append_audio(self, audio_16k: Samples) -> None:
        """Raises `ValueError` when too much waits to be heard; nothing of it is taken then."""
        ...

    def commit_input(self, request_id: str = "") -> None: ...

    def clear_input(self) -> None: ...

    def add_item(self, item: Item, previous_item_id: str | None = None, request_id: str = "") -> None: ...

    def delete_item(self, item_id: str, request_id: str = "") -> None: ...

    def item(self, item_id: str) -> Item | None: ...

    def truncate_item(self, item_id: str, audio_end_ms: int, request_id: str = "") -> None: ...

    def acknowledge_playback(self, item_id: str, played_ms: int, buffered_ms: int) -> None: ...

    def request_reply(self, options: ReplyOptions, request_id: str = "") -> None: ...

    def cancel_reply(self, response_id: str | None = None, request_id: str = "") -> None: ...

    def configure(self, settings: SessionSettings) -> None: ...


class OpenConversation(Protocol):
    """Opens a conversation that is to be run; `resumed` is where an earlier connection left it."""

    def __call__(
        self, settings: SessionSettings, session_id: str, correlation_id: str, resumed: Snapshot | None = None
    ) -> Conversation: ...
