"""gateway/realtime/server_events.py, responses.py, wire_items.py: against the types of the `openai` package."""

import json

import numpy as np
import pytest
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from speakback.gateway.realtime.codec import RealtimeCodec
from speakback.gateway.realtime.session_view import OWN_EVENTS
from speakback.providers.llm import Usage
from speakback.session import notices as n
from speakback.session.items import MessageItem, ToolCallItem, ToolOutputItem
from speakback.session.latency import TurnMarks, closed
from speakback.turn.tables import Agent, Floor, User
from tests.gateway.scripted import ScriptedConversation, codec_for, events

SDK: TypeAdapter[RealtimeServerEvent] = TypeAdapter(RealtimeServerEvent)

USER = MessageItem("item_u", "user", "What time is it?", spoken=True)
SPOKEN = MessageItem("item_a", "assistant", "It is noon.", spoken=True)
WRITTEN = MessageItem("item_a", "assistant", "It is noon.", spoken=False)
CALL = ToolCallItem("item_c", "call_1", "clock", '{"zone": "utc"}')
OUTPUT = ToolOutputItem("item_o", "call_1", "12:00")
USAGE = Usage(prompt_tokens=40, completion_tokens=5, cached_tokens=32, stopped_at_limit=False)
AUDIO = np.zeros(960, np.float32)

SPOKEN_REPLY: list[n.Notice] = [
    n.ReplyBegan("resp_1", True, (("topic", "time"),)),
    n.ReplyMessageBegan("resp_1", "item_a", 0, True, "item_u"),
    n.ReplyTextGrew("resp_1", "item_a", 0, "It is noon.", True),
    n.ReplyAudioSent("resp_1", "item_a", 0, AUDIO),
    n.ReplyMessageEnded("resp_1", 0, SPOKEN),
    n.ReplyToolCalled("resp_1", 1, CALL, "item_a"),
    n.ReplyEnded("resp_1", "completed", None, (SPOKEN, CALL), USAGE, True, (("topic", "time"),)),
]
WRITTEN_REPLY: list[n.Notice] = [
    n.ReplyBegan("resp_2", False, ()),
    n.ReplyMessageBegan("resp_2", "item_a", 0, False, None),
    n.ReplyTextGrew("resp_2", "item_a", 0, "It is noon.", False),
    n.ReplyMessageEnded("resp_2", 0, WRITTEN),
    n.ReplyEnded("resp_2", "completed", None, (WRITTEN,), None, False, ()),
]
ENDINGS: list[n.Notice] = [
    n.ReplyEnded("resp_3", "cancelled", "turn_detected", (SPOKEN,), USAGE, True, ()),
    n.ReplyEnded("resp_3", "cancelled", "client_cancelled", (), None, True, ()),
    n.ReplyEnded("resp_3", "incomplete", "max_output_tokens", (), USAGE, True, ()),
    n.ReplyEnded("resp_3", "failed", "provider_failed", (), None, True, ()),
]
INPUT: list[n.Notice] = [
    n.UserSpeechStarted("item_u", 1200),
    n.UserSpeechStopped("item_u", 2400),
    n.InputBufferCommitted("item_u", None),
    n.InputBufferCleared(),
    n.TranscriptGrew("item_u", "What time"),
    n.TranscriptCompleted("item_u", "What time is it?", 1.2, 0.9),
    n.TranscriptFailed("item_u", "the model failed"),
    n.ItemAdded(USER, None),
    n.ItemAdded(MessageItem("item_w", "user", "Hello", spoken=False), "item_u"),
    n.ItemAdded(MessageItem("item_s", "system", "Be kind.", spoken=False), "item_u"),
    n.ItemAdded(SPOKEN, "item_u"),
    n.ItemAdded(WRITTEN, "item_u"),
    n.ItemAdded(CALL, "item_a"),
    n.ItemAdded(OUTPUT, "item_c"),
    n.ItemDeleted("item_u"),
    n.ItemTruncated("item_a", 700),
    n.Fault("conversation_already_has_active_response", "a reply is active", by_client=True, request_id="e1"),
    n.Fault("provider_failed", "llm provider 'llama': died", by_client=False),
]


def sent(*notices: n.Notice, session: dict[str, object] | None = None) -> list[dict[str, object]]:
    codec = codec_for(ScriptedConversation())
    if session is not None:
        codec.receive_text(json.dumps({"type": "session.update", "session": session}).encode())
    return events([message for notice in notices for message in codec.encode(notice)])


def types_of(wire: list[dict[str, object]]) -> list[object]:
    return [event["type"] for event in wire]


@pytest.mark.parametrize("notice", SPOKEN_REPLY + WRITTEN_REPLY + ENDINGS + INPUT, ids=lambda n: type(n).__name__)
async def test_the_sdk_accepts_every_event(notice: n.Notice) -> None:
    wire = sent(notice)
    assert wire
    for event in wire:
        parsed = SDK.validate_python(event)
        assert parsed.type == event["type"]
        assert event["event_id"]


async def test_the_sdk_accepts_what_is_answered_at_once() -> None:
    conversation = ScriptedConversation(items={"item_a": SPOKEN})
    codec: RealtimeCodec = codec_for(conversation)
    wire = events(
        [
            codec.greeting(),
            *codec.receive_text(
                b'{"type": "session.update", "session": {"audio": {"input": {"turn_detection": null}}}}'
            ),
            *codec.receive_text(b'{"type": "conversation.item.retrieve", "item_id": "item_a"}'),
            *codec.receive_text(b"{"),
        ]
    )
    assert types_of(wire) == ["session.created", "session.updated", "conversation.item.retrieved", "error"]
    for event in wire:
        assert SDK.validate_python(event).type == event["type"]


async def test_event_ids_differ() -> None:
    ids = [event["event_id"] for event in sent(*SPOKEN_REPLY, *INPUT)]
    assert len(set(ids)) == len(ids)


async def test_a_spoken_reply_comes_in_order() -> None:
    assert types_of(sent(*SPOKEN_REPLY)) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]


async def test_a_written_reply_comes_in_order() -> None:
    assert types_of(sent(*WRITTEN_REPLY)) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]


async def test_speech_started_never_carries_an_end() -> None:
    (event,) = sent(n.UserSpeechStarted("item_u", 1200))
    assert set(event) == {"event_id", "type", "item_id", "audio_start_ms"}


async def test_the_end_of_a_response_says_why() -> None:
    done = [event["response"] for event in sent(*ENDINGS)]
    assert [response["status"] for response in done] == ["cancelled", "cancelled", "incomplete", "failed"]  # type: ignore[index]
    details = [response["status_details"] for response in done]  # type: ignore[index]
    assert [detail.get("reason") for detail in details] == [
        "turn_detected",
        "client_cancelled",
        "max_output_tokens",
        None,
    ]
    assert details[3]["error"]["code"] == "provider_failed"


async def test_usage_that_was_not_measured_is_null_and_not_zero() -> None:
    assert sent(WRITTEN_REPLY[-1])[0]["response"]["usage"] is None  # type: ignore[index]
    usage = sent(SPOKEN_REPLY[-1])[0]["response"]["usage"]  # type: ignore[index]
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (40, 5, 45)
    assert usage["input_token_details"]["cached_tokens"] == 32


async def test_errors_echo_the_clients_event_id() -> None:
    (event,) = sent(n.Fault("x", "y", by_client=True, request_id="e1", param="item.id"))
    assert event["error"] == {
        "type": "invalid_request_error",
        "code": "x",
        "message": "y",
        "param": "item.id",
        "event_id": "e1",
    }


async def test_transcripts_are_kept_back_where_the_client_turned_them_off() -> None:
    off: dict[str, object] = {"audio": {"input": {"transcription": None}}}
    assert sent(*[notice for notice in INPUT if type(notice).__name__.startswith("Transcript")], session=off) == []
    (added, _) = sent(n.ItemAdded(USER, None), session=off)
    assert "What time" not in json.dumps(added)


async def test_the_latency_ledger_goes_only_to_clients_that_asked() -> None:
    latency = closed(TurnMarks(), item_id="item_u", response_id="resp_1", asr_confidence=None, artifacts=None)
    assert sent(n.LatencyMeasured(latency)) == []
    (event,) = sent(n.LatencyMeasured(latency), session={"speakback": {"events": ["latency"]}})
    assert event["type"] == "speakback.latency"
    assert event["ttfb_ms"] is None
    assert event["correlation_id"] == "corr-1"


async def test_nothing_of_ours_reaches_a_client_that_did_not_ask() -> None:
    everything = json.dumps(sent(*SPOKEN_REPLY, *WRITTEN_REPLY, *ENDINGS, *INPUT))
    assert "speakback" not in everything
    assert "correlation_id" not in everything


@pytest.mark.parametrize(
    ("name", "notice", "event"),
    [
        (
            "floor",
            n.FloorChanged(User.ENDING, Agent.SPEAKING, Floor.BOTH, True, 4200),
            {
                "type": "speakback.floor",
                "user": "ending",
                "agent": "speaking",
                "holder": "both",
                "ducked": True,
                "audio_ms": 4200,
            },
        ),
        (
            "pauses",
            n.PauseWeighed("item_u", 2, "late", None, 900),
            {
                "type": "speakback.pause",
                "item_id": "item_u",
                "number": 2,
                "outcome": "late",
                "score": None,
                "audio_ms": 900,
            },
        ),
        (
            "plan",
            n.ReplyPlanned("resp_1", "item_a", "It is noon."),
            {"type": "speakback.plan", "response_id": "resp_1", "item_id": "item_a", "text": "It is noon."},
        ),
    ],
)
async def test_what_a_client_follows_it_is_told_and_else_nothing(
    name: str, notice: n.Notice, event: dict[str, object]
) -> None:
    others = [other for other in OWN_EVENTS if other != name]
    assert sent(notice) == []
    assert sent(notice, session={"speakback": {"events": others}}) == []
    (told,) = sent(notice, session={"speakback": {"events": [name]}})
    assert told == {"event_id": told["event_id"], **event, "correlation_id": "corr-1"}
