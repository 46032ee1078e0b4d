"""The witness itself, on trial: faults planted in the core, each of which it must find in some history."""

from collections.abc import Callable

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from speakback.turn import core, listening, overlapping, replying
from speakback.turn.actions import AnnounceTurn, StopReason
from speakback.turn.events import Event
from speakback.turn.records import Deadline, Owed
from speakback.turn.state import State
from speakback.turn.tables import IllegalMove
from tests.turn.test_core_properties import HISTORIES, Histories

SEARCH = settings(HISTORIES, max_examples=150, phases=[Phase.generate], report_multiple_bugs=False)

Plant = Callable[[pytest.MonkeyPatch], None]


def nothing(*_: object) -> None:
    """Instead of what should be done."""


def resume_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(overlapping, "let_agent_go_on", nothing)


def stale_id_accepted(patch: pytest.MonkeyPatch) -> None:
    def is_stale(state: State, event: Event) -> bool:
        return False

    patch.setattr(core, "is_stale", is_stale)


def deadline_not_disarmed(patch: pytest.MonkeyPatch) -> None:
    disarm = State.disarm

    def forgetful(state: State, kind: Deadline) -> None:
        if kind is not Deadline.REPLY_LIFE:
            disarm(state, kind)

    patch.setattr(State, "disarm", forgetful)


def unanswered_turn_lost(patch: pytest.MonkeyPatch) -> None:
    def stop_reply(state: State, reason: StopReason) -> list[Owed]:
        replying.stop_reply(state, reason)
        return []

    patch.setattr(listening, "stop_reply", stop_reply)


def draft_left_behind(patch: pytest.MonkeyPatch) -> None:
    for module in (core, listening, replying):
        patch.setattr(module, "discard_draft", nothing)


def told_while_the_agent_speaks(patch: pytest.MonkeyPatch) -> None:
    def announce(state: State) -> None:
        if state.turn is not None and not state.turn.is_announced:
            state.turn.is_announced = True
            state.do(AnnounceTurn(state.turn.turn_id))

    patch.setattr(listening, "announce", announce)


def silence_after_a_false_interruption(patch: pytest.MonkeyPatch) -> None:
    give_way = overlapping.give_way

    def forgetful(state: State, *args: object) -> None:
        give_way(state, *args)  # type: ignore[arg-type]
        state.open_turn().interrupted = None

    patch.setattr(overlapping, "give_way", forgetful)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "plant",
    [
        resume_forgotten,
        stale_id_accepted,
        deadline_not_disarmed,
        unanswered_turn_lost,
        draft_left_behind,
        told_while_the_agent_speaks,
        silence_after_a_false_interruption,
    ],
)
def test_a_planted_bug_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises((AssertionError, KeyError, IllegalMove)):
        run_state_machine_as_test(Histories, settings=SEARCH)
