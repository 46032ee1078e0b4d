"""web/drawer.py: a form becomes the `session.update` that it stands for, or says what is wrong beside the field."""

import json
from collections.abc import Mapping

import pytest

from speakback.config import Settings
from speakback.gateway.realtime.codec import RealtimeCodec
from speakback.gateway.realtime.session_view import SessionView, first_view, patched
from speakback.gateway.realtime.wire_models import SessionPatch
from speakback.providers.chain.entry import Entry, Pin, UnknownPin
from speakback.providers.chain.stt_chain import SttChain
from speakback.providers.chain.tts_chain import TtsChain
from speakback.providers.engines import Pins
from speakback.turn.endpointing import CalibratedEndpointing, FixedEndpointing
from speakback.web.choices import Choices
from speakback.web.drawer import Drawer, Experiment, drawn, untouched
from tests.gateway.scripted import ScriptedConversation, error_of
from tests.session.scripted import ScriptedStt, ScriptedTts
from tests.web.test_choices import ELEVENLABS, GROQ, choices

EVERYTHING: dict[str, dict[str, object]] = {
    "groq": GROQ,
    "elevenlabs": {**ELEVENLABS, "expressive": True, "region": "eu", "voices": {"ann": "efgh"}},
    "tts": {"voices": ["joe"]},
    "turn": {"overrides": {"endpointing.most_ms": 3000, "idle.reprompts": 2}},
}
OWN_VOICE = Settings().elevenlabs.voice_id


def session(chosen: Choices, drawer: Drawer) -> SessionView:
    """What the session becomes."""
    assert drawer.errors == {}
    return patched(first_view(chosen.offer), SessionPatch.model_validate_json(json.dumps(drawer.patch)))


@pytest.mark.parametrize("sections", [{}, EVERYTHING, {"turn": {"strategy": "half-duplex"}}])
def test_who_changes_nothing_has_the_servers_own_session(sections: dict[str, dict[str, object]]) -> None:
    chosen = choices(**sections)
    assert session(chosen, drawn(untouched(chosen), chosen)).settings == chosen.offer.defaults


def test_a_moved_number_overrides_the_strategy_and_those_that_stand_do_not() -> None:
    form = {"overlap-aware.endpointing.confidence": "0.85", "overlap-aware.endpointing.least_ms": "240"}
    drawer = drawn(form, choices())
    assert drawer.patch is not None
    assert drawer.patch["speakback"] == {
        "providers": {"stt": None, "llm": None, "tts": None},
        "strategy": {"name": "overlap-aware", "overrides": {"endpointing.confidence": 0.85}},
    }
    assert drawer.patch["audio"] == {"output": {"voice": "heart"}}
    assert session(choices(), drawer).settings.turn.endpointing == CalibratedEndpointing(confidence=0.85)


def test_what_the_configuration_changed_of_a_strategy_stays_changed() -> None:
    chosen = choices(**EVERYTHING)
    turn = session(chosen, drawn({"overlap-aware.endpointing.most_ms": "1500"}, chosen)).settings.turn
    assert turn.endpointing == CalibratedEndpointing(most_ms=1500)
    assert turn.idle.reprompts == 2


def test_a_number_that_contradicts_one_of_the_configuration_is_what_is_wrong() -> None:
    chosen = choices(turn={"overrides": {"endpointing.least_ms": 800}})
    assert list(drawn({"overlap-aware.endpointing.most_ms": "600"}, chosen).errors) == [
        "overlap-aware.endpointing.most_ms"
    ]


def test_another_strategy_has_its_own_numbers() -> None:
    chosen = choices(**EVERYTHING)
    form = {
        "strategy": "half-duplex",
        "half-duplex.endpointing.wait_ms": "900",
        "overlap-aware.endpointing.most_ms": "nonsense",
    }
    drawer = drawn(form, chosen)
    assert [slider.path for slider in drawer.strategy.sliders] == ["endpointing.wait_ms"]
    assert session(chosen, drawer).settings.turn.endpointing == FixedEndpointing(900)


def test_providers_become_pins_and_the_first_one_none() -> None:
    chosen = choices(**EVERYTHING)
    drawer = drawn({"stt": "whisper", "llm": "groq", "tts": "hibari", "expressive": "on"}, chosen)
    assert session(chosen, drawer).settings.pins == Pins(stt=Pin("whisper"), tts=Pin("hibari"))


@pytest.mark.parametrize(
    ("form", "state", "pin"),
    [
        ({"expressive": "on"}, Experiment.ASKED, Pin()),
        ({}, Experiment.OFF, Pin("elevenlabs")),
        ({"expressive": "on", "tts.region": "eu"}, Experiment.ASKED, Pin(region="eu")),
        ({"tts.region": "eu"}, Experiment.OFF, Pin("elevenlabs", "eu")),
        ({"tts": "hibari", "expressive": "on"}, Experiment.OFF, Pin("hibari")),
    ],
)
def test_the_experiment_is_asked_for_or_pinned_around(form: dict[str, str], state: Experiment, pin: Pin) -> None:
    chosen = choices(**EVERYTHING)
    drawer = drawn(form, chosen)
    assert drawer.experiment is state
    assert session(chosen, drawer).settings.pins.tts == pin


@pytest.mark.parametrize("sections", [{}, {"elevenlabs": ELEVENLABS}])
def test_an_experiment_that_is_not_configured_cannot_be_asked_for(sections: dict[str, dict[str, object]]) -> None:
    chosen = choices(**sections)
    drawer = drawn({"expressive": "on"}, chosen)
    assert drawer.experiment is Experiment.NOT_CONFIGURED
    assert session(chosen, drawer).settings.pins == Pins()


def test_who_stands_in_for_the_experiment_is_named() -> None:
    chosen = choices(**EVERYTHING)
    assert drawn({"expressive": "on"}, chosen).speaker == "Flash v2.5"
    assert drawn({"tts": "hibari"}, chosen).speaker == "Hibari"


def test_voices_are_those_of_the_provider_that_is_chosen() -> None:
    chosen = choices(**EVERYTHING)
    anns = drawn({"elevenlabs.voice": "ann", "expressive": "on"}, chosen)
    assert (anns.voice_field, anns.voices) == ("elevenlabs.voice", (OWN_VOICE, "ann"))
    assert session(chosen, anns).settings.voice == "ann"
    local = drawn({"tts": "hibari", "elevenlabs.voice": "ann"}, chosen)
    assert (local.voice_field, local.voices) == ("hibari.voice", ("heart", "joe"))
    assert session(chosen, local).settings.voice is None, "its own: the other's field counts for nothing"
    assert session(chosen, drawn({"tts": "hibari", "hibari.voice": "joe"}, chosen)).voice == "joe"


BAD: list[tuple[dict[str, str], str, str]] = [
    ({"strategy": "overlap-awar"}, "strategy", "did you mean 'overlap-aware'?"),
    ({"overlap-aware.endpointing.confidence": "much"}, "overlap-aware.endpointing.confidence", "must be a number"),
    ({"overlap-aware.endpointing.confidence": "nan"}, "overlap-aware.endpointing.confidence", "must be a number"),
    ({"overlap-aware.endpointing.confidence": ""}, "overlap-aware.endpointing.confidence", "must be a number"),
    ({"overlap-aware.endpointing.confidence": "1.5"}, "overlap-aware.endpointing.confidence", "between 0 and 1"),
    ({"overlap-aware.endpointing.most_ms": "-1"}, "overlap-aware.endpointing.most_ms", "must be between 0"),
    ({"overlap-aware.endpointing.most_ms": "700.5"}, "overlap-aware.endpointing.most_ms", "of type int"),
    ({"overlap-aware.endpointing.most_ms": "9" * 400}, "overlap-aware.endpointing.most_ms", "must be between 0"),
    ({"overlap-aware.endpointing.least_ms": "3500"}, "overlap-aware.endpointing.least_ms", "must not be above"),
    ({"stt": "whispr"}, "stt", "stt: there is no provider 'whispr'; there are groq, whisper"),
    ({"tts.region": "mars"}, "tts.region", "tts: no provider is in region 'mars'; there are eu"),
    ({"stt.region": "eu"}, "stt.region", "stt: no provider is in region 'eu'; there are none"),
    ({"elevenlabs.voice": "bob"}, "elevenlabs.voice", f"there is no voice 'bob' here; there are {OWN_VOICE}, ann"),
]


@pytest.mark.parametrize(("form", "field", "words"), BAD)
def test_what_is_wrong_is_said_beside_its_field(form: dict[str, str], field: str, words: str) -> None:
    drawer = drawn(form, choices(**EVERYTHING))
    assert list(drawer.errors) == [field]
    assert words in drawer.errors[field]
    assert drawer.patch is None
    assert drawer.values[field] == form[field], "what was entered stays to be mended"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    form = {key: value for bad, _, _ in BAD for key, value in bad.items()}
    drawer = drawn({**form, "strategy": "overlap-aware"}, choices(**EVERYTHING))
    number = "overlap-aware.endpointing.confidence"
    assert {"stt", "tts.region", "elevenlabs.voice", number} <= set(drawer.errors)


@pytest.mark.parametrize(
    ("form", "field", "patch"),
    [
        ({"strategy": "x"}, "strategy", {"speakback": {"strategy": "x"}}),
        ({"hibari.voice": "x"}, "hibari.voice", {"audio": {"output": {"voice": "x"}}}),
        (
            {"overlap-aware.endpointing.confidence": "7"},
            "overlap-aware.endpointing.confidence",
            {"speakback": {"strategy": {"overrides": {"endpointing.confidence": 7}}}},
        ),
    ],
)
def test_the_words_are_those_of_session_update(form: Mapping[str, str], field: str, patch: dict[str, object]) -> None:
    chosen = choices()
    codec = RealtimeCodec(ScriptedConversation(), first_view(chosen.offer), session_id="s", correlation_id="c")
    refusal = error_of(codec.receive_text(json.dumps({"type": "session.update", "session": patch}).encode()))
    assert drawn(form, chosen).errors[field] == refusal["message"]


def test_the_words_about_providers_are_those_of_the_chains() -> None:
    chosen = choices(**EVERYTHING)
    stt = SttChain(tuple(Entry(name, ScriptedStt()) for name in ("groq", "whisper")))
    with pytest.raises(UnknownPin) as unknown:
        stt.bound(Pin("deepgram"), lambda _: None)
    assert drawn({"stt": "deepgram"}, chosen).errors["stt"] == str(unknown.value)
    tts = TtsChain(
        tuple(
            Entry(name, ScriptedTts(), region=None if name == "hibari" else "eu", is_local=name == "hibari")
            for name in ("elevenlabs-v3", "elevenlabs", "hibari")
        )
    )
    with pytest.raises(UnknownPin) as elsewhere:
        tts.bound(Pin(region="us"), lambda _: None)
    assert drawn({"expressive": "on", "tts.region": "us"}, chosen).errors["tts.region"] == str(elsewhere.value)
