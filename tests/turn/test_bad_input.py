"""Events that cannot be, in every opening of a conversation: an explicit fault or silence, and never another state."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from speakback.timebase import ReplyId, TurnId
from speakback.turn.actions import Action, CommitReason, CommitTurn, FaultCode, ReportFault
from speakback.turn.barge_in import OverlapEvidence, Verdict
from speakback.turn.events import (
    DraftSettled,
    EchoJudged,
    EndOfTurnScored,
    EndOfTurnUnscored,
    Event,
    NoScore,
    OverlapHeard,
    PauseTranscribed,
    ReplyAudible,
    ReplyFailed,
    ReplyFinished,
    ReplyProgressed,
    SpeechStarted,
    SpeechStopped,
    TranscriptionFailed,
    TurnTranscribed,
)
from speakback.turn.tables import Agent, User
from speakback.turn.words import HeardWords
from tests.turn.conversation import GRADED, Conversation, PlainOverlap, faults, reply, turn

NOW_MS = 5400


def held() -> Conversation:
    talk = Conversation.speaking(GRADED)
    talk.at(5000, SpeechStarted(5000))
    talk.wait_until(5350)
    assert talk.is_now(User.SPEAKING, Agent.PAUSED)
    return talk


def pausing() -> Conversation:
    talk = Conversation(GRADED)
    talk.at(5000, SpeechStarted(5000))
    talk.at(5300, SpeechStopped(5300))
    return talk


OPENINGS: list[Callable[[], Conversation]] = [Conversation, pausing, Conversation.thinking, Conversation.speaking, held]


def about_turn(number: int) -> list[Event]:
    turn_id = TurnId(number)
    return [
        EndOfTurnScored(turn_id, 1, 0.5),
        EndOfTurnUnscored(turn_id, 1, NoScore.LATE),
        PauseTranscribed(turn_id, 1, True),
        OverlapHeard(turn_id, HeardWords.CONTENT),
        EchoJudged(turn_id, 0.5),
        TurnTranscribed(turn_id, True),
        TranscriptionFailed(turn_id),
    ]


def about_reply(number: int) -> list[Event]:
    reply_id = ReplyId(number)
    kinds = (ReplyAudible, ReplyProgressed, ReplyFinished, ReplyFailed)
    return [*(kind(reply_id) for kind in kinds), DraftSettled(reply_id, True, 1, 1)]


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize(
    "event", [event for number in (-1, 0, 9) for event in about_turn(number) + about_reply(number)]
)
def test_what_was_never_begun_is_named_and_changes_nothing(opening: Callable[[], Conversation], event: Event) -> None:
    talk = opening()
    before = (talk.core.user, talk.core.agent, talk.core.next_deadline())
    [fault] = talk.at(NOW_MS, event)
    assert isinstance(fault, ReportFault)
    assert fault.code is FaultCode.UNKNOWN_ID
    assert type(event).__name__ in fault.message
    assert (talk.core.user, talk.core.agent, talk.core.next_deadline()) == before


@pytest.mark.parametrize(
    ("opening", "event"),
    [
        (held, SpeechStarted(NOW_MS)),
        (held, ReplyAudible(reply(1))),
        (pausing, SpeechStopped(NOW_MS)),
        (Conversation.speaking, ReplyAudible(reply(1))),
    ],
)
def test_what_cannot_follow_is_refused_and_changes_nothing(opening: Callable[[], Conversation], event: Event) -> None:
    talk = opening()
    before = (talk.core.user, talk.core.agent, talk.core.next_deadline())
    assert faults(talk.at(NOW_MS, event)) == [FaultCode.OUT_OF_ORDER]
    assert (talk.core.user, talk.core.agent, talk.core.next_deadline()) == before


@pytest.mark.parametrize(
    ("opening", "event"),
    [
        (Conversation, SpeechStopped(NOW_MS)),
        (Conversation.speaking, SpeechStopped(NOW_MS)),
        (Conversation.speaking, EndOfTurnScored(turn(1), 1, 0.9)),
        (Conversation.speaking, PauseTranscribed(turn(1), 1, True)),
        (Conversation.speaking, TurnTranscribed(turn(1), True)),
        (Conversation.speaking, OverlapHeard(turn(1), HeardWords.CONTENT)),
        (Conversation.speaking, EchoJudged(turn(1), 0.5)),
        (pausing, OverlapHeard(turn(1), HeardWords.CONTENT)),
        (pausing, EndOfTurnScored(turn(1), 0, 0.9)),
        (pausing, EndOfTurnScored(turn(1), 2, 0.9)),
        (pausing, EndOfTurnUnscored(turn(1), 2, NoScore.LATE)),
        (pausing, EndOfTurnUnscored(turn(1), 1, NoScore.LATE)),
        (pausing, PauseTranscribed(turn(1), 2, True)),
        (held, EndOfTurnScored(turn(2), 0, 0.9)),
        (held, OverlapHeard(turn(1), HeardWords.CONTENT)),
        (Conversation.thinking, DraftSettled(reply(1), True, 1, 1)),
    ],
)
def test_what_is_late_is_dropped_without_a_word(opening: Callable[[], Conversation], event: Event) -> None:
    talk = opening()
    before = (talk.core.user, talk.core.agent, talk.core.next_deadline())
    assert talk.at(NOW_MS, event) == []
    assert (talk.core.user, talk.core.agent, talk.core.next_deadline()) == before


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_clock_that_goes_back_is_named_and_stands_still(opening: Callable[[], Conversation]) -> None:
    talk = opening()
    talk.core.tick(NOW_MS)
    for actions in (talk.at(NOW_MS - 300, SpeechStopped(0)), talk.core.tick(0), talk.core.configure(GRADED, 7)):
        assert isinstance(actions[0], ReportFault)
        assert actions[0].code is FaultCode.CLOCK_WENT_BACK
    due_ms = talk.core.next_deadline()
    assert due_ms is None or due_ms > NOW_MS


def test_an_end_that_is_missing_does_not_leave_the_turn_open() -> None:
    """The VAD died: `SpeechStopped` never comes."""
    talk = Conversation(replace(GRADED, max_turn_ms=8000))
    talk.at(1000, SpeechStarted(1000))
    actions = talk.wait_until(9000)
    assert [action for action in actions if isinstance(action, CommitTurn)] == [
        CommitTurn(turn(1), 9000, CommitReason.TOO_LONG)
    ]


def test_an_audible_that_is_missing_does_not_keep_the_reply_from_ending() -> None:
    talk = Conversation.thinking(GRADED)
    assert talk.at(4000, ReplyFinished(reply(1))) == []
    assert talk.is_now(User.SILENT, Agent.IDLE)


def test_a_policy_that_fails_while_the_agent_is_held_does_not_leave_it_so() -> None:
    class FailsLater(PlainOverlap):
        def verdict(self, evidence: OverlapEvidence) -> Verdict:
            if evidence.since_onset_ms > 380:
                raise RuntimeError("out of order")
            return super().verdict(evidence)

    talk = Conversation.speaking(replace(GRADED, overlap=FailsLater()))
    talk.at(5000, SpeechStarted(5000))
    talk.wait_until(5350)
    assert talk.is_now(User.SPEAKING, Agent.PAUSED)
    actions: list[Action] = talk.at(5400, EchoJudged(turn(2), 0.1))
    assert faults(actions) == [FaultCode.POLICY_FAILED]
    talk.wait_until(5900)
    assert talk.is_now(User.SPEAKING, Agent.IDLE)
