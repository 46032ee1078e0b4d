import json

import numpy as np
import pytest

from benchmarks.pauses import MEETING, READ, Clip, Pause, Voiced
from benchmarks.playing import SAME_PAUSE_MS, Played, Recording, TurnEnd, session_update
from benchmarks.process import NotToldHere
from benchmarks.turn_live import matched, measure, strategy_figures
from speakback.config import Settings
from speakback.config.voices import Voices
from speakback.gateway.realtime.session_view import Offer, first_view, patched
from speakback.gateway.realtime.wire_models import SessionPatch
from speakback.session.settings import SessionSettings
from speakback.timebase import EAR_HZ, ms_to_samples
from speakback.turn.strategies import STRATEGIES


def pause(end_ms: int, *, over: bool | None = False, lasts_ms: int | None = 500) -> Pause:
    return Pause(Voiced(0, ms_to_samples(end_ms, EAR_HZ)), over, lasts_ms)


def played(*ends: TurnEnd, pauses: tuple[Pause, ...], source: str = READ) -> Played:
    return Played("s", Recording(Clip("clip", source, np.zeros(0, np.float32)), pauses), ends, 0.0)


def figure(some: Played, what: str) -> float | None:
    (value,) = (found.value for found in strategy_figures("s", [some]) if found.what == f"s: {what}")
    return value


def test_a_turn_end_belongs_to_the_nearest_pause() -> None:
    end = TurnEnd(1060, 1700.0)
    assert matched([pause(980), pause(1100), pause(3000)], [end]) == [None, end, None]


@pytest.mark.parametrize("away_ms", [-SAME_PAUSE_MS - 1, SAME_PAUSE_MS + 1])
def test_a_turn_end_that_is_at_no_pause_belongs_to_none(away_ms: int) -> None:
    assert matched([pause(1000)], [TurnEnd(1000 + away_ms, 2000.0)]) == [None]


def test_a_pause_has_one_end_the_first() -> None:
    first, second = TurnEnd(1000, 1300.0), TurnEnd(1010, 1900.0)
    assert matched([pause(1000)], [first, second]) == [first]


def test_without_pauses_nothing_matches() -> None:
    assert matched([], [TurnEnd(1000, 1300.0)]) == []


def test_ends_within_a_turn_are_cut_ins() -> None:
    some = played(TurnEnd(1000, 1700.0), pauses=(pause(1000), pause(2000)), source=MEETING)
    assert figure(some, "cut-ins, all pauses (n = 2)") == 50
    assert figure(some, "cut-ins, meeting pauses (n = 2)") == 50
    assert figure(some, "cut-ins, read pauses (n = 0)") is None


def test_pauses_without_an_end_of_their_own_or_a_reference_do_not_count() -> None:
    ends = (TurnEnd(1000, 1700.0), TurnEnd(2000, 2700.0))
    some = played(*ends, pauses=(pause(1000, over=None), pause(2000, lasts_ms=None)))
    assert figure(some, "cut-ins, all pauses (n = 0)") is None
    assert figure(some, "missed ends (of 0)") == 0
    assert figure(some, "ends at no known pause") == 0


def test_a_delay_is_from_the_end_of_voice_to_the_news() -> None:
    pauses = (pause(1000, over=True), pause(3000, over=True), pause(5000, over=True, lasts_ms=None))
    some = played(TurnEnd(990, 1400.0), TurnEnd(5000, 5800.0), pauses=pauses)
    assert figure(some, "delay at ends (n = 2), p50") == pytest.approx(600)
    assert figure(some, "delay at ends (n = 2), p90") == pytest.approx(760)
    assert figure(some, "missed ends (of 3)") == 1


def test_other_ends_are_counted_by_themselves() -> None:
    ends = (TurnEnd(1000, 1400.0), TurnEnd(4000, 4400.0))
    assert figure(played(*ends, pauses=(pause(1000),)), "ends at no known pause") == 1


@pytest.mark.parametrize(("over", "end_ms"), [(True, 2000), (False, None), (None, None)])
def test_only_a_turns_end_is_waited_for_after_a_clip(over: bool | None, end_ms: int | None) -> None:
    some = played(pauses=(pause(1000), pause(2000, over=over, lasts_ms=None)))
    assert some.recording.last_end_ms == end_ms


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_the_session_keeps_the_strategys_endpointing_and_does_not_reply(name: str) -> None:
    patch = SessionPatch.model_validate(json.loads(session_update(name))["session"])
    defaults = SessionSettings("", STRATEGIES[Settings().turn.strategy])
    offer = Offer("m", (Voices("p", ("v",)),), 1.0, None, Settings().turn.strategy, defaults)
    turn = patched(first_view(offer), patch).settings.turn
    assert turn.endpointing == STRATEGIES[name].endpointing
    assert turn.auto_reply is False


async def test_without_recordings_nothing_is_told() -> None:
    with pytest.raises(NotToldHere):
        await measure(None)
