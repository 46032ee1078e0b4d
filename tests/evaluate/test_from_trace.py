"""The timeline of a trace, against what was said by hand, and against what the world knows of a simulated call."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from speakback.evaluate.baseline import Quantity
from speakback.evaluate.from_trace import timeline_of, turns_not_heard
from speakback.evaluate.joint_state import GRID_MS, on_grid, spoken
from speakback.evaluate.measures import measure
from speakback.evaluate.timeline import Ipu, Timeline, TimelineError
from speakback.lab.latencies import HOSTED
from speakback.lab.personas import EVERYDAY
from speakback.lab.records import CallRecord
from speakback.lab.world import World
from speakback.timebase import ReplyId, TurnId
from speakback.turn import actions as act
from speakback.turn import events as ev
from speakback.turn.actions import Action, CommitReason, DropReason, StopReason
from speakback.turn.config import TurnConfig
from speakback.turn.strategies import strategy
from speakback.turn.trace_format import Step, read_trace
from tests.evaluate.build import B, ipu
from tests.turn.recorder import conversation

CALL_MS = 300_000
LATE_MS = 115
"""An onset is dated late by up to 87 ms and an end by up to 106 ms (`lab/evidence.py`), and rounding."""
IN_FLIGHT_MS = 60
"""What the agent still sounds after it was told to stop (`lab/playing.py`)."""


def step(now_ms: int, event: ev.Event | TurnConfig | None = None, *actions: Action) -> Step:
    return Step(now_ms, event, actions, None)


def turn(turn_id: int, onset_ms: int, end_ms: int) -> list[Step]:
    """The user speaks."""
    number = TurnId(turn_id)
    return [
        step(onset_ms + 96, ev.SpeechStarted(onset_ms), act.OpenTurn(number, onset_ms)),
        step(end_ms + 128, ev.SpeechStopped(end_ms), act.ExaminePause(number, 1, end_ms)),
    ]


REPLY = ReplyId(1)
BEGUN = step(10, None, act.StartReply(REPLY, TurnId(1)))
AUDIBLE = step(2000, ev.ReplyAudible(REPLY))


# ---- the user -------------------------------------------------------------------------------------


def test_a_recorded_conversation_is_as_it_was() -> None:
    timeline = timeline_of(read_trace(conversation().lines, "trace").steps)
    assert timeline.user == (ipu(900, 1800), ipu(3900, 4200, B), ipu(5900, 7100))
    assert timeline.agent[0].start_ms == 2700
    assert timeline.agent[-1] == ipu(8400, 9000)
    assert all(held.start_ms > 4200 or held.end_ms < 6600 for held in timeline.agent[:-1])
    assert not timeline.agent_pauses_known


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (DropReason.BACKCHANNEL, (ipu(1000, 1400, B),)),
        (DropReason.CLEARED, (ipu(1000, 1400),)),
        (DropReason.NOISE, ()),
        (DropReason.ECHO, ()),
        (DropReason.NO_WORDS, ()),
    ],
)
def test_what_a_turn_was_dropped_for_is_what_it_was(reason: DropReason, expected: tuple[Ipu, ...]) -> None:
    steps = [*turn(1, 1000, 1400), step(3000, None, act.DropTurn(TurnId(1), reason))]
    assert timeline_of(steps).user == expected


def test_a_turn_that_goes_on_after_a_pause() -> None:
    resumed = [
        step(2496, ev.SpeechStarted(2400), act.ContinueTurn(TurnId(1))),
        step(3128, ev.SpeechStopped(3000), act.ExaminePause(TurnId(1), 2, 3000)),
    ]
    assert timeline_of([*turn(1, 1000, 2000), *resumed]).user == (ipu(1000, 2000), ipu(2400, 3000))


def test_speech_at_either_end_of_the_record_is_cut_there() -> None:
    early = step(50, ev.SpeechStarted(-46), act.OpenTurn(TurnId(1), -46))
    assert timeline_of([early, step(5000)]).user == (ipu(0, 5000),)


def test_a_turn_that_is_ended_or_thrown_away_while_the_user_speaks() -> None:
    opened = step(1096, ev.SpeechStarted(1000), act.OpenTurn(TurnId(1), 1000))
    too_long = step(4000, None, act.CommitTurn(TurnId(1), 4000, CommitReason.TOO_LONG))
    cleared = step(4000, ev.InputCleared(), act.DropTurn(TurnId(1), DropReason.CLEARED))
    for ended in (too_long, cleared):
        assert timeline_of([opened, ended, step(9000)]).user == (ipu(1000, 4000),)


def test_an_edge_that_the_core_refused_is_none() -> None:
    refused = act.ReportFault(act.FaultCode.OUT_OF_ORDER, "the user is silent already")
    assert (
        timeline_of([step(1000, ev.SpeechStopped(900), refused), step(2000, ev.SpeechStarted(1900), refused)]).user
        == ()
    )


def test_turns_that_no_vad_heard_are_counted() -> None:
    committed = step(5000, ev.InputCommitted(True), act.CommitTurn(TurnId(2), 5000, CommitReason.CLIENT))
    heard = step(2500, None, act.CommitTurn(TurnId(1), 2000, CommitReason.ENDPOINT))
    assert turns_not_heard([*turn(1, 1000, 2000), heard, committed]) == 1


# ---- the agent ------------------------------------------------------------------------------------


def test_a_held_reply_is_silent() -> None:
    steps = [
        BEGUN,
        AUDIBLE,
        step(3000, None, act.HoldReply(REPLY)),
        step(3500, None, act.ResumeReply(REPLY)),
        step(4000, None, act.HoldReply(REPLY)),
        step(4100, None, act.ResumeReply(REPLY)),
        step(5000, ev.ReplyFinished(REPLY)),
    ]
    assert timeline_of(steps).agent == (ipu(2000, 3000), ipu(3500, 5000))


def test_a_reply_that_is_stopped_while_it_is_held_sounds_no_more() -> None:
    held = step(3000, None, act.HoldReply(REPLY))
    stopped = step(3600, None, act.StopReply(REPLY, StopReason.USER_SPOKE, 20))
    assert timeline_of([BEGUN, AUDIBLE, held, stopped, step(9000)]).agent == (ipu(2000, 3000),)
    assert timeline_of([BEGUN, AUDIBLE, stopped, step(9000)]).agent == (ipu(2000, 3600),)


def test_a_reply_without_sound_is_silent_and_a_late_event_is_passed_over() -> None:
    assert timeline_of([BEGUN, step(3000, ev.ReplyFinished(REPLY))]).agent == ()
    late = [
        AUDIBLE,
        step(2500, None, act.StopReply(REPLY, StopReason.USER_SPOKE, 20), act.StartReply(ReplyId(2), None)),
    ]
    late += [step(2600, ev.ReplyAudible(REPLY)), step(3000, ev.ReplyAudible(ReplyId(2)))]
    late += [step(3200, ev.ReplyFinished(REPLY)), step(4000)]
    assert timeline_of([BEGUN, *late]).agent == (ipu(2000, 2500), ipu(3000, 4000))


def test_a_reply_that_still_sounds_at_the_end_is_cut_there() -> None:
    assert timeline_of([BEGUN, AUDIBLE, step(4000)]).agent == (ipu(2000, 4000),)


def test_a_session_in_which_nothing_happened_is_refused() -> None:
    with pytest.raises(TimelineError, match="nothing happened"):
        timeline_of([])


# ---- against the world ----------------------------------------------------------------------------


@cache
def simulated(name: str) -> tuple[tuple[CallRecord, Timeline], ...]:
    """Calls as the world knows them and as their traces tell of them."""
    return tuple(traced(name, f"traced/{index}") for index in range(6))


def traced(name: str, seed: str) -> tuple[CallRecord, Timeline]:
    steps: list[Step] = []

    def note(now_ms: int, event: ev.Event | None, actions: Sequence[Action]) -> None:
        steps.append(Step(now_ms, event, tuple(actions), None))

    record = World(strategy(name), EVERYDAY, HOSTED, auc=0.88, seed=seed, watcher=note).run(CALL_MS)
    return record, timeline_of(steps)


def differing_ms(one: Sequence[Ipu], other: Sequence[Ipu]) -> int:
    """For how long only one of the two speaks."""
    frames = on_grid(CALL_MS) + 1
    return int(np.sum((spoken(list(one), frames) > 0) != (spoken(list(other), frames) > 0))) * GRID_MS


def until(ipus: Sequence[Ipu], end_ms: int) -> list[Ipu]:
    """The world goes on to the end of the call, a trace to its last step."""
    return [replace(said, end_ms=min(said.end_ms, end_ms)) for said in ipus if said.start_ms < end_ms]


@pytest.mark.parametrize("name", ["overlap-aware", "half-duplex", "rapid-duplex"])
def test_the_user_of_a_traced_call_is_the_one_of_the_world(name: str) -> None:
    near = known = found = differing = spoken_ms = 0
    for record, timeline in simulated(name):
        truth = until(record.timeline.user, timeline.duration_ms)
        known, found = known + len(truth), found + len(timeline.user)
        spoken_ms += sum(said.duration_ms for said in truth)
        differing += differing_ms(truth, timeline.user)
        near += sum(
            any(0 <= seen.start_ms - said.start_ms <= LATE_MS for said in truth)
            and any(0 <= seen.end_ms - said.end_ms <= LATE_MS for said in truth)
            for seen in timeline.user
        )
    assert near > 0.97 * found
    assert found == pytest.approx(known, rel=0.12), "the VAD misses some, and joins some"
    assert differing < 0.1 * spoken_ms


@pytest.mark.parametrize("name", ["overlap-aware", "half-duplex", "rapid-duplex"])
def test_the_agent_of_a_traced_call_is_the_one_of_the_world(name: str) -> None:
    stretches = ended_with = 0
    for record, timeline in simulated(name):
        truth = until(record.timeline.agent, timeline.duration_ms)
        for said in truth:
            assert any(
                seen.start_ms <= said.start_ms and said.end_ms <= seen.end_ms + IN_FLIGHT_MS for seen in timeline.agent
            )
        stretches += len(timeline.agent)
        ended_with += sum(
            any(abs(seen.end_ms - said.end_ms) <= IN_FLIGHT_MS for said in truth) for seen in timeline.agent
        )
        assert all(any(abs(seen.start_ms - said.start_ms) <= IN_FLIGHT_MS for said in truth) for seen in timeline.agent)
    assert ended_with > 0.85 * stretches, "the others were stopped in a pause of the agent's own"


@pytest.mark.parametrize("name", ["overlap-aware", "half-duplex"])
def test_the_response_times_are_those_of_the_world_less_the_lateness_of_the_vad(name: str) -> None:
    truth = measure([record.timeline for record, _ in simulated(name)]).samples[Quantity.FTO_TURN]
    seen = measure([timeline for _, timeline in simulated(name)]).samples[Quantity.FTO_TURN]
    late_ms = np.median(truth) - np.median(seen)
    assert -20 <= late_ms <= LATE_MS
    assert seen.size == pytest.approx(truth.size, rel=0.2)
