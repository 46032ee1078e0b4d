"""caller/outages.py: for how long nothing was heard that was due."""

import pytest

from speakback.caller.loudspeaker import Stretch
from speakback.caller.outages import LostLine, outage_of
from tests.caller.sounds import tone


def stretch(start_ms: int, ms: int) -> Stretch:
    return Stretch("a", start_ms * 24, tone(ms))


def lost(*, was_speaking: bool = True, owes_reply: bool = True) -> LostLine:
    """From 1000 to 1300 ms."""
    return LostLine(1000.0, 1300.0, 1012, 2, was_speaking, owes_reply)


@pytest.mark.parametrize(
    ("stretches", "unheard_ms"),
    [
        ([stretch(900, 180), stretch(1400, 100)], 320.0),  # the loudspeaker still had 80 ms
        ([stretch(800, 100), stretch(1400, 100)], 400.0),  # it had run dry before
        ([stretch(800, 500), stretch(1310, 100)], 10.0),
        ([stretch(900, 500), stretch(1400, 100)], 0.0),  # it had enough
        ([stretch(900, 180)], None),  # the agent never went on
    ],
)
def test_between_the_last_sound_before_and_the_first_behind(stretches: list[Stretch], unheard_ms: float | None) -> None:
    assert outage_of(lost(), stretches).unheard_ms == unheard_ms


def test_an_answer_in_the_making_is_late_by_no_more_than_the_outage() -> None:
    assert outage_of(lost(was_speaking=False), [stretch(2000, 100)]).unheard_ms == 300.0


def test_where_nothing_was_due_nothing_is_missed() -> None:
    outage = outage_of(lost(owes_reply=False), [stretch(900, 180)])
    assert (outage.unheard_ms, outage.close_code, outage.tries) == (0.0, 1012, 2)
