"""One client's side of a conversation: its messages → calls on the session, the session's notices → messages.

The codec does no I/O. `receive_text` and `receive_binary` return what is to be answered at once; all else
comes back from the session as notices, and `encode` makes messages of them.
"""

import itertools
import json
from base64 import b64decode
from contextlib import suppress
from typing import TypeAlias

from speakback.audio.pcm import Samples
from speakback.gateway.binary import SEQUENCE_SPAN, BadFrame, Kind, unpack
from speakback.gateway.conversation import Conversation
from speakback.gateway.realtime import client_events as c
from speakback.gateway.realtime.agent_audio import AgentAudio
from speakback.gateway.realtime.formats import IncomingAudio
from speakback.gateway.realtime.refusal import Refusal
from speakback.gateway.realtime.server_events import WireEvent, error_event, events_for, refusal_event
from speakback.gateway.realtime.session_object import session_object
from speakback.gateway.realtime.session_view import SessionView, max_tokens_of, patched, speaks, tools_of, wire_format
from speakback.gateway.realtime.wire_items import item_from_wire, item_object
from speakback.gateway.realtime.wire_models import ResponseParams
from speakback.providers.chain.entry import UnknownPin
from speakback.session.notices import Notice, ReplyAudioSent, ReplyMessageEnded
from speakback.session.settings import ReplyOptions

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
        self._user_audio = IncomingAudio(view.input_format)
        self._agent_audio = AgentAudio(self._event_id, correlation_id)
        self._next_user_sequence = 0

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

    def server_error(self, code: str, message: str) -> Message:
        """An `error` event about the server itself."""
        return self._text(error_event(code, message, by_client=False))

    # ---- from the client ----------------------------------------------------------------------

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

    def _refused(self, refusal: Refusal) -> list[Message]:
        self.unreadable_in_a_row = self.unreadable_in_a_row + 1 if refusal.unreadable else 0
        return [self._text(refusal_event(refusal))]

    def _perform(self, event: c.ClientEvent) -> list[WireEvent]:
        conversation, request_id = self._conversation, event.event_id or ""
        match event:
            case c.AudioAppend():
                self._append(_decoded(event.audio), "audio")
            case c.AudioCommit():
                with suppress(Refusal):  # a full buffer is committed without the filter's last 3 ms
                    self._hear(self._user_audio.flush(), None)
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
        return []

    def _update(self, event: c.SessionUpdate) -> WireEvent:
        view = patched(self.view, event.session)
        if view.settings != self.view.settings:
            try:
                self._conversation.configure(view.settings)
            except UnknownPin as problem:
                raise Refusal("invalid_value", str(problem), param="session.speakback.providers") from None
        if view.input_format != self.view.input_format:
            self._user_audio = IncomingAudio(view.input_format)
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

    # ---- the user's audio ---------------------------------------------------------------------

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
        self._append(frame.pcm16, None)
        if frame.sequence == expected:
            return []
        message = f"binary message {expected} was due and {frame.sequence} came; its audio was heard all the same"
        return [error_event("binary_sequence_gap", message, by_client=True)]

    def _append(self, data: bytes, param: str | None) -> None:
        if not data:
            raise Refusal("invalid_value", "there is no audio in this message", param=param)
        try:
            audio_16k = self._user_audio.push(data)
        except ValueError as problem:
            raise Refusal("invalid_value", str(problem), param=param) from None
        self._hear(audio_16k, param)

    def _hear(self, audio_16k: Samples, param: str | None) -> None:
        if not len(audio_16k):
            return
        try:
            self._conversation.append_audio(audio_16k)
        except ValueError as problem:
            raise Refusal("input_audio_buffer_full", str(problem), param=param) from None

    # ---- within -------------------------------------------------------------------------------

    def _session_object(self) -> dict[str, object]:
        return session_object(self.view, self._session_id, self._correlation_id)

    def _event_id(self) -> str:
        return f"event_{next(self._event_numbers)}"

    def _fresh_item_id(self) -> str:
        """For an item that the client did not name; the session numbers its own without the `c`."""
        return f"item_{self._session_id[-12:]}_c{next(self._item_numbers)}"

    def _text(self, event: WireEvent) -> str:
        return json.dumps({"event_id": self._event_id(), **event})


def _decoded(audio: str) -> bytes:
    try:
        return b64decode(audio, validate=True)
    except ValueError as problem:  # binascii.Error, or letters beyond ASCII
        raise Refusal("invalid_value", f"audio is not base64: {problem}", param="audio") from None
