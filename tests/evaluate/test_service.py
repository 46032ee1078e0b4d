"""What a trace shows of replies, turns and drafts."""

from dataclasses import replace

import pytest

from speakback.evaluate.service import service_of
from speakback.lab.conduct import conduct_of
from speakback.timebase import ReplyId, TurnId
from speakback.turn import actions as act
from speakback.turn import events as ev
from speakback.turn.actions import Action, CommitReason, DropReason, StopReason
from speakback.turn.config import TurnConfig
from speakback.turn.strategies import strategy
from speakback.turn.trace_format import SCHEMA, RecordedTrace, Step, TraceHeader, read_trace
from tests.evaluate.test_from_trace import step
from tests.lab.test_world import held
from tests.turn.recorder import conversation

AUTO = strategy("half-duplex")
FIRST, SECOND = TurnId(1), TurnId(2)
REPLY = ReplyId(1)


def trace(*steps: Step, config: TurnConfig = AUTO) -> RecordedTrace:
    return RecordedTrace(TraceHeader(SCHEMA, "1.2.3", 1, config, ()), steps, None, True)


def committed(turn_id: TurnId = FIRST, now_ms: int = 1000, reason: CommitReason = CommitReason.ENDPOINT) -> Step:
    return step(now_ms, None, act.CommitTurn(turn_id, now_ms, reason))


def turns(*steps: Step, config: TurnConfig = AUTO) -> tuple[int, int]:
    """How many were committed, and missed."""
    service = service_of(trace(*steps, config=config))
    return service.turns_committed, service.turns_missed


BEGUN = step(1100, None, act.StartReply(REPLY, FIRST))
AUDIBLE = step(2000, ev.ReplyAudible(REPLY))
STOPPED = step(1500, None, act.StopReply(REPLY, StopReason.USER_SPOKE, 20))
CANCELLED = step(1500, ev.ReplyCancelled(), act.StopReply(REPLY, StopReason.CLIENT_CANCELLED, 20))
REFUSED = step(1050, ev.ReplyCancelled(), act.ReportFault(act.FaultCode.NO_REPLY_ACTIVE, "there is none"))
ENDED = step(50_000, ev.ReplyFinished(REPLY))
MUCH_LATER = step(60_000)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((committed(), BEGUN, AUDIBLE, MUCH_LATER), (1, 0)),
        ((committed(), BEGUN, step(3000, ev.ReplyFinished(REPLY)), MUCH_LATER), (1, 0)),
        ((committed(), BEGUN, MUCH_LATER), (1, 1)),
        ((committed(), BEGUN, step(5000)), (0, 0)),
        ((committed(), committed(SECOND, 1050), BEGUN, AUDIBLE, MUCH_LATER), (2, 0)),
        ((committed(), BEGUN, committed(SECOND, 1200), AUDIBLE, MUCH_LATER), (1, 0)),
        ((committed(), BEGUN, committed(SECOND, 1200), AUDIBLE, ENDED, MUCH_LATER), (2, 1)),
        ((committed(), BEGUN, committed(SECOND, 1200), AUDIBLE, ENDED, step(54_000)), (1, 0)),
        ((committed(), step(1200, None, act.DropTurn(FIRST, DropReason.NO_WORDS)), MUCH_LATER), (0, 0)),
        ((committed(), BEGUN, STOPPED, MUCH_LATER), (1, 1)),
        ((committed(), BEGUN, CANCELLED, MUCH_LATER), (0, 0)),
        ((committed(), step(1050, ev.ReplyCancelled()), MUCH_LATER), (0, 0)),
        ((committed(), REFUSED, MUCH_LATER), (1, 1)),
        ((committed(), step(1100, None, act.Apologise(REPLY, FIRST)), AUDIBLE, MUCH_LATER), (1, 1)),
        ((committed(), step(1100, None, act.Reprompt(REPLY)), AUDIBLE, ENDED, MUCH_LATER), (1, 1)),
        ((committed(reason=CommitReason.CLIENT), MUCH_LATER), (0, 0)),
        ((step(500, replace(AUTO, auto_reply=False)), committed(), MUCH_LATER), (0, 0)),
    ],
    ids=[
        "heard", "text", "never", "not yet", "two at once", "another since", "it was never answered", "it may be yet",
        "no words", "spoken over", "cancelled", "cancelled before it began", "refused", "apology", "prompt",
        "asked by the client", "no replies by itself",
    ],
)  # fmt: skip
def test_a_turn_is_answered_or_missed_or_neither(steps: tuple[Step, ...], expected: tuple[int, int]) -> None:
    assert turns(*steps) == expected


def test_replies_are_counted_once_they_sound() -> None:
    stop: Action = act.StopReply(REPLY, StopReason.USER_SPOKE, 20)
    service = service_of(trace(committed(), BEGUN, AUDIBLE, step(2500, None, stop), MUCH_LATER))
    assert (service.replies, service.replies_truncated) == (1, 1)
    service = service_of(trace(committed(), BEGUN, STOPPED, AUDIBLE, MUCH_LATER))
    assert (service.replies, service.replies_truncated) == (0, 0)


def test_a_recorded_conversation() -> None:
    service = service_of(read_trace(conversation().lines, "trace"))
    assert (service.replies, service.replies_truncated) == (2, 1)
    assert (service.turns_committed, service.turns_missed) == (2, 0)
    assert (service.drafts_started, service.drafts_promoted) == (1, 1)
    assert (service.useful_tokens, service.useful_chars, service.wasted_tokens) == (12, 40, 0)


def test_a_simulated_call_has_the_replies_and_drafts_that_its_world_knows() -> None:
    config = strategy("overlap-aware")
    for seed in ("one", "two"):
        record, calls = held(config, seed)
        service = service_of(trace(*(Step(now_ms, event, done, None) for now_ms, event, done in calls), config=config))
        conduct = conduct_of(record)
        assert service.replies == conduct.replies > 5
        assert service.replies_truncated == conduct.replies_truncated > 0
        assert service.drafts_promoted == conduct.drafts_promoted > 0
        assert service.wasted_tokens == conduct.wasted_tokens
        assert service.useful_chars == conduct.useful_chars
