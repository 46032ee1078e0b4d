"""Frozen dataclasses as plain data: nothing is lost, and nothing that does not fit is taken."""

import json
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import Enum
from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakback.timebase import TurnId
from speakback.turn.actions import Action
from speakback.turn.config import TurnConfig
from speakback.turn.events import EndOfTurnScored, Event, ReplyRequested, SpeechStarted
from speakback.turn.plain_data import TYPE, Plain, PlainDataError, from_plain, to_plain
from speakback.turn.trace_format import RecordedTrace, Step, TraceEnd, TraceHeader

EVENTS: tuple[type, ...] = get_args(Event)
ACTIONS: tuple[type, ...] = get_args(Action)


@pytest.mark.parametrize(
    ("kind", "union"),
    [(kind, Event) for kind in EVENTS] + [(kind, Action) for kind in ACTIONS] + [(TurnConfig, TurnConfig)],
)
@given(data=st.data())
def test_every_event_action_and_configuration_comes_back(kind: type, union: object, data: st.DataObject) -> None:
    value = data.draw(st.from_type(kind))
    text = json.dumps(to_plain(value), allow_nan=False)
    assert repr(from_plain(json.loads(text), union, "it")) == repr(value)  # nan is not equal to itself


@given(st.builds(Step))
def test_every_step_comes_back(step: Step) -> None:
    assert repr(from_plain(json.loads(json.dumps(to_plain(step))), Step, "it")) == repr(step)


def test_no_field_is_called_as_the_key_of_types() -> None:
    kinds = (*EVENTS, *ACTIONS, TurnConfig, Step, TraceHeader, TraceEnd, RecordedTrace)
    assert TYPE not in {field.name for kind in kinds for field in fields(kind)}


SCORED: dict[str, Plain] = {
    "type": "EndOfTurnScored", "turn_id": 1, "pause": 2, "probability": 0.5, "unfinished": "no",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "EndOfTurnGuessed"}, "the event must have one of these types: .*'EndOfTurnGuessed'"),
        ({"type": None}, "the event must have one of these types: .*it has None"),
        ({"turn_id": "1"}, "the event.turn_id must be a whole number, not '1'"),
        ({"turn_id": True}, "the event.turn_id must be a whole number, not True"),
        ({"turn_id": 1.0}, "the event.turn_id must be a whole number, not 1.0"),
        ({"turn_id": None}, "the event.turn_id must be a whole number, not None"),
        ({"probability": "much"}, "the event.probability must be a number, not 'much'"),
        ({"probability": False}, "the event.probability must be a number, not False"),
        ({"unfinished": "maybe"}, "the event.unfinished must be one of 'no', 'hesitation', .*not 'maybe'"),
        ({"unfinished": ["no"]}, "the event.unfinished must be one of"),
        ({"certainty": 1}, "the event, a EndOfTurnScored, has no field 'certainty'"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Plain], message: str) -> None:
    with pytest.raises(PlainDataError, match=message):
        from_plain(SCORED | change, Event, "the event")


def test_a_missing_field_is_not_filled_in() -> None:
    plain = {key: value for key, value in SCORED.items() if key != "unfinished"}
    with pytest.raises(PlainDataError, match="lacks its field 'unfinished'"):
        from_plain(plain, Event, "the event")


def test_a_whole_number_may_stand_for_a_fraction_and_stays_one() -> None:
    event = from_plain(SCORED | {"probability": 1}, Event, "the event")
    assert isinstance(event, EndOfTurnScored)
    assert type(event.probability) is int


@pytest.mark.parametrize(
    ("plain", "kind", "message"),
    [
        ("x", TurnConfig, "it must be a TurnConfig, not 'x'"),
        ({"a": 1}, tuple[int, ...], "it must be a list"),
        ([1, "2"], tuple[int, ...], r"it\[1\] must be a whole number, not '2'"),
        (0, bool, "it must be true or false, not 0"),
        (3, str | None, "it must be a text or null, not 3"),
        ("on", Literal["auto", "none"] | None, "it must be one of 'auto', 'none' or null, not 'on'"),
        ("a?", bytes, "it must be base64$"),
        (3, bytes, "it must be base64, not 3"),
        (3, Decimal, "it must be .*Decimal.*, not 3"),
    ],
)
def test_other_types_are_refused_by_name(plain: object, kind: object, message: str) -> None:
    with pytest.raises(PlainDataError, match=message):
        from_plain(plain, kind, "it")


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Other:
    """A dataclass that is not of this project."""

    colours: tuple[Colour, ...]
    turn: TurnId
    choice: Literal["auto", "none"] | None
    sound: bytes


def test_the_form_needs_nothing_but_annotations() -> None:
    value = Other((Colour.RED,), TurnId(3), "auto", b"\x00\xff")
    assert to_plain(value) == {"type": "Other", "colours": ["red"], "turn": 3, "choice": "auto", "sound": "AP8="}
    assert from_plain(to_plain(value), Other, "it") == value


@pytest.mark.parametrize("value", [Decimal(1), bytearray(b"sound"), [1], {"a": 1}, SpeechStarted])
def test_what_has_no_plain_form_is_refused(value: object) -> None:
    with pytest.raises(PlainDataError, match="cannot be written as plain data"):
        to_plain(value)


def test_any_text_is_kept() -> None:
    event = ReplyRequested('\ud800\n"é\u2028', interruptible=False)
    assert from_plain(json.loads(json.dumps(to_plain(event))), Event, "it") == event
