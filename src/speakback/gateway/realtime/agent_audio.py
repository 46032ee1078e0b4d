"""The agent's audio on its way to one client: resampled, encoded, and tied to the reply message it belongs to."""

import json
from collections.abc import Callable

from pybase64 import b64encode_as_string

from speakback.gateway.binary import AudioFrame, Kind, pack
from speakback.gateway.realtime.formats import OutgoingAudio
from speakback.gateway.realtime.session_object import format_object
from speakback.gateway.realtime.session_view import SessionView
from speakback.session.notices import ReplyAudioSent, ReplyMessageEnded


class AgentAudio:
    """One stream per reply message: what an interrupted one left in the resampler never reaches the next."""

    def __init__(self, next_event_id: Callable[[], str], correlation_id: str) -> None:
        self._next_event_id = next_event_id
        self._correlation_id = correlation_id
        self._item_id = ""
        self._stream: OutgoingAudio | None = None
        self._is_binary = False
        self._head = ""
        self._sequence = 0

    def encode(self, notice: ReplyAudioSent, view: SessionView) -> list[str | bytes]:
        """The messages of the next stretch: at the beginning of a binary one also the event that names its item."""
        messages: list[str | bytes] = []
        if self._stream is None or self._item_id != notice.item_id:
            messages += self._begin(notice, view)
        assert self._stream is not None
        return messages + self._messages(self._stream.push(notice.audio_24k))

    def end(self, notice: ReplyMessageEnded) -> list[str | bytes]:
        """The last message of a reply message's audio, if the resampler still holds any of it."""
        if self._stream is None or self._item_id != notice.item.item_id:
            return []
        rest = self._stream.flush()
        self._stream = None
        return self._messages(rest)

    def _begin(self, notice: ReplyAudioSent, view: SessionView) -> list[str | bytes]:
        self._item_id = notice.item_id
        self._stream = OutgoingAudio(view.output_format)
        self._is_binary = view.binary_audio
        place: dict[str, object] = {
            "response_id": notice.response_id,
            "item_id": notice.item_id,
            "output_index": notice.output_index,
            "content_index": 0,
        }
        if self._is_binary:
            begin = {
                "event_id": self._next_event_id(),
                "type": "speakback.audio_begin",
                **place,
                "format": format_object(view.output_format),
                "channel": 0,
                "first_sequence": self._sequence,
                "correlation_id": self._correlation_id,
            }
            return [json.dumps(begin)]
        # All of a delta but its last two values is the same for the whole message, and neither needs escaping.
        self._head = json.dumps({"type": "response.output_audio.delta", **place})[:-1]
        return []

    def _messages(self, data: bytes) -> list[str | bytes]:
        if not data:
            return []
        if not self._is_binary:
            return [f'{self._head}, "event_id": "{self._next_event_id()}", "delta": "{b64encode_as_string(data)}"}}']
        frame = AudioFrame(Kind.AGENT_AUDIO, self._sequence, data)
        self._sequence += 1
        return [pack(frame)]
