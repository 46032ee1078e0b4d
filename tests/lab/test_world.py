"""Whole conversations with the real core."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import pytest

from speakback.evaluate.conduct import pooled
from speakback.evaluate.timeline import Kind, Timeline
from speakback.lab.conduct import conduct_of
from speakback.lab.latencies import HOSTED, LOCAL
from speakback.lab.personas import EVERYDAY, PERSONAS, Persona
from speakback.lab.records import CallRecord
from speakback.lab.world import World
from speakback.timebase import ReplyId, TurnId
from speakback.turn.actions import (
    Action,
    CommitTurn,
    DropTurn,
    EndConversation,
    FaultCode,
    OpenTurn,
    StartDraft,
    StartReply,
    StopReply,
)
from speakback.turn.config import Idle, TurnConfig
from speakback.turn.events import Event, ReplyAudible, SpeechStarted, TurnTranscribed
from speakback.turn.strategies import STRATEGIES, strategy

MINUTES_MS = 60_000
STRATEGY_NAMES = sorted(STRATEGIES)
Step = tuple[int, Event | None, tuple[Action, ...]]


def held(
    config: TurnConfig, seed: str, persona: Persona = EVERYDAY, duration_ms: int = 5 * MINUTES_MS, auc: float = 0.88
) -> tuple[CallRecord, list[Step]]:
    """A conversation, and all that passed between the core and the world."""
    steps: list[Step] = []

    def note(now_ms: int, event: Event | None, actions: Sequence[Action]) -> None:
        steps.append((now_ms, event, tuple(actions)))

    world = World(config, persona, HOSTED, auc=auc, seed=seed, watcher=note)
    return world.run(duration_ms), steps


@cache
def many(name: str) -> tuple[tuple[CallRecord, list[Step]], ...]:
    """Two conversations of each persona."""
    config = strategy(name)
    return tuple(held(config, f"many/{index}", persona) for index, persona in enumerate(PERSONAS * 2))


@pytest.mark.parametrize("name", STRATEGY_NAMES)
def test_the_same_seed_makes_the_same_conversation(name: str) -> None:
    (one, one_steps), (other, other_steps) = held(strategy(name), "again"), held(strategy(name), "again")
    assert one_steps == other_steps
    assert one.timeline == other.timeline
    assert conduct_of(one) == conduct_of(other)


def test_another_seed_makes_another() -> None:
    assert held(strategy("half-duplex"), "one")[0].timeline != held(strategy("half-duplex"), "two")[0].timeline


def test_every_strategy_meets_the_same_callers() -> None:
    first_words = {many(name)[index][0].timeline.user[0].start_ms for name in STRATEGY_NAMES for index in range(3)}
    onsets = [
        tuple(next(step for step in many(name)[index][1] if isinstance(step[1], SpeechStarted)) for index in range(5))
        for name in STRATEGY_NAMES
    ]
    assert len(first_words) == 1
    assert len({tuple((now_ms, event) for now_ms, event, _ in found) for found in onsets}) == 1


@pytest.mark.parametrize("name", STRATEGY_NAMES)
def test_every_committed_turn_is_answered_or_forgotten_in_a_bounded_silence(name: str) -> None:
    """As long as anyone speaks, an answer may wait; in silence it may not."""
    for record, steps in many(name):
        for owed_ms, until_ms in owing(steps, record.timeline.duration_ms):
            assert longest_silence_ms(record.timeline, owed_ms, until_ms) < LONGEST_SILENCE_MS, record.persona


LONGEST_SILENCE_MS = 6000


def owing(steps: Sequence[Step], duration_ms: int) -> Iterator[tuple[int, int]]:
    """From when a turn was committed until its answer was audible or nothing was owed any more."""
    owed: set[TurnId] = set()
    since_ms = 0
    latest_reply: ReplyId | None = None
    for now_ms, event, actions in steps:
        before = bool(owed)
        if isinstance(event, ReplyAudible) and event.reply_id == latest_reply:
            owed.clear()
        for action in actions:
            match action:
                case CommitTurn(turn_id=turn_id):
                    owed.add(turn_id)
                case DropTurn(turn_id=turn_id):
                    owed.discard(turn_id)
                case StartReply(reply_id=reply_id):
                    latest_reply = reply_id
        if before and not owed:
            yield since_ms, now_ms
        if owed and not before:
            since_ms = now_ms
    if owed:
        yield since_ms, duration_ms


def longest_silence_ms(timeline: Timeline, from_ms: int, to_ms: int) -> int:
    """The longest time in this in which nobody spoke."""
    ipus = sorted((*timeline.user, *timeline.agent), key=lambda ipu: ipu.start_ms)
    silences_ms, reached_ms = [0], from_ms
    for ipu in ipus:
        if ipu.start_ms >= to_ms:
            break
        silences_ms.append(ipu.start_ms - reached_ms)
        reached_ms = max(reached_ms, ipu.end_ms)
    return max(*silences_ms, to_ms - reached_ms)


@pytest.mark.parametrize("name", STRATEGY_NAMES)
def test_no_event_of_the_world_is_out_of_order(name: str) -> None:
    faults = {code for record, _ in many(name) for code in record.faults}
    assert faults <= {FaultCode.TURN_TOO_LONG}


@pytest.mark.parametrize("name", STRATEGY_NAMES)
def test_few_turns_go_unanswered(name: str) -> None:
    conduct = pooled([conduct_of(record) for record, _ in many(name)], len(PERSONAS))
    assert conduct.callers == len(PERSONAS)
    assert conduct.turns_missed < 0.03 * conduct.turns_committed


@pytest.mark.parametrize("name", STRATEGY_NAMES)
def test_a_transcript_comes_after_its_turn_and_for_every_turn(name: str) -> None:
    for _, steps in many(name)[:4]:
        committed_ms: dict[TurnId, int] = {}
        read: set[TurnId] = set()
        for now_ms, event, actions in steps:
            if isinstance(event, TurnTranscribed):
                assert now_ms > committed_ms[event.turn_id]
                read.add(event.turn_id)
            committed_ms |= {action.turn_id: now_ms for action in actions if isinstance(action, CommitTurn)}
        assert len(committed_ms) - len(read) <= 1


def test_the_agent_speaks_only_while_a_reply_is_under_way() -> None:
    for record, _ in many("overlap-aware"):
        begun_ms = [reply.audible_ms for reply in record.replies if reply.audible_ms is not None]
        assert begun_ms
        assert record.timeline.agent[0].start_ms == begun_ms[0]


def test_a_strategy_that_never_yields_yields_to_nobody() -> None:
    conduct = pooled([conduct_of(record) for record, _ in many("half-duplex")], 1)
    assert conduct.interruptions > 20
    assert conduct.interruptions_yielded == conduct.backchannels_that_stopped == 0
    assert conduct.replies_truncated == 0


def test_a_strategy_that_always_yields_yields_to_backchannels_too() -> None:
    conduct = pooled([conduct_of(record) for record, _ in many("rapid-duplex")], 1)
    assert conduct.interruptions_yielded > 0.9 * conduct.interruptions
    assert conduct.backchannels_that_stopped > 0.7 * conduct.backchannels_heard


def test_the_silence_of_the_policy_is_what_the_answer_waits_for() -> None:
    def first_answer_ms(wait_ms: int) -> int:
        config = strategy("half-duplex", {"endpointing.wait_ms": wait_ms})
        _, steps = held(config, "waits", replace(EVERYDAY, corrections=0.0), MINUTES_MS)
        return next(now_ms for now_ms, _, actions in steps for action in actions if isinstance(action, CommitTurn))

    assert first_answer_ms(3000) - first_answer_ms(2900) == 100


def test_noise_opens_turns_that_are_forgotten() -> None:
    noisy = Persona("noise", noises_per_min=6.0, unheard=0.0, backchannels=(0, 0), interruptions=(0, 0))
    record, steps = held(strategy("overlap-aware"), "noise", noisy)
    opened = sum(isinstance(action, OpenTurn) for _, _, actions in steps for action in actions)
    assert record.dropped > 5
    assert opened > len([ipu for ipu in record.timeline.user if ipu.is_speech]) / 4


def test_an_echo_is_judged_and_a_side_talk_is_heard() -> None:
    record, steps = held(strategy("overlap-aware"), "echo", Persona("echo", echo=1.0, side_talks_per_min=2.0))
    judged = [event.echo for _, event, _ in steps if isinstance(event, SpeechStarted)]
    assert None not in judged
    assert record.dropped > 0


def test_drafts_make_answers_earlier() -> None:
    with_drafts = strategy("overlap-aware")
    without = strategy("overlap-aware", {"drafts.enabled": False})
    drafted, steps = held(with_drafts, "drafts")
    undrafted, _ = held(without, "drafts")
    assert any(isinstance(action, StartDraft) for _, _, actions in steps for action in actions)
    assert any(draft.promoted for draft in drafted.drafts)
    assert undrafted.drafts == ()
    assert drafted.replies[0].audible_ms is not None
    assert undrafted.replies[0].audible_ms is not None
    assert drafted.replies[0].audible_ms <= undrafted.replies[0].audible_ms


def test_the_users_backchannels_are_marked_as_such() -> None:
    kinds = {ipu.kind for record, _ in many("half-duplex") for ipu in record.timeline.user}
    assert kinds == {Kind.SPEECH, Kind.BACKCHANNEL}
    assert {ipu.kind for record, _ in many("half-duplex") for ipu in record.timeline.agent} == {Kind.SPEECH}


def test_a_conversation_ends_when_the_agent_takes_its_leave() -> None:
    config = replace(strategy("half-duplex"), idle=Idle(wait_ms=1000, reprompts=1))
    record, steps = held(
        config, "goodbye", Persona("silent", backchannels=(0, 0), interruptions=(0, 0)), 30 * MINUTES_MS
    )
    said_goodbye = any(isinstance(action, EndConversation) for _, _, actions in steps for action in actions)
    assert said_goodbye is (record.timeline.duration_ms < 30 * MINUTES_MS)


def test_local_engines_are_of_another_speed() -> None:
    hosted = World(strategy("half-duplex"), EVERYDAY, HOSTED, auc=0.88, seed="speed").run(5 * MINUTES_MS)
    local = World(strategy("half-duplex"), EVERYDAY, LOCAL, auc=0.88, seed="speed").run(5 * MINUTES_MS)
    assert hosted.timeline != local.timeline


def test_a_stopped_reply_is_cut_short() -> None:
    for record, steps in many("rapid-duplex")[:4]:
        stops = {action.reply_id for _, _, actions in steps for action in actions if isinstance(action, StopReply)}
        assert stops == {reply.reply_id for reply in record.replies if reply.stopped_ms is not None}
        assert not any(reply.finished for reply in record.replies if reply.reply_id in stops)
