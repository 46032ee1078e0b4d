"""The server's events as a caller reads them."""

import json
from base64 import b64encode

import pytest

from speakback.audio.artifacts import ArtifactReport
from speakback.caller.errors import CallError
from speakback.caller.server_events import AudioDelta, LatencyTold, OtherEvent, ReplyDone, SpeechStarted, read_event
from speakback.caller.timeline import ServerLatency

LATENCY = {
    "item_id": "item_1",
    "response_id": "resp_1",
    "endpointing_wait_ms": 300,
    "transcription_ms": 20,
    "first_token_ms": 100,
    "first_clause_ms": 90,
    "synthesis_ms": 80,
    "first_byte_ms": 1,
    "playback_ms": None,
    "ttfb_ms": 600,
    "own_ms": 4,
    "asr_confidence": 0.9,
}
ARTIFACTS = {
    "late_frames": 0,
    "missing_frames": 0,
    "clipped_samples": 0,
    "border_jumps": 0,
    "unexpected_silence_ms": 0,
    "cut_off": False,
    "words_per_minute": 160.0,
}


def test_an_event_with_more_than_is_needed() -> None:
    event = read_event(
        '{"type": "input_audio_buffer.speech_started", "event_id": "e", "item_id": "i", "audio_start_ms": 7}'
    )
    assert event == SpeechStarted(type="input_audio_buffer.speech_started", item_id="i", audio_start_ms=7)


def test_an_event_of_no_use_is_only_noted() -> None:
    assert read_event('{"type": "rate_limits.updated", "rate_limits": []}') == OtherEvent("rate_limits.updated")


def test_audio() -> None:
    delta = b64encode(b"\x00\x40\x00\xc0").decode()
    event = read_event(
        json.dumps({"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": delta})
    )
    assert isinstance(event, AudioDelta)
    assert event.audio_24k().tolist() == [0.5, -0.5]


@pytest.mark.parametrize("delta", ["AA==", "not base64", "é"])
def test_audio_that_is_none(delta: str) -> None:
    event = AudioDelta(type="response.output_audio.delta", response_id="r", item_id="i", delta=delta)
    with pytest.raises(CallError, match="audio that is none"):
        event.audio_24k()


def test_the_text_of_a_reply() -> None:
    output = [
        {"type": "message", "content": [{"type": "output_audio", "transcript": "Hello."}]},
        {"type": "function_call", "name": "f"},
    ]
    event = read_event(
        json.dumps({"type": "response.done", "response": {"id": "r", "status": "completed", "output": output}})
    )
    assert isinstance(event, ReplyDone)
    assert event.text() == "Hello."


def test_the_latency_ledger() -> None:
    event = read_event(json.dumps({"type": "speakback.latency", "event_id": "e", **LATENCY, "artifacts": ARTIFACTS}))
    assert isinstance(event, LatencyTold)
    assert event.latency == ServerLatency(**LATENCY, artifacts=ArtifactReport(**ARTIFACTS))  # type: ignore[arg-type]


def test_a_ledger_without_audio() -> None:
    event = read_event(json.dumps({"type": "speakback.latency", **LATENCY, "artifacts": None}))
    assert isinstance(event, LatencyTold)
    assert event.latency.artifacts is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("<html>", "not JSON"),
        ("[1]", "without a type"),
        ('{"type": 3}', "without a type"),
        ('{"type": "response.created", "response": {}}', "response.created is not as it should be: .*id"),
    ],
)
def test_what_is_no_event(text: str, complaint: str) -> None:
    with pytest.raises(CallError, match=complaint):
        read_event(text)
