"""turn/resuming.py: what is left open at a break, and what another core makes of it."""

from dataclasses import replace

import pytest

from speakback.timebase import TurnId
from speakback.turn.actions import (
    Apologise,
    CommitReason,
    CommitTurn,
    DropReason,
    DropTurn,
    FaultCode,
    Reprompt,
    SayGoodbye,
    StartReply,
)
from speakback.turn.config import Idle
from speakback.turn.events import (
    ConversationResumed,
    InputCommitted,
    ReplyAudible,
    ReplyFinished,
    ReplyRequested,
    SpeechStarted,
    SpeechStopped,
    TurnTranscribed,
)
from speakback.turn.left_open import BEFORE_THE_BREAK, AwaitedTurn, Debt, Heard, LeftOpen, renumbered
from speakback.turn.tables import Agent, User
from speakback.turn.words import Repair
from tests.turn.conversation import PLAIN, Conversation, faults, reply, turn

REST = Debt(TurnId(1), repair=Repair.RESUME)
LEAVING = replace(PLAIN, idle=Idle(wait_ms=1000, reprompts=1))
"""Prompts once, and then takes leave."""


def resumed(left_open: LeftOpen) -> Conversation:
    """A fresh core that takes it up."""
    talk = Conversation()
    talk.at(0, ConversationResumed(left_open))
    return talk


# ---- what is left open ------------------------------------------------------------------------


def test_a_conversation_at_rest_leaves_nothing_open() -> None:
    talk = Conversation()
    assert talk.core.left_open(Heard.NOTHING) == LeftOpen()
    assert not LeftOpen().owes_reply


def test_a_turn_that_waits_for_its_transcript_is_kept() -> None:
    talk = Conversation()
    talk.at(1000, SpeechStarted(1000))
    talk.at(1400, SpeechStopped(1400))
    talk.wait_until(2000)
    left_open = talk.core.left_open(Heard.NOTHING)
    assert left_open == LeftOpen(awaited=(AwaitedTurn(turn(1), is_owed=True, interrupted=False),))
    assert left_open.owes_reply


def test_a_turn_that_the_client_committed_is_kept_and_owed_nothing() -> None:
    talk = Conversation()
    talk.at(1000, InputCommitted(True))
    assert not talk.core.left_open(Heard.NOTHING).owes_reply


def test_a_reply_that_nobody_heard_is_owed_as_a_whole() -> None:
    talk = Conversation.thinking()
    assert talk.core.left_open(Heard.NOTHING).debt == Debt(turn(1))


def test_of_a_reply_that_was_heard_in_part_the_rest_is_owed() -> None:
    talk = Conversation.speaking()
    left_open = talk.core.left_open(Heard.SOME)
    assert left_open.debt == Debt(TurnId(0), repair=Repair.RESUME)
    assert left_open.agent_has_spoken


def test_of_a_reply_that_was_heard_to_its_end_nothing_is_owed() -> None:
    assert not Conversation.speaking().core.left_open(Heard.ALL).owes_reply


def test_what_the_client_asked_for_is_owed_as_its_request() -> None:
    talk = Conversation()
    talk.at(1000, ReplyRequested(interruptible=False))
    assert talk.core.left_open(Heard.NOTHING).debt == Debt(None, interruptible=False)


def test_an_interruption_that_is_being_read_is_kept_as_one() -> None:
    talk = Conversation.speaking()
    talk.at(5000, SpeechStarted(5000))
    talk.at(5400, SpeechStopped(5400))
    talk.wait_until(6000)
    assert talk.core.left_open(Heard.NOTHING).awaited == (AwaitedTurn(turn(2), is_owed=True, interrupted=True),)


def test_a_repair_that_nobody_heard_is_owed_with_what_it_repairs() -> None:
    talk = Conversation.speaking()
    talk.at(5000, SpeechStarted(5000))
    talk.at(5400, SpeechStopped(5400))
    talk.wait_until(6000)
    talk.at(6100, TurnTranscribed(turn(2), True, Repair.REPHRASE))
    assert talk.core.left_open(Heard.NOTHING).debt == Debt(turn(2), repair=Repair.REPHRASE)


def test_a_tool_that_runs_is_waited_for_on() -> None:
    talk = Conversation.speaking()
    talk.at(5000, ReplyFinished(reply(1), called_tool=True))
    left_open = talk.core.left_open(Heard.NOTHING)
    assert left_open == LeftOpen(agent_has_spoken=True, waits_for_tool=True)
    after = resumed(left_open)
    after.wait_until(PLAIN.tool_timeout_ms)
    assert after.core.agent is Agent.THINKING, "the agent apologises for the tool"


def test_a_goodbye_that_broke_off_is_not_said_to_its_end() -> None:
    talk = Conversation(LEAVING)
    talk.at(0, ReplyRequested())
    talk.at(100, ReplyAudible(reply(1)))
    talk.at(200, ReplyFinished(reply(1)))
    talk.wait_until(1200)
    talk.at(1300, ReplyAudible(reply(2)))
    assert talk.core.left_open(Heard.SOME).owes_reply, "a prompt is"
    talk.at(1400, ReplyFinished(reply(2)))
    assert talk.wait_until(2400) == [SayGoodbye(reply(3))]
    talk.at(2500, ReplyAudible(reply(3)))
    assert not talk.core.left_open(Heard.SOME).owes_reply


# ---- taking it up -----------------------------------------------------------------------------


def test_the_rest_is_said_at_once() -> None:
    talk = Conversation()
    actions = talk.at(0, ConversationResumed(LeftOpen(REST)))
    assert actions == [StartReply(reply(1), turn(1), Repair.RESUME, BEFORE_THE_BREAK)]


def test_an_apology_is_owed_on() -> None:
    talk = Conversation()
    assert talk.at(0, ConversationResumed(LeftOpen(Debt(turn(1), failed=True)))) == [Apologise(reply(1), turn(1))]


def test_an_answer_waits_for_the_transcript() -> None:
    talk = resumed(LeftOpen(awaited=(AwaitedTurn(turn(1), is_owed=True, interrupted=False),)))
    assert talk.at(500, TurnTranscribed(turn(1), True)) == [StartReply(reply(1), turn(1))]


def test_a_turn_without_words_lets_the_reply_that_it_stopped_go_on() -> None:
    talk = resumed(LeftOpen(awaited=(AwaitedTurn(turn(1), is_owed=True, interrupted=True),)))
    actions = talk.at(500, TurnTranscribed(turn(1), has_words=False))
    assert actions == [
        DropTurn(turn(1), DropReason.NO_WORDS),
        StartReply(reply(1), turn(1), Repair.RESUME, BEFORE_THE_BREAK),
    ]


def test_who_was_speaking_is_not_spoken_over() -> None:
    talk = Conversation()
    talk.at(0, SpeechStarted(0))
    assert talk.at(100, ConversationResumed(LeftOpen(Debt(turn(2), repair=Repair.RESUME)))) == []
    assert talk.is_now(User.SPEAKING, Agent.IDLE)
    talk.at(500, SpeechStopped(500))
    assert CommitTurn(turn(1), 500, CommitReason.ENDPOINT) in talk.wait_until(1000)
    assert talk.at(1100, TurnTranscribed(turn(1), True)) == [StartReply(reply(1), turn(1))], (
        "the user changed the matter"
    )


@pytest.mark.parametrize("has_words", [True, False])
def test_a_listeners_word_lets_the_rest_come(has_words: bool) -> None:
    talk = Conversation()
    talk.at(0, SpeechStarted(0))
    talk.at(100, ConversationResumed(LeftOpen(Debt(turn(2), repair=Repair.RESUME))))
    talk.at(500, SpeechStopped(500))
    talk.wait_until(1000)
    actions = talk.at(1100, TurnTranscribed(turn(1), has_words, Repair.RESUME))
    assert actions[-1] == StartReply(reply(1), turn(1), Repair.RESUME, BEFORE_THE_BREAK)


def test_a_sound_without_words_that_came_before_lets_the_rest_come() -> None:
    talk = Conversation()
    talk.at(0, SpeechStarted(0))
    talk.at(300, SpeechStopped(300))
    talk.wait_until(800)
    talk.at(900, ConversationResumed(LeftOpen(Debt(turn(2), repair=Repair.RESUME))))
    actions = talk.at(1000, TurnTranscribed(turn(1), has_words=False))
    assert actions[-1] == StartReply(reply(1), turn(1), Repair.RESUME, BEFORE_THE_BREAK)


def test_an_interruption_keeps_what_it_stopped_itself() -> None:
    talk = Conversation.speaking()
    talk.at(5000, SpeechStarted(5000))
    talk.at(5400, SpeechStopped(5400))
    talk.wait_until(6000)
    talk.at(6100, ConversationResumed(LeftOpen(Debt(turn(3), repair=Repair.RESUME))))
    actions = talk.at(6200, TurnTranscribed(turn(2), True, Repair.RESUME))
    assert actions == [StartReply(reply(2), turn(2), Repair.RESUME, reply(1))]


def test_a_turn_that_is_owed_nothing_is_read_all_the_same() -> None:
    talk = resumed(LeftOpen(awaited=(AwaitedTurn(turn(1), is_owed=False, interrupted=False),)))
    assert talk.core.is_owed
    assert talk.at(500, TurnTranscribed(turn(1), True)) == []
    assert not talk.core.is_owed


def test_a_debt_is_none_where_the_agent_answers_already() -> None:
    talk = Conversation.thinking()
    talk.at(5000, ConversationResumed(LeftOpen(Debt(turn(2)))))
    assert talk.core.left_open(Heard.NOTHING).debt == Debt(turn(1))


def test_the_agent_that_has_spoken_speaks_up_again() -> None:
    talk = Conversation(LEAVING)
    talk.at(0, ConversationResumed(LeftOpen(agent_has_spoken=True)))
    assert talk.wait_until(1000) == [Reprompt(reply(1))]


@pytest.mark.parametrize(
    "left_open",
    [
        LeftOpen(Debt(turn(2))),
        LeftOpen(Debt(turn(1)), (AwaitedTurn(turn(1), True, False),)),
        LeftOpen(awaited=(AwaitedTurn(turn(0), True, False),)),
    ],
)
def test_ids_that_do_not_count_on_are_refused_and_change_nothing(left_open: LeftOpen) -> None:
    talk = Conversation()
    assert faults(talk.at(0, ConversationResumed(left_open))) == [FaultCode.UNKNOWN_ID]
    assert talk.is_now(User.SILENT, Agent.IDLE)
    assert talk.core.left_open(Heard.NOTHING) == LeftOpen()


def test_ids_are_given_anew_behind_the_last_turn() -> None:
    left_open = LeftOpen(REST, (AwaitedTurn(turn(7), True, False), AwaitedTurn(turn(8), False, True)), True, True)
    again = renumbered(left_open, turn(3))
    assert again.debt == Debt(turn(4), repair=Repair.RESUME)
    assert [waiting.turn_id for waiting in again.awaited] == [5, 6]
    assert (again.agent_has_spoken, again.waits_for_tool) == (True, True)
    request = renumbered(LeftOpen(Debt(None), left_open.awaited), turn(3))
    assert (request.debt, request.awaited[0].turn_id) == (Debt(None), 4)
