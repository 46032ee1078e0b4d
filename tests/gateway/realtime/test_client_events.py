"""gateway/realtime/client_events.py"""

import json

import pytest

from speakback.gateway.realtime import client_events as c
from speakback.gateway.realtime.accepted_keys import NOT_APPLIED
from speakback.gateway.realtime.refusal import Refusal
from speakback.gateway.realtime.wire_models import SemanticVad


def read(event: object) -> c.ClientEvent:
    return c.read(json.dumps(event).encode())


def refusal_of(event: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(event)
    return caught.value


def test_what_another_ga_client_sends_first_is_read() -> None:
    event = read(
        {
            "type": "session.update",
            "event_id": "e1",
            "session": {
                "type": "realtime",
                "model": "gpt-realtime",
                "instructions": "Be kind.",
                "tools": [{"type": "function", "name": "f", "description": "", "parameters": {"type": "object"}}],
                "output_modalities": ["audio"],
                "audio": {
                    "input": {
                        "format": {"type": "audio/pcm", "rate": 24000},
                        "noise_reduction": None,
                        "transcription": {"model": "gpt-4o-mini-transcribe"},
                        "turn_detection": {"type": "semantic_vad", "interrupt_response": True},
                    },
                    "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "ash", "speed": 1.1},
                },
                "tracing": "auto",
            },
        }
    )
    assert isinstance(event, c.SessionUpdate)
    assert event.event_id == "e1"
    assert event.session.audio is not None
    assert event.session.audio.input is not None
    assert isinstance(event.session.audio.input.turn_detection, SemanticVad)


@pytest.mark.parametrize("path", list(NOT_APPLIED["session.update"]))
def test_every_key_that_does_not_apply_is_accepted(path: str) -> None:
    inner: object = {"whatever": 1}
    for name in reversed(path.split(".")[1:]):
        inner = {name: inner}
    if "turn_detection" in path:
        inner = {"audio": {"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 6000}}}}
    assert isinstance(read({"type": "session.update", "session": inner}), c.SessionUpdate)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"nonsense", b"[1]", b'"text"', b"\xff\xfe", b'{"type": NaN}', b'{"a":' * 500, b'{"type": "\\ud800"}'],
)
def test_malformed_json_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        c.read(data)
    assert caught.value.code == "invalid_json"
    assert caught.value.unreadable


def test_an_unknown_event_is_refused_with_the_nearest_known() -> None:
    refusal = refusal_of({"type": "input_audio_buffer.apend", "event_id": "e7"})
    assert refusal.code == "unknown_event"
    assert "'input_audio_buffer.append'" in refusal.message
    assert refusal.event_id == "e7"


def test_an_event_of_another_transport_is_refused_with_what_to_send_instead() -> None:
    assert "response.cancel" in refusal_of({"type": "output_audio_buffer.clear"}).message


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"event_id": "e"}, "missing_required_parameter", "type"),
        ({"type": 5}, "missing_required_parameter", "type"),
        ({"type": "session.update"}, "missing_required_parameter", "session"),
        ({"type": "session.update", "session": {"modalities": ["audio"]}}, "unknown_parameter", "session.modalities"),
        ({"type": "session.update", "session": {"type": "transcription"}}, "invalid_value", "session.type"),
        ({"type": "session.update", "session": {"max_output_tokens": "many"}}, None, "session.max_output_tokens"),
        ({"type": "session.update", "session": {"max_output_tokens": 0}}, None, "session.max_output_tokens"),
        ({"type": "session.update", "session": {"tools": [{"type": "mcp"}]}}, None, "session.tools.0.type"),
        ({"type": "session.update", "session": {"prompt": {"id": "p"}}}, None, "session.prompt"),
        (
            {"type": "session.update", "session": {"audio": {"input": {"format": {"type": "audio/mp3"}}}}},
            "invalid_value",
            "session.audio.input.format.type",
        ),
        (
            {
                "type": "session.update",
                "session": {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 44100}}}},
            },
            "invalid_value",
            "session.audio.input.format.rate",
        ),
        (
            {
                "type": "session.update",
                "session": {"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 2}}}},
            },
            "invalid_value",
            "session.audio.input.turn_detection.threshold",
        ),
        ({"type": "input_audio_buffer.append", "audio": 3}, "invalid_type", "audio"),
        (
            {"type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": -1},
            "invalid_value",
            "audio_end_ms",
        ),
        ({"type": "response.create", "response": {"conversation": "none"}}, None, "response.conversation"),
        ({"type": "response.create", "response": {"input": []}}, "unknown_parameter", "response.input"),
    ],
)
def test_what_is_wrong_is_named(event: dict[str, object], code: str | None, param: str) -> None:
    refusal = refusal_of(event)
    assert refusal.param == param
    assert code is None or refusal.code == code


def test_a_key_of_an_older_protocol_is_answered_with_its_present_name() -> None:
    refusal = refusal_of({"type": "session.update", "session": {"modalities": ["text"]}})
    assert "output_modalities" in refusal.message


def test_no_message_repeats_a_long_value() -> None:
    refusal = refusal_of({"type": "x" * 5000, "event_id": "y" * 5000})
    assert len(refusal.message) < 300
    assert refusal.event_id == ""


@pytest.mark.parametrize(
    "ours",
    [
        {"strategy": "x" * 5000},
        {"strategy": {"name": "x" * 5000}},
        {"strategy": {"overrides": {"x" * 5000: 1}}},
        {"strategy": {"overrides": {"barge_in": "x" * 5000}}},
        {"providers": {"tts": "x" * 5000}},
        {"providers": {"tts": {"region": "x" * 5000}}},
    ],
)
def test_what_is_far_too_long_for_a_name_is_not_looked_up(ours: dict[str, object]) -> None:
    refusal = refusal_of({"type": "session.update", "session": {"speakback": ours}})
    assert len(refusal.message) < 300
