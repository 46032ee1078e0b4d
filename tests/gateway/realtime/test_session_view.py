"""gateway/realtime/session_view.py and session_object.py"""

from dataclasses import replace

import pytest

from speakback.config.voices import Voices
from speakback.gateway.realtime.formats import WireFormat
from speakback.gateway.realtime.kept_view import kept, restored
from speakback.gateway.realtime.refusal import Refusal
from speakback.gateway.realtime.session_object import session_object
from speakback.gateway.realtime.session_view import EAGERNESS, SessionView, first_view, patched
from speakback.gateway.realtime.wire_models import SessionPatch
from speakback.providers.chain.entry import Pin
from speakback.providers.engines import Pins
from speakback.turn.barge_in import BargeIn
from speakback.turn.endpointing import FixedEndpointing
from tests.gateway.scripted import OFFER

FIRST = first_view(OFFER)


def after(session: dict[str, object], view: SessionView = FIRST) -> SessionView:
    return patched(view, SessionPatch.model_validate(session))


def with_input(**given: object) -> dict[str, object]:
    return {"audio": {"input": given}}


def wire(view: SessionView) -> dict[str, object]:
    return session_object(view, "sess_1", "corr-1")


def test_an_empty_patch_changes_nothing() -> None:
    assert after({"type": "realtime"}) == FIRST


def test_null_turn_detection_stops_listening_and_absent_does_not() -> None:
    manual = after(with_input(turn_detection=None))
    assert not manual.settings.listens
    assert after({"instructions": "x"}, manual).settings.listens is False
    again = after(with_input(turn_detection={"type": "semantic_vad"}), manual)
    assert again.settings.listens
    assert again.settings.turn == FIRST.settings.turn


def test_server_vad_is_a_fixed_silence() -> None:
    view = after(with_input(turn_detection={"type": "server_vad", "silence_duration_ms": 350, "threshold": 0.9}))
    assert view.settings.turn.endpointing == FixedEndpointing(350)
    turn_detection = wire(view)["audio"]["input"]["turn_detection"]  # type: ignore[index]
    assert turn_detection["silence_duration_ms"] == 350
    assert turn_detection["threshold"] == OFFER.defaults.hearing.vad.threshold, (
        "the value in effect is answered, not the one asked for"
    )


@pytest.mark.parametrize("eagerness", ["low", "medium", "high"])
def test_eagerness_is_a_set_of_waits(eagerness: str) -> None:
    view = after(with_input(turn_detection={"type": "semantic_vad", "eagerness": eagerness}))
    assert view.settings.turn.endpointing in EAGERNESS.values()
    assert wire(view)["audio"]["input"]["turn_detection"]["eagerness"] == eagerness  # type: ignore[index]


def test_the_eager_wait_less() -> None:
    waits = [(EAGERNESS[name].confidence, EAGERNESS[name].most_ms) for name in ("high", "medium", "low")]
    assert waits == sorted(waits)


def test_the_client_may_keep_replies_and_interruptions_to_itself() -> None:
    view = after(
        with_input(turn_detection={"type": "server_vad", "create_response": False, "interrupt_response": False})
    )
    assert not view.settings.turn.auto_reply
    assert view.settings.turn.barge_in is BargeIn.NEVER
    back = after(with_input(turn_detection={"type": "server_vad", "interrupt_response": True}), view)
    assert back.settings.turn.barge_in is FIRST.settings.turn.barge_in
    assert back.settings.turn.auto_reply


def test_transcription_can_be_turned_off_and_on() -> None:
    off = after(with_input(transcription=None))
    assert not off.settings.transcribes
    assert after(with_input(transcription={}), off).settings.transcribes


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ({"type": "audio/pcm"}, WireFormat("audio/pcm", 24_000)),
        ({"type": "audio/pcm", "rate": 16000}, WireFormat("audio/pcm", 16_000)),
        ({"type": "audio/pcmu"}, WireFormat("audio/pcmu", 8_000)),
        ({"type": "audio/pcma"}, WireFormat("audio/pcma", 8_000)),
    ],
)
def test_formats(format: dict[str, object], expected: WireFormat) -> None:
    view = after({"audio": {"input": {"format": format}, "output": {"format": format}}})
    assert (view.input_format, view.output_format) == (expected, expected)


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"output_modalities": ["audio", "text"]}, "session.output_modalities"),
        (with_input(transcription={"language": "de"}), "session.audio.input.transcription.language"),
        ({"speakback": {"strategy": "rapid-duplexx"}}, "session.speakback.strategy"),
        ({"speakback": {"strategy": {"overrides": {"endpointing.sure": 1}}}}, "session.speakback.strategy"),
        ({"speakback": {"strategy": {"overrides": {"stall_timeout_ms": 0}}}}, "session.speakback.strategy"),
        ({"speakback": {"events": ["latency", "lateness"]}}, "session.speakback.events.1"),
        (
            {"speakback": {"binary_audio": True}, **with_input(format={"type": "audio/pcmu"})},
            "session.speakback.binary_audio",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(session: dict[str, object], param: str) -> None:
    with pytest.raises(Refusal) as caught:
        after(session)
    assert caught.value.param == param


def test_a_strategy_may_be_changed_in_single_values() -> None:
    view = after({"speakback": {"strategy": {"name": "rapid-duplex", "overrides": {"endpointing.sure_ms": 111}}}})
    assert view.settings.turn.endpointing.sure_ms == 111  # type: ignore[union-attr]
    kept = after(with_input(turn_detection={"type": "semantic_vad"}), view)
    assert kept.settings.turn.endpointing.sure_ms == 111  # type: ignore[union-attr]


def test_a_name_pins_a_provider_and_null_unpins_it() -> None:
    pinned = after({"speakback": {"providers": {"tts": "elevenlabs-v3", "stt": {"region": "eu", "only": False}}}})
    assert pinned.settings.pins == Pins(stt=Pin(region="eu"), tts=Pin("elevenlabs-v3"))
    assert wire(pinned)["speakback"]["providers"] == {  # type: ignore[index]
        "stt": {"provider": None, "region": "eu", "only": False},
        "tts": {"provider": "elevenlabs-v3", "region": None, "only": False},
    }
    kept = after({"speakback": {"providers": {"stt": None}}}, pinned)
    assert kept.settings.pins == Pins(tts=Pin("elevenlabs-v3"))


def test_the_session_knows_what_the_client_follows() -> None:
    assert (FIRST.settings.follows_floor, FIRST.settings.follows_plan) == (False, False)
    view = after({"speakback": {"events": ["floor", "latency"]}})
    assert (view.settings.follows_floor, view.settings.follows_plan) == (True, False)
    kept = after({"speakback": {"playback_ack": True}}, view)
    assert (kept.settings.follows_floor, kept.settings.follows_plan) == (True, False)
    other = after({"speakback": {"events": ["plan"]}}, kept)
    assert (other.settings.follows_floor, other.settings.follows_plan) == (False, True)


def test_inf_means_the_servers_own_limit() -> None:
    assert after({"max_output_tokens": 7}).settings.max_tokens == 7
    assert after({"max_output_tokens": "inf"}, after({"max_output_tokens": 7})).settings.max_tokens == 160


def test_nothing_of_ours_is_shown_before_the_client_asks() -> None:
    assert "speakback" not in wire(FIRST)
    shown = wire(after({"speakback": {"playback_ack": True}}))["speakback"]
    assert shown == {
        "binary_audio": False,
        "events": [],
        "playback_ack": True,
        "providers": {},
        "resume": True,
        "strategy": "overlap-aware",
        "correlation_id": "corr-1",
    }


def test_tools_go_there_and_back() -> None:
    tool = {"type": "function", "name": "look_up", "description": "Looks up.", "parameters": {"type": "object"}}
    view = after({"tools": [tool], "tool_choice": "required"})
    assert wire(view)["tools"] == [tool]
    assert view.settings.tool_choice == "required"


TWO_PROVIDERS = replace(
    OFFER, voices=(Voices("elevenlabs", ("george", "ann")), Voices("hibari", ("heart", "joe", "fable")))
)
SPEAKERS = first_view(TWO_PROVIDERS)


def voiced(voice: object, view: SessionView = SPEAKERS) -> SessionView:
    return patched(view, SessionPatch.model_validate({"audio": {"output": {"voice": voice}}}))


def pinned_to(provider: str | None, view: SessionView = SPEAKERS) -> SessionView:
    return patched(view, SessionPatch.model_validate({"speakback": {"providers": {"tts": provider}}}))


def test_a_voice_that_exists_is_chosen_and_answered() -> None:
    view = voiced("ann")
    assert (view.settings.voice, view.voice) == ("ann", "ann")
    output = session_object(view, "sess_1", "corr-1")["audio"]
    assert isinstance(output, dict)
    assert output["output"]["voice"] == "ann"
    own = voiced("george", view)
    assert (own.settings.voice, own.voice) == (None, "george"), "the provider's own is no choice that must be kept"


@pytest.mark.parametrize("voice", ["alloy", "marin", "verse", "fable", {"id": "voice_123"}, None])
def test_a_vendors_voice_is_accepted_and_the_effective_one_answered(voice: object) -> None:
    assert voiced(voice) == SPEAKERS
    assert voiced(voice, voiced("ann")).voice == "ann"


def test_a_vendors_name_that_exists_here_is_that_voice() -> None:
    assert voiced("fable", pinned_to("hibari")).voice == "fable"


@pytest.mark.parametrize(
    ("view", "voice", "known"),
    [(SPEAKERS, "joe", "george, ann"), (SPEAKERS, "Ann", "george, ann"), (pinned_to("hibari"), "ann", "heart, joe")],
)
def test_a_voice_that_the_speaker_has_not_is_refused_with_those_it_has(
    view: SessionView, voice: str, known: str
) -> None:
    with pytest.raises(Refusal, match=f"there is no voice '{voice}' here; there are {known}") as refused:
        voiced(voice, view)
    assert refused.value.param == "session.audio.output.voice"


def test_a_voice_is_its_providers_and_goes_with_it() -> None:
    ann = voiced("ann")
    assert pinned_to("elevenlabs", ann).voice == "ann"
    local = pinned_to("hibari", ann)
    assert (local.settings.voice, local.voice) == (None, "heart")
    both = {"audio": {"output": {"voice": "joe"}}, "speakback": {"providers": {"tts": "hibari"}}}
    assert patched(ann, SessionPatch.model_validate(both)).voice == "joe"


def test_a_chosen_voice_is_found_again_after_an_interruption_of_the_line() -> None:
    local = voiced("joe", pinned_to("hibari"))
    again = restored(TWO_PROVIDERS, kept(local))
    assert (again.voice, again.settings) == ("joe", local.settings)
    assert '"voice"' not in kept(SPEAKERS)
