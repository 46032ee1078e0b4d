"""The session's notices → the wire's server events. Pure; the codec numbers them (`event_id`) and makes text of them.

The order of a spoken reply is OpenAI's: response.created, output_item.added, conversation.item.added,
content_part.added, then transcript and audio deltas, output_audio.done, output_audio_transcript.done,
content_part.done, conversation.item.done, output_item.done, response.done.
"""

from dataclasses import replace

from speakback.gateway.realtime.own_events import own_events
from speakback.gateway.realtime.refusal import Refusal
from speakback.gateway.realtime.responses import began_object, ended_object
from speakback.gateway.realtime.session_view import SessionView
from speakback.gateway.realtime.wire_items import item_object
from speakback.session import notices as n
from speakback.session.items import Item, MessageItem, ToolCallItem

WireEvent = dict[str, object]


def events_for(notice: n.Notice, view: SessionView, conversation_id: str, correlation_id: str) -> list[WireEvent]:
    """All events of a notice, in order, but for `ReplyAudioSent`, which `AgentAudio` encodes."""
    match notice:
        case n.ReplyBegan():
            return [{"type": "response.created", "response": began_object(notice, view, conversation_id)}]
        case n.ReplyEnded():
            return [{"type": "response.done", "response": ended_object(notice, view, conversation_id)}]
        case n.ReplyMessageBegan():
            return _message_began(notice)
        case n.ReplyTextGrew():
            kind = "response.output_audio_transcript.delta" if notice.speaks else "response.output_text.delta"
            return [{"type": kind, **_place(notice), "delta": notice.delta}]
        case n.ReplyMessageEnded():
            return _message_ended(notice)
        case n.ReplyToolCalled():
            return _tool_called(notice)
        case n.ReplyAudioSent():
            raise TypeError("audio is encoded by AgentAudio")
        case n.LatencyMeasured() | n.OverlapJudged() | n.DraftsCounted() | n.ProviderDecided():
            return own_events(notice, view, correlation_id)
        case n.FloorChanged() | n.PauseWeighed() | n.ReplyPlanned():
            return own_events(notice, view, correlation_id)
        case n.Fault():
            return [error_event(notice.code, notice.message, by_client=notice.by_client, param=notice.param,
                                event_id=notice.request_id)]  # fmt: skip
        case n.TranscriptGrew() | n.TranscriptCompleted() | n.TranscriptFailed():
            return [_transcript(notice)] if view.settings.transcribes else []
        case _:
            return _input_events(notice, view)


def error_event(code: str, message: str, *, by_client: bool, param: str | None = None, event_id: str = "") -> WireEvent:
    """An `error` event; `event_id` is the client's own name for the message it is about."""
    return {
        "type": "error",
        "error": {
            "type": "invalid_request_error" if by_client else "server_error",
            "code": code,
            "message": message,
            "param": param,
            "event_id": event_id or None,
        },
    }


def refusal_event(refusal: Refusal) -> WireEvent:
    """The `error` event of a refused message."""
    return error_event(refusal.code, refusal.message, by_client=True, param=refusal.param, event_id=refusal.event_id)


def _input_events(
    notice: n.UserSpeechStarted
    | n.UserSpeechStopped
    | n.InputBufferCommitted
    | n.InputBufferCleared
    | n.ItemAdded
    | n.ItemDeleted
    | n.ItemTruncated,
    view: SessionView,
) -> list[WireEvent]:
    match notice:
        case n.UserSpeechStarted(item_id, audio_start_ms):
            # Never with audio_end_ms: a client takes that as an override of its own playback clock.
            return [{"type": "input_audio_buffer.speech_started", "item_id": item_id, "audio_start_ms": audio_start_ms}]
        case n.UserSpeechStopped(item_id, audio_end_ms):
            return [{"type": "input_audio_buffer.speech_stopped", "item_id": item_id, "audio_end_ms": audio_end_ms}]
        case n.InputBufferCommitted(item_id, previous_item_id):
            return [{"type": "input_audio_buffer.committed", "item_id": item_id, "previous_item_id": previous_item_id}]
        case n.InputBufferCleared():
            return [{"type": "input_audio_buffer.cleared"}]
        case n.ItemAdded(item, previous_item_id):
            return _item_added(item, previous_item_id, view)
        case n.ItemDeleted(item_id):
            return [{"type": "conversation.item.deleted", "item_id": item_id}]
        case n.ItemTruncated(item_id, audio_end_ms):
            return [
                {
                    "type": "conversation.item.truncated",
                    "item_id": item_id,
                    "content_index": 0,
                    "audio_end_ms": audio_end_ms,
                }
            ]


def _item_added(item: Item, previous_item_id: str | None, view: SessionView) -> list[WireEvent]:
    """Added and done at once, as OpenAI does: the transcript of a spoken item follows by its own events."""
    done = replace(item, status="completed") if isinstance(item, MessageItem) else item
    shows = view.settings.transcribes
    return [
        {
            "type": f"conversation.item.{verb}",
            "previous_item_id": previous_item_id,
            "item": item_object(shown, shows_transcript=shows),
        }
        for verb, shown in (("added", item), ("done", done))
    ]


def _transcript(notice: n.TranscriptGrew | n.TranscriptCompleted | n.TranscriptFailed) -> WireEvent:
    about: WireEvent = {"item_id": notice.item_id, "content_index": 0}
    name = "conversation.item.input_audio_transcription"
    match notice:
        case n.TranscriptGrew(delta=delta):
            return {"type": f"{name}.delta", **about, "delta": delta}
        case n.TranscriptCompleted(text=text, audio_seconds=seconds):
            return {
                "type": f"{name}.completed",
                **about,
                "transcript": text,
                "usage": {"type": "duration", "seconds": round(seconds, 3)},
            }
        case n.TranscriptFailed(message=message):
            error = {"type": "server_error", "code": "transcription_failed", "message": message, "param": None}
            return {"type": f"{name}.failed", **about, "error": error}


def _place(notice: n.ReplyMessageBegan | n.ReplyTextGrew | n.ReplyAudioSent) -> WireEvent:
    return {
        "response_id": notice.response_id,
        "item_id": notice.item_id,
        "output_index": notice.output_index,
        "content_index": 0,
    }


def _message_began(notice: n.ReplyMessageBegan) -> list[WireEvent]:
    item: WireEvent = {
        "id": notice.item_id,
        "object": "realtime.item",
        "type": "message",
        "status": "in_progress",
        "role": "assistant",
        "content": [],
    }
    part = {"type": "audio", "transcript": ""} if notice.speaks else {"type": "text", "text": ""}
    return [
        _output_item("added", notice.response_id, notice.output_index, item),
        {"type": "conversation.item.added", "previous_item_id": notice.previous_item_id, "item": item},
        {"type": "response.content_part.added", **_place(notice), "part": part},
    ]


def _message_ended(notice: n.ReplyMessageEnded) -> list[WireEvent]:
    item: MessageItem = notice.item
    place: WireEvent = {
        "response_id": notice.response_id,
        "item_id": item.item_id,
        "output_index": notice.output_index,
        "content_index": 0,
    }
    if item.spoken:
        dones: list[WireEvent] = [
            {"type": "response.output_audio.done", **place},
            {"type": "response.output_audio_transcript.done", **place, "transcript": item.text},
        ]
        part = {"type": "audio", "transcript": item.text}
    else:
        dones = [{"type": "response.output_text.done", **place, "text": item.text}]
        part = {"type": "text", "text": item.text}
    return [
        *dones,
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "conversation.item.done", "item": item_object(item)},
        _output_item("done", notice.response_id, notice.output_index, item_object(item)),
    ]


def _tool_called(notice: n.ReplyToolCalled) -> list[WireEvent]:
    item: ToolCallItem = notice.item
    whole = item_object(item)
    empty = {**whole, "status": "in_progress", "arguments": ""}
    place: WireEvent = {
        "response_id": notice.response_id,
        "item_id": item.item_id,
        "output_index": notice.output_index,
        "call_id": item.call_id,
    }
    done: WireEvent = {
        "type": "response.function_call_arguments.done",
        **place,
        "name": item.name,
        "arguments": item.arguments,
    }
    return [
        _output_item("added", notice.response_id, notice.output_index, empty),
        {"type": "conversation.item.added", "previous_item_id": notice.previous_item_id, "item": empty},
        {"type": "response.function_call_arguments.delta", **place, "delta": item.arguments},
        done,
        {"type": "conversation.item.done", "previous_item_id": notice.previous_item_id, "item": whole},
        _output_item("done", notice.response_id, notice.output_index, whole),
    ]


def _output_item(verb: str, response_id: str, output_index: int, item: WireEvent) -> WireEvent:
    return {
        "type": f"response.output_item.{verb}",
        "response_id": response_id,
        "output_index": output_index,
        "item": item,
    }
