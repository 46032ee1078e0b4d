"""gateway/realtime/kept_view.py: what a client set is what it finds again, on a server of any configuration."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speakback.gateway.realtime.kept_view import kept, restored
from speakback.gateway.realtime.refusal import Refusal
from speakback.gateway.realtime.session_view import SessionView, first_view, patched
from speakback.gateway.realtime.wire_models import SessionPatch
from tests.gateway.scripted import OFFER

ANY_TONGUE = replace(OFFER, languages=None)
SECRET = "my dog's name"

formats = st.sampled_from([{"type": "audio/pcm", "rate": 16000}, {"type": "audio/pcmu"}, {"type": "audio/pcm"}])
turn_detections = st.sampled_from(
    [
        None,
        {"type": "server_vad", "silence_duration_ms": 300, "idle_timeout_ms": 6000},
        {"type": "semantic_vad", "eagerness": "low", "interrupt_response": False},
        {"type": "semantic_vad", "create_response": False},
    ]
)
tools = st.sampled_from(
    [[], [{"type": "function", "name": "look"}], [{"type": "function", "name": "go", "parameters": {"a": [1, "é"]}}]]
)
inputs = st.fixed_dictionaries(
    {},
    optional={
        "format": formats,
        "transcription": st.sampled_from([None, {}, {"language": "de"}]),
        "turn_detection": turn_detections,
    },
)
extensions = st.fixed_dictionaries(
    {},
    optional={
        "events": st.sampled_from([[], ["latency"], ["overlap", "floor"], ["plan", "pauses"]]),
        "playback_ack": st.booleans(),
        "resume": st.booleans(),
        "providers": st.sampled_from([{"stt": "groq"}, {"llm": {"region": "eu", "only": True}, "stt": None}]),
        "strategy": st.sampled_from(
            [
                "half-duplex",
                {"name": "rapid-duplex", "overrides": {"stop_fade_ms": 5}},
                {"overrides": {"idle.goodbye": False}},
            ]
        ),
    },
)
patches = st.fixed_dictionaries(
    {"type": st.just("realtime")},
    optional={
        "instructions": st.text(),
        "output_modalities": st.sampled_from([["audio"], ["text"]]),
        "audio": st.fixed_dictionaries(
            {}, optional={"input": inputs, "output": st.fixed_dictionaries({}, optional={"format": formats})}
        ),
        "tools": tools,
        "tool_choice": st.sampled_from(["auto", "none", "required"]),
        "max_output_tokens": st.sampled_from(["inf", 7]),
        "temperature": st.sampled_from([0.0, 0.7]),
        "speakback": extensions,
    },
)


def after(*updates: dict[str, object]) -> SessionView:
    view = first_view(ANY_TONGUE)
    for update in updates:
        view = patched(view, SessionPatch.model_validate_json(json.dumps(update)))
    return view


@settings(deadline=None, max_examples=200)
@given(st.lists(patches, max_size=4))
def test_whatever_a_client_sets_it_finds_again(updates: list[dict[str, object]]) -> None:
    view = after(*updates)
    again = restored(ANY_TONGUE, kept(view))
    assert again.settings == view.settings
    assert replace(again, turn_detection=None) == replace(view, turn_detection=None)
    assert kept(again) == kept(view)


def test_what_the_client_left_follows_the_server() -> None:
    view = after({"instructions": "In verse."})
    elsewhere = replace(ANY_TONGUE, defaults=replace(OFFER.defaults, temperature=1.5, max_tokens=9000))
    again = restored(elsewhere, kept(view))
    assert (again.settings.temperature, again.settings.max_tokens) == (1.5, 9000)
    assert again.settings.instructions == "In verse."


def test_nothing_was_set() -> None:
    assert restored(OFFER, "") == first_view(OFFER)


@pytest.mark.parametrize("text", ["[", "{}", json.dumps([{"instructions": 3, "x": SECRET}])])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="cannot be read") as refused:
        restored(OFFER, text)
    assert SECRET not in str(refused.value)


def test_a_language_that_this_server_does_not_know_is_refused() -> None:
    with pytest.raises(Refusal, match="understands en only"):
        restored(OFFER, kept(after({"audio": {"input": {"transcription": {"language": "de"}}}})))
