"""One client's side of a conversation: its messages → calls on the session, the session's notices → messages.

The codec does no I/O. `receive_text` and `receive_binary` return what is to be answered at once; all else
comes back from the session as notices, and `encode` makes messages of them.
"""

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from pybase64 import b64decode
from pydantic_core import to_json

from speakback.gateway.binary import SEQUENCE_SPAN, BadFrame, Kind, unpack
from speakback.gateway.conversation import Conversation
from speakback.gateway.realtime import client_events as c
from speakback.gateway.realtime.agent_audio import AgentAudio
from speakback.gateway.realtime.kept_view import kept
from speakback.gateway.realtime.pings import Pings, not_measured
from speakback.gateway.realtime.refusal import Refusal
from speakback.gateway.realtime.resume_events import news_event, resumed_event
from speakback.gateway.realtime.server_events import WireEvent, error_event, events_for, refusal_event
from speakback.gateway.realtime.session_object import session_object
from speakback.gateway.realtime.session_view import SessionView, max_tokens_of, patched, speaks, tools_of, wire_format
from speakback.gateway.realtime.user_audio import UserAudio
from speakback.gateway.realtime.wire_items import item_from_wire, item_object
from speakback.gateway.realtime.wire_models import ResponseParams
from speakback.gateway.resume.keeper import ResumeNews
from speakback.providers.chain.entry import UnknownPin
from speakback.session.notices import Notice, ReplyAudioSent, ReplyMessageEnded
from speakback.session.settings import ReplyOptions
from speakback.session.snapshot import Snapshot

Message: TypeAlias = str | bytes
"""A text or a binary WebSocket message."""


class RealtimeCodec:
    """Holds what the session does not know: wire formats, resamplers, what the client opted into."""

    def __init__(
        self,
        conversation: Conversation,
        view: SessionView,
        *,
        session_id: str,
        correlation_id: str,
        loop_lag_ms: Callable[[], float | None] = not_measured,
    ) -> None:
        self.view = view
        self.unreadable_in_a_row = 0
        """Messages since the last readable one of which nothing could be made out."""
        self._conversation = conversation
        self._session_id = session_id
        self._correlation_id = correlation_id
        self._conversation_id = f"conv_{session_id}"
        self._event_numbers = itertools.count(1)
        self._item_numbers = itertools.count(1)
        self._user_audio = UserAudio(view.input_format, conversation)
        self._agent_audio = AgentAudio(self._event_id, correlation_id)
        self._pings = Pings(loop_lag_ms)
        self._next_user_sequence = 0
        self._kept_view: SessionView | None = None
        self._kept_settings = ""

    # ---- to the client ------------------------------------------------------------------------

    def greeting(self) -> Message:
        """`session.created`: the first message of all."""
        return self._text({"type": "session.created", "session": self._session_object()})

    def encode(self, notice: Notice) -> list[Message]:
        """The messages that tell the client of `notice`, in order; none for what it did not ask for."""
        if isinstance(notice, ReplyAudioSent):
            return self._agent_audio.encode(notice, self.view)
        messages: list[Message] = []
        if isinstance(notice, ReplyMessageEnded):
            messages += self._agent_audio.end(notice)
        told = events_for(notice, self.view, self._conversation_id, self._correlation_id)
        return messages + [self._text(event) for event in told]

    def goaway(self, deadline_ms: int, reason: str) -> list[Message]:
        """`speakback.goaway`: this server leaves, and ends the connection in so many milliseconds at the latest."""
        event = {"deadline_ms": deadline_ms, "reason": reason, "correlation_id": self._correlation_id}
        return [self._text({"type": "speakback.goaway", **event})] if self.view.opted_in else []

    def event_types(self, notice: Notice) -> list[str]:
        """What the client would be told of `notice`, which it is not told."""
        told = events_for(notice, self.view, self._conversation_id, self._correlation_id)
        return [str(event["type"]) for event in told]

    def caught_up(self, left_out: dict[str, int]) -> list[Message]:
        """`speakback.behind`: it read too slowly and was not told these events, so many of each type."""
        event: WireEvent = {
            "type": "speakback.behind",
            "left_out": left_out,
            "correlation_id": self._correlation_id,
        }
        return [self._text(event)] if self.view.opted_in else []

    def resumed(self, snapshot: Snapshot) -> Message:
        """`speakback.resumed`: the conversation goes on, from there."""
        return self._text({**resumed_event(snapshot), "correlation_id": self._correlation_id})

    def resume_news(self, news: ResumeNews) -> Message:
        """`speakback.resume_token` or `speakback.resume_unavailable`."""
        return self._text({**news_event(news), "correlation_id": self._correlation_id})

    def client_settings(self) -> str:
        """What the client has set so far, for `kept_view.restored`."""
        if self._kept_view is not self.view:
            self._kept_view, self._kept_settings = self.view, kept(self.view)
        return self._kept_settings

    def server_error(self, code: str, message: str) -> Message:
        """An `error` event about the server itself."""
        return self._text(error_event(code, message, by_client=False))

    # ---- from the client ----------------------------------------------------------------------

    @property
    def is_measured(self) -> bool:
        """Whether the client measures its line at present, which naps would spoil."""
        return self._pings.is_measuring

    def receive_text(self, data: bytes) -> list[Message]:
        """Do what a text message says, and answer what can be answered at once. Never raises for what it holds."""
        try:
            event = c.read(data)
        except Refusal as refusal:
            return self._refused(refusal)
        self.unreadable_in_a_row = 0
        try:
            return [self._text(answer) for answer in self._perform(event)]
        except Refusal as refusal:
            refusal.event_id = event.event_id or ""
            return self._refused(refusal)

    def receive_binary(self, data: bytes) -> list[Message]:
        """Hear a binary message. Never raises for what it holds."""
        try:
            return [self._text(answer) for answer in self._hear_binary(data)]
        except Refusal as refusal:
            return self._refused(refusal)

    @property
    def has_more_to_hear(self) -> bool:
        """Whether something is left of a long message."""
        return self._user_audio.has_more

    def hear_on(self) -> list[Message] | None:
        """Hear the next second of a long message, before the next message is read; None: nothing is left of it."""
        try:
            return [] if self._user_audio.go_on() else None
        except Refusal as refusal:
            return self._refused(refusal)

    def _refused(self, refusal: Refusal) -> list[Message]:
        self.unreadable_in_a_row = self.unreadable_in_a_row + 1 if refusal.unreadable else 0
        return [self._text(refusal_event(refusal))]

    def _perform(self, event: c.ClientEvent) -> list[WireEvent]:
        conversation, request_id = self._conversation, event.event_id or ""
        match event:
            case c.AudioAppend():
                self._user_audio.take(_decoded(event.audio), "audio", request_id)
            case c.AudioCommit():
                with suppress(Refusal):  # a full buffer is committed without the filter's last 3 ms
                    self._user_audio.flush()
                conversation.commit_input(request_id)
            case c.AudioClear():
                self._user_audio.reset()
                conversation.clear_input()
            case c.SessionUpdate():
                return [self._update(event)]
            case c.ItemCreate():
                item = item_from_wire(event.item, self._fresh_item_id())
                conversation.add_item(item, event.previous_item_id, request_id)
            case c.ItemRetrieve():
                return [self._retrieve(event.item_id)]
            case c.ItemDelete():
                conversation.delete_item(event.item_id, request_id)
            case c.ItemTruncate():
                conversation.truncate_item(event.item_id, event.audio_end_ms, request_id)
            case c.ResponseCreate():
                conversation.request_reply(self._reply_options(event.response or ResponseParams()), request_id)
            case c.ResponseCancel():
                conversation.cancel_reply(event.response_id, request_id)
            case c.PlaybackAck():
                self._acknowledge(event)
            case c.Ping():
                return [self._pong(event)]
        return []

    def _update(self, event: c.SessionUpdate) -> WireEvent:
        view = patched(self.view, event.session)
        self._hear_held()
        if view.settings != self.view.settings:
            try:
                self._conversation.configure(view.settings)
            except UnknownPin as problem:
                raise Refusal("invalid_value", str(problem), param="session.speakback.providers") from None
        if view.input_format != self.view.input_format:
            self._user_audio = UserAudio(view.input_format, self._conversation)
        self.view = view
        return {"type": "session.updated", "session": self._session_object()}

    def _retrieve(self, item_id: str) -> WireEvent:
        item = self._conversation.item(item_id)
        if item is None:
            raise Refusal("item_not_found", f"the conversation has no item {item_id!r}", param="item_id")
        shown = item_object(item, shows_transcript=self.view.settings.transcribes)
        return {"type": "conversation.item.retrieved", "item": shown}

    def _reply_options(self, params: ResponseParams) -> ReplyOptions:
        output = params.audio.output if params.audio is not None else None
        if output is not None and output.format is not None and wire_format(output.format) != self.view.output_format:
            param = "response.audio.output.format"
            raise Refusal("invalid_value", f"{param}: set the format for the session, not for one reply", param=param)
        modalities = params.output_modalities
        return ReplyOptions(
            instructions=params.instructions,
            speaks=None if modalities is None else speaks(modalities, "response.output_modalities"),
            tools=None if params.tools is None else tools_of(params.tools),
            tool_choice=params.tool_choice,
            max_tokens=None if params.max_output_tokens is None else max_tokens_of(params.max_output_tokens, self.view),
            interruptible=params.speakback is None or params.speakback.interruptible,
            metadata=tuple((params.metadata or {}).items()),
        )

    def _acknowledge(self, event: c.PlaybackAck) -> None:
        if not self.view.playback_ack:
            raise Refusal("not_opted_in", "first send session.update with session.speakback.playback_ack true")
        self._conversation.acknowledge_playback(event.item_id, event.played_ms, event.buffered_ms)

    def _pong(self, event: c.Ping) -> WireEvent:
        if not self.view.opted_in:
            raise Refusal("not_opted_in", "first send session.update with session.speakback")
        self._hear_held()
        pong = self._pings.answer(event.sent_ms, self._conversation.heard_ms)
        return {**pong, "correlation_id": self._correlation_id}

    # ---- the user's audio ---------------------------------------------------------------------

    def _hear_held(self) -> None:
        """So that all that came in is heard: it is a moment's quiet at most, and of no account where it has no room."""
        with suppress(Refusal):
            self._user_audio.hear_held()

    def _hear_binary(self, data: bytes) -> list[WireEvent]:
        if not self.view.binary_audio:
            raise Refusal(
                "not_opted_in",
                "binary messages are taken only after session.update with session.speakback.binary_audio true",
                unreadable=True,
            )
        try:
            frame = unpack(data)
        except BadFrame as problem:
            raise Refusal("invalid_binary", str(problem), unreadable=True) from None
        if frame.kind is not Kind.USER_AUDIO:
            raise Refusal("invalid_binary", "a client sends kind 1 (user audio) only", unreadable=True)
        self.unreadable_in_a_row = 0
        expected, self._next_user_sequence = self._next_user_sequence, (frame.sequence + 1) % SEQUENCE_SPAN
        self._user_audio.take(frame.pcm16, None, "")
        if frame.sequence == expected:
            return []
        message = f"binary message {expected} was due and {frame.sequence} came; its audio was heard all the same"
        return [error_event("binary_sequence_gap", message, by_client=True)]

    # ---- within -------------------------------------------------------------------------------

    def _session_object(self) -> dict[str, object]:
        return session_object(self.view, self._session_id, self._correlation_id)

    def _event_id(self) -> str:
        return f"event_{next(self._event_numbers)}"

    def _fresh_item_id(self) -> str:
        """For an item that the client did not name; the session numbers its own without the `c`."""
        while True:
            fresh = f"item_{self._session_id[-12:]}_c{next(self._item_numbers)}"
            if self._conversation.item(fresh) is None:  # an earlier connection may have numbered some
                return fresh

    def _text(self, event: WireEvent) -> str:
        return to_json({"event_id": self._event_id(), **event}).decode()


def _decoded(audio: str) -> bytes:
    try:
        return b64decode(audio, validate=True)
    except ValueError as problem:  # binascii.Error, or letters beyond ASCII
        raise Refusal("invalid_value", f"audio is not base64: {problem}", param="audio") from None
