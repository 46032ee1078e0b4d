"""A conversation that records what it is asked and says what a test gives it: the codec and sockets are real."""

import asyncio
import json
import time
from dataclasses import dataclass, field

import numpy as np

from speakback.audio.pcm import Samples
from speakback.config import Settings
from speakback.config.voices import Voices
from speakback.gateway.realtime.codec import Message, RealtimeCodec
from speakback.gateway.realtime.session_view import Offer, first_view
from speakback.observe.memory import Held
from speakback.session.ears import Wanted
from speakback.session.items import Item
from speakback.session.notices import Notice
from speakback.session.settings import ReplyOptions, SessionSettings
from speakback.session.snapshot import Snapshot, beginning
from speakback.session.waiting import Waiting
from speakback.timebase import EAR_HZ, samples_to_ms
from speakback.turn.strategies import strategy

OFFER = Offer(
    model="echo",
    voices=(Voices("hibari", ("heart",)),),
    speed=1.0,
    languages=("en",),
    strategy=Settings().turn.strategy,
    defaults=SessionSettings(instructions="Be brief.", turn=strategy(Settings().turn.strategy)),
)


@dataclass
class ScriptedConversation:
    """Satisfies `Conversation`."""

    overrun: bool = False
    failed: bool = False
    left: bool = False
    rest_s: float = 0.0
    wanted_samples: int = 1
    wanted_quiet_samples: int = 1
    is_at_rest: bool = False
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once it is to close at rest."""
    kept: Snapshot = field(default_factory=lambda: beginning("sess_1"))
    room_samples: int = 30 * 16_000
    """Audio beyond this is refused."""
    heard: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    calls: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)
    items: dict[str, Item] = field(default_factory=dict)
    settings: SessionSettings | None = None
    refusal: Exception | None = None
    """What `configure` raises, if anything."""
    failure: Exception | None = None
    """What `run` raises, if anything."""
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    notices: Waiting = field(default_factory=lambda: Waiting(lambda: int(time.monotonic() * 1000)))

    def say(self, *notices: Notice) -> None:
        for notice in notices:
            self.notices.put(notice)
        if self.notices.is_lost:
            self.overrun = True
            self.close()

    @property
    def is_behind(self) -> bool:
        return self.notices.is_behind

    @property
    def is_crammed(self) -> bool:
        return self.notices.is_crammed

    async def room(self) -> None:
        await self.notices.room()

    def held(self) -> Held:
        return Held(heard=self.heard.nbytes)

    async def run(self) -> None:
        if self.failure is not None:
            raise self.failure
        await self.closed.wait()

    def close(self) -> None:
        self.closed.set()
        self.notices.close()

    def snapshot(self) -> Snapshot:
        return self.kept

    def close_at_rest(self) -> None:
        self.leaving.set()
        if self.is_at_rest:
            self.come_to_rest()

    def come_to_rest(self) -> None:
        """All is said, and it was to close then."""
        self.left = True
        self.close()

    @property
    def heard_ms(self) -> int:
        return samples_to_ms(len(self.heard), EAR_HZ)

    async def next_notice(self) -> Notice | None:
        return await self.notices.take()

    def samples_wanted(self) -> Wanted:
        return Wanted(self.wanted_samples, self.wanted_quiet_samples)

    def append_audio(self, audio_16k: Samples) -> None:
        if len(self.heard) + len(audio_16k) > self.room_samples:
            raise ValueError("30 s of audio wait to be heard; send no faster than real time")
        self.heard = np.concatenate([self.heard, audio_16k])

    def commit_input(self, request_id: str = "") -> None:
        self.calls.append(("commit_input", (request_id,)))

    def clear_input(self) -> None:
        self.calls.append(("clear_input", ()))

    def add_item(self, item: Item, previous_item_id: str | None = None, request_id: str = "") -> None:
        self.items[item.item_id] = item
        self.calls.append(("add_item", (item, previous_item_id, request_id)))

    def delete_item(self, item_id: str, request_id: str = "") -> None:
        self.calls.append(("delete_item", (item_id, request_id)))

    def item(self, item_id: str) -> Item | None:
        return self.items.get(item_id)

    def truncate_item(self, item_id: str, audio_end_ms: int, request_id: str = "") -> None:
        self.calls.append(("truncate_item", (item_id, audio_end_ms, request_id)))

    def acknowledge_playback(self, item_id: str, played_ms: int, buffered_ms: int) -> None:
        self.calls.append(("acknowledge_playback", (item_id, played_ms, buffered_ms)))

    def request_reply(self, options: ReplyOptions, request_id: str = "") -> None:
        self.calls.append(("request_reply", (options, request_id)))

    def cancel_reply(self, response_id: str | None = None, request_id: str = "") -> None:
        self.calls.append(("cancel_reply", (response_id, request_id)))

    def configure(self, settings: SessionSettings) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.settings = settings


def codec_for(conversation: ScriptedConversation) -> RealtimeCodec:
    return RealtimeCodec(conversation, first_view(OFFER), session_id="sess_1", correlation_id="corr-1")


def events(messages: list[Message]) -> list[dict[str, object]]:
    """The text messages as objects; binary ones must not be among them."""
    return [json.loads(message) for message in messages]


def error_of(messages: list[Message]) -> dict[str, object]:
    """The one error that `messages` hold."""
    (event,) = events(messages)
    assert event["type"] == "error"
    error = event["error"]
    assert isinstance(error, dict)
    return error
