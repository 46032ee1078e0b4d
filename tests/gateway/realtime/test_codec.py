"""gateway/realtime/codec.py and agent_audio.py"""

import json
from base64 import b64decode, b64encode

import numpy as np
import pytest

from speakback.gateway.binary import AudioFrame, Kind, pack, unpack
from speakback.gateway.realtime.codec import Message, RealtimeCodec
from speakback.providers.chain.entry import UnknownPin
from speakback.providers.decisions import Decision, DecisionKind
from speakback.session import notices as n
from speakback.session.items import MessageItem, ToolOutputItem
from speakback.session.settings import ReplyOptions
from tests.gateway.scripted import ScriptedConversation, codec_for, error_of, events


def tell(codec: RealtimeCodec, event_type: str, **fields: object) -> list[Message]:
    return codec.receive_text(json.dumps({"type": event_type, **fields}).encode())


def append(codec: RealtimeCodec, data: bytes) -> list[Message]:
    return tell(codec, "input_audio_buffer.append", audio=b64encode(data).decode(), event_id="e1")


def audio_of(messages: list[Message]) -> bytes:
    deltas = [event for event in events(messages) if event["type"] == "response.output_audio.delta"]
    return b"".join(b64decode(str(event["delta"])) for event in deltas)


def spoken(item_id: str, level: float) -> list[n.Notice]:
    """A reply message of 40 ms at a constant level."""
    item = MessageItem(item_id, "assistant", "x", spoken=True)
    return [
        n.ReplyMessageBegan("resp_1", item_id, 0, True, None),
        n.ReplyAudioSent("resp_1", item_id, 0, np.full(960, level, np.float32)),
        n.ReplyMessageEnded("resp_1", 0, item),
    ]


async def test_appended_audio_is_heard_at_16_khz() -> None:
    conversation = ScriptedConversation()
    codec = codec_for(conversation)
    for _ in range(50):
        assert append(codec, bytes(960)) == []
    tell(codec, "input_audio_buffer.commit", event_id="e9")
    assert len(conversation.heard) == 16_000
    assert conversation.calls == [("commit_input", ("e9",))]


@pytest.mark.parametrize(
    ("audio", "said"),
    [
        ("AAAA!", "not base64"),
        ("AAA", "not base64"),
        ("日本", "not base64"),
        ("", "no audio"),
        (b64encode(b"abc").decode(), "odd number of bytes"),
    ],
)
async def test_audio_that_is_none_is_refused_and_the_next_is_heard(audio: str, said: str) -> None:
    conversation = ScriptedConversation()
    codec = codec_for(conversation)
    error = error_of(tell(codec, "input_audio_buffer.append", audio=audio, event_id="e1"))
    assert said in str(error["message"])
    assert (error["param"], error["event_id"]) == ("audio", "e1")
    assert append(codec, bytes(9600)) == []
    assert len(conversation.heard)


async def test_audio_that_the_session_cannot_take_is_an_error_that_says_so() -> None:
    codec = codec_for(ScriptedConversation(room_samples=1000))
    error = error_of(append(codec, bytes(48_000)))
    assert error["code"] == "input_audio_buffer_full"
    assert "real time" in str(error["message"])


async def test_a_new_input_format_is_heard_from_the_next_message_on() -> None:
    conversation = ScriptedConversation()
    codec = codec_for(conversation)
    tell(codec, "session.update", session={"audio": {"input": {"format": {"type": "audio/pcmu"}}}})
    append(codec, b"\xff" * 8000)
    tell(codec, "input_audio_buffer.commit")
    assert len(conversation.heard) == 16_000
    assert np.abs(conversation.heard).max() < 0.001


async def test_a_refused_update_changes_nothing() -> None:
    conversation = ScriptedConversation()
    codec = codec_for(conversation)
    session = {"instructions": "Changed.", "output_modalities": ["audio", "text"]}
    assert error_of(tell(codec, "session.update", session=session))["param"] == "session.output_modalities"
    assert conversation.settings is None
    assert codec.view.settings.instructions == "Be brief."


async def test_an_update_configures_the_session_and_answers_with_what_is_in_effect() -> None:
    conversation = ScriptedConversation()
    (answer,) = events(tell(codec_for(conversation), "session.update", session={"instructions": "Changed."}))
    assert answer["type"] == "session.updated"
    assert answer["session"]["instructions"] == "Changed."  # type: ignore[index]
    assert conversation.settings is not None
    assert conversation.settings.instructions == "Changed."


async def test_items_enter_the_conversation() -> None:
    conversation = ScriptedConversation()
    codec = codec_for(conversation)
    message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
    output = {"type": "function_call_output", "id": "mine", "call_id": "call_1", "output": "12:00"}
    assert tell(codec, "conversation.item.create", item=message, event_id="e1") == []
    assert tell(codec, "conversation.item.create", item=output, previous_item_id="root") == []
    (_, first), (_, second) = conversation.calls
    item = first[0]
    assert isinstance(item, MessageItem)
    assert (item.role, item.text, item.spoken) == ("user", "Hello", False)
    assert first[1:] == (None, "e1")
    assert second == (ToolOutputItem("mine", "call_1", "12:00"), "root", "")


async def test_a_part_that_does_not_belong_to_a_role_is_refused() -> None:
    message = {"type": "message", "role": "user", "content": [{"type": "output_text", "text": "Hello"}]}
    error = error_of(tell(codec_for(ScriptedConversation()), "conversation.item.create", item=message))
    assert error["param"] == "item.content.0.type"


async def test_an_item_is_retrieved_or_its_absence_is_said() -> None:
    item = MessageItem("item_1", "assistant", "Heard so far", spoken=True, status="incomplete")
    codec = codec_for(ScriptedConversation(items={"item_1": item}))
    (answer,) = events(tell(codec, "conversation.item.retrieve", item_id="item_1"))
    assert answer["item"]["content"] == [{"type": "output_audio", "transcript": "Heard so far"}]  # type: ignore[index]
    error = error_of(tell(codec, "conversation.item.retrieve", item_id="item_2", event_id="e2"))
    assert (error["code"], error["event_id"]) == ("item_not_found", "e2")


async def test_calls_are_passed_on_with_the_clients_event_id() -> None:
    conversation = ScriptedConversation()
    codec = codec_for(conversation)
    tell(codec, "conversation.item.delete", item_id="i", event_id="a")
    tell(codec, "conversation.item.truncate", item_id="i", content_index=0, audio_end_ms=250, event_id="b")
    tell(codec, "response.cancel", response_id="resp_1", event_id="c")
    tell(codec, "input_audio_buffer.clear")
    tell(codec, "response.create", event_id="d")
    tell(codec, "response.create", response={"output_modalities": ["text"], "max_output_tokens": 9,
                                             "metadata": {"topic": "time"}, "instructions": "One word."})  # fmt: skip
    options = ReplyOptions(instructions="One word.", speaks=False, max_tokens=9, metadata=(("topic", "time"),))
    assert conversation.calls == [
        ("delete_item", ("i", "a")),
        ("truncate_item", ("i", 250, "b")),
        ("cancel_reply", ("resp_1", "c")),
        ("clear_input", ()),
        ("request_reply", (ReplyOptions(), "d")),
        ("request_reply", (options, "")),
    ]


async def test_one_reply_cannot_have_a_format_of_its_own() -> None:
    codec = codec_for(ScriptedConversation())
    response = {"audio": {"output": {"format": {"type": "audio/pcmu"}}}}
    assert error_of(tell(codec, "response.create", response=response))["param"] == "response.audio.output.format"


async def test_audio_deltas_are_whole_events() -> None:
    codec = codec_for(ScriptedConversation())
    began, sent, _ = spoken("item_1", 0.5)
    codec.encode(began)
    (event,) = events(codec.encode(sent))
    assert {key: value for key, value in event.items() if key not in ("delta", "event_id")} == {
        "type": "response.output_audio.delta",
        "response_id": "resp_1",
        "item_id": "item_1",
        "output_index": 0,
        "content_index": 0,
    }
    assert b64decode(str(event["delta"])) == b"\x00\x40" * 960


@pytest.mark.parametrize(
    ("format", "size"), [({"type": "audio/pcmu"}, 320), ({"type": "audio/pcm", "rate": 16000}, 1280)]
)
async def test_no_audio_of_a_reply_is_lost_and_none_leaks_into_the_next(format: dict[str, object], size: int) -> None:
    codec = codec_for(ScriptedConversation())
    tell(codec, "session.update", session={"audio": {"output": {"format": format}}})
    first = [message for notice in spoken("item_1", 0.9) for message in codec.encode(notice)]
    assert len(audio_of(first)) == size
    began, sent, _ = spoken("item_1", 0.9)
    codec.encode(sent)  # cut short: its end never comes
    second = [message for notice in spoken("item_2", 0.0) for message in codec.encode(notice)]
    silence = b"\xff" if format["type"] == "audio/pcmu" else b"\x00"
    assert audio_of(second) == silence * size


async def test_the_rest_of_the_audio_comes_before_its_done() -> None:
    codec = codec_for(ScriptedConversation())
    tell(codec, "session.update", session={"audio": {"output": {"format": {"type": "audio/pcma"}}}})
    wire = events([message for notice in spoken("item_1", 0.9) for message in codec.encode(notice)])
    types = [event["type"] for event in wire]
    last_delta = max(index for index, name in enumerate(types) if name == "response.output_audio.delta")
    assert last_delta < types.index("response.output_audio.done")


# ---- binary messages --------------------------------------------------------------------------


def with_binary(conversation: ScriptedConversation) -> RealtimeCodec:
    codec = codec_for(conversation)
    (answer,) = events(tell(codec, "session.update", session={"speakback": {"binary_audio": True}}))
    assert answer["session"]["speakback"]["binary_audio"] is True  # type: ignore[index]
    return codec


async def test_agent_audio_in_binary_begins_with_an_event_that_names_its_item() -> None:
    codec = with_binary(ScriptedConversation())
    messages: list[Message] = []
    for notice in [*spoken("item_1", 0.5), *spoken("item_2", 0.25)]:
        messages += codec.encode(notice)
    begins = [
        (index, json.loads(message))
        for index, message in enumerate(messages)
        if isinstance(message, str) and json.loads(message)["type"] == "speakback.audio_begin"
    ]
    frames = [(index, unpack(message)) for index, message in enumerate(messages) if isinstance(message, bytes)]
    assert [begin["item_id"] for _, begin in begins] == ["item_1", "item_2"]
    assert [begin["first_sequence"] for _, begin in begins] == [0, 1]
    assert {begin["correlation_id"] for _, begin in begins} == {"corr-1"}
    assert [index for index, _ in frames] == [index + 1 for index, _ in begins]
    assert [frame for _, frame in frames] == [
        AudioFrame(Kind.AGENT_AUDIO, 0, b"\x00\x40" * 960),
        AudioFrame(Kind.AGENT_AUDIO, 1, b"\x00\x20" * 960),
    ]


async def test_user_audio_in_binary_is_heard() -> None:
    conversation = ScriptedConversation()
    codec = with_binary(conversation)
    for sequence in range(50):
        assert codec.receive_binary(pack(AudioFrame(Kind.USER_AUDIO, sequence, bytes(960)))) == []
    tell(codec, "input_audio_buffer.commit")
    assert len(conversation.heard) == 16_000


async def test_a_gap_in_the_sequence_is_said_and_the_audio_heard() -> None:
    conversation = ScriptedConversation()
    codec = with_binary(conversation)
    error = error_of(codec.receive_binary(pack(AudioFrame(Kind.USER_AUDIO, 3, bytes(9600)))))
    assert error["code"] == "binary_sequence_gap"
    assert len(conversation.heard)
    assert codec.receive_binary(pack(AudioFrame(Kind.USER_AUDIO, 4, bytes(9600)))) == []


async def test_binary_messages_need_the_clients_opting_in() -> None:
    codec = codec_for(ScriptedConversation())
    assert error_of(codec.receive_binary(pack(AudioFrame(Kind.USER_AUDIO, 0, bytes(4)))))["code"] == "not_opted_in"


@pytest.mark.parametrize("data", [b"", b"\x01", pack(AudioFrame(Kind.AGENT_AUDIO, 0, bytes(4)))])
async def test_bad_binary_messages_are_refused(data: bytes) -> None:
    assert error_of(with_binary(ScriptedConversation()).receive_binary(data))["code"] == "invalid_binary"


async def test_playback_is_acknowledged_only_by_clients_that_said_they_would() -> None:
    conversation = ScriptedConversation()
    codec = codec_for(conversation)
    ack = {"item_id": "item_1", "played_ms": 120, "buffered_ms": 40}
    assert error_of(tell(codec, "speakback.playback_ack", **ack))["code"] == "not_opted_in"
    tell(codec, "session.update", session={"speakback": {"playback_ack": True}})
    assert tell(codec, "speakback.playback_ack", **ack) == []
    assert conversation.calls == [("acknowledge_playback", ("item_1", 120, 40))]


async def test_unreadable_messages_are_counted_until_a_readable_one() -> None:
    codec = codec_for(ScriptedConversation())
    for data in (b"{", b"[]", b"{}"):
        codec.receive_text(data)
    assert codec.unreadable_in_a_row == 3
    codec.receive_text(b'{"type": "input_audio_buffer.clear"}')
    assert codec.unreadable_in_a_row == 0


async def test_what_a_chain_decided_is_told_to_who_asked_for_it() -> None:
    decision = Decision("llm", DecisionKind.FAILED_OVER, "llama", "groq: HTTP 503", instead_of="groq")
    codec = codec_for(ScriptedConversation())
    assert events(codec.encode(n.ProviderDecided(decision))) == []
    tell(codec, "session.update", session={"speakback": {"events": ["provider"]}})
    (event,) = events(codec.encode(n.ProviderDecided(decision)))
    assert event["type"] == "speakback.provider"
    assert (event["role"], event["kind"], event["provider"]) == ("llm", "failed_over", "llama")
    assert (event["instead_of"], event["reason"]) == ("groq", "groq: HTTP 503")


async def test_a_pin_that_nobody_can_serve_changes_nothing() -> None:
    conversation = ScriptedConversation(refusal=UnknownPin("tts: there is no provider 'x'; there is hibari"))
    codec = codec_for(conversation)
    error = error_of(
        tell(codec, "session.update", session={"instructions": "new", "speakback": {"providers": {"tts": "x"}}})
    )
    assert error["param"] == "session.speakback.providers"
    assert "there is hibari" in str(error["message"])
    conversation.refusal = None
    (answer,) = events(tell(codec, "session.update", session={}))
    assert answer["session"]["instructions"] == "Be brief."  # type: ignore[index]
