"""Nobody answers: the agent speaks up, takes leave and ends it; a tool that stays out is apologised for."""

from dataclasses import replace

import pytest

from speakback.turn.actions import (
    Apologise,
    EndConversation,
    FaultCode,
    Reprompt,
    SayGoodbye,
    StartReply,
    StopReason,
    StopReply,
)
from speakback.turn.config import Idle, TurnConfig
from speakback.turn.events import (
    Event,
    InputCleared,
    InputCommitted,
    ReplyAudible,
    ReplyCancelled,
    ReplyFailed,
    ReplyFinished,
    ReplyRequested,
    SpeechStarted,
    SpeechStopped,
    TurnTranscribed,
)
from speakback.turn.tables import Agent, User
from tests.turn.conversation import GRADED, PLAIN, POLITE, Conversation, faults, reply, turn, without_faults

ATTENTIVE = replace(PLAIN, idle=Idle(wait_ms=8000, reprompts=1))
GIVING_UP = replace(PLAIN, idle=Idle(wait_ms=8000, reprompts=1, goodbye=False))


def answered(config: TurnConfig = ATTENTIVE) -> Conversation:
    """Reply 1 was heard to its end at 5000."""
    talk = Conversation.speaking(config)
    talk.at(5000, ReplyFinished(reply(1)))
    return talk


def says(talk: Conversation, number: int, begin_ms: int, end_ms: int) -> list[object]:
    """Reply `number` is heard to its end."""
    talk.at(begin_ms, ReplyAudible(reply(number)))
    return list(talk.at(end_ms, ReplyFinished(reply(number))))


def leaving(config: TurnConfig = ATTENTIVE) -> Conversation:
    """The goodbye, reply 3, was begun at 23000."""
    talk = answered(config)
    talk.wait_until(13_000)
    says(talk, 2, 13_500, 15_000)
    assert talk.wait_until(23_000) == [SayGoodbye(reply(3))]
    return talk


# ---- the whole way --------------------------------------------------------------------------------


def test_a_silent_user_is_prompted_then_left() -> None:
    talk = answered()
    assert talk.core.next_deadline() == 13_000
    assert talk.wait_until(13_000) == [Reprompt(reply(2))]
    assert talk.is_now(User.SILENT, Agent.THINKING)
    assert says(talk, 2, 13_500, 15_000) == []
    assert talk.core.next_deadline() == 23_000
    assert talk.wait_until(23_000) == [SayGoodbye(reply(3))]
    assert says(talk, 3, 23_500, 25_000) == [EndConversation()]
    assert talk.core.next_deadline() is None


def test_without_a_goodbye_the_agent_waits_in_silence_after_the_last_prompt() -> None:
    talk = answered(GIVING_UP)
    talk.wait_until(13_000)
    assert says(talk, 2, 13_500, 15_000) == []
    assert talk.core.next_deadline() is None


def test_by_default_the_agent_waits_in_silence() -> None:
    assert answered(PLAIN).core.next_deadline() is None


def test_a_user_who_was_never_spoken_to_is_not_prompted() -> None:
    talk = Conversation(ATTENTIVE)
    talk.at(1000, SpeechStarted(1000))
    talk.at(1200, InputCleared())
    assert talk.core.next_deadline() is None


# ---- who counts as there --------------------------------------------------------------------------


def test_a_user_who_answers_is_prompted_anew_from_the_start() -> None:
    talk = answered()
    talk.wait_until(13_000)
    says(talk, 2, 13_500, 15_000)
    talk.user_says(16_000, 17_000)
    talk.at(17_600, TurnTranscribed(turn(2), True))
    says(talk, 3, 18_000, 20_000)
    assert talk.wait_until(28_000) == [Reprompt(reply(4))]


def test_a_client_that_asks_for_a_reply_is_there_too() -> None:
    talk = answered()
    talk.wait_until(13_000)
    says(talk, 2, 13_500, 15_000)
    talk.at(16_000, ReplyRequested())
    says(talk, 3, 16_500, 18_000)
    assert talk.wait_until(26_000) == [Reprompt(reply(4))]


def test_a_noise_puts_the_prompt_off_but_is_nobody() -> None:
    talk = answered()
    talk.wait_until(13_000)
    says(talk, 2, 13_500, 15_000)
    talk.user_says(16_000, 16_100)
    talk.at(17_000, TurnTranscribed(turn(2), False))
    assert talk.core.next_deadline() == 25_000
    assert talk.wait_until(25_000) == [SayGoodbye(reply(3))], "or an echoing line would be prompted for ever"


def test_speech_or_a_transcript_under_way_is_not_idle() -> None:
    talk = answered()
    talk.at(12_000, SpeechStarted(12_000))
    assert talk.wait_until(14_000) == []
    talk.at(14_000, InputCommitted(has_audio=True))
    assert talk.core.next_deadline() == 14_000 + ATTENTIVE.transcript_timeout_ms


# ---- a prompt that does not come off ---------------------------------------------------------------


def test_a_prompt_that_nobody_heard_is_not_owed_to_a_noise() -> None:
    talk = answered()
    talk.wait_until(13_000)
    assert StopReply(reply(2), StopReason.USER_SPOKE, 20) in talk.at(13_200, SpeechStarted(13_200))
    assert len(talk.at(13_300, InputCleared())) == 1
    assert talk.is_now(User.SILENT, Agent.IDLE)
    assert talk.wait_for_deadline() == [SayGoodbye(reply(3))]


def test_a_prompt_that_fails_is_not_apologised_for() -> None:
    talk = answered()
    talk.wait_until(13_000)
    assert talk.at(13_100, ReplyFailed(reply(2))) == [StopReply(reply(2), StopReason.FAILED, 20)]
    assert talk.core.next_deadline() == 21_100


def test_a_goodbye_that_fails_ends_the_conversation_all_the_same() -> None:
    talk = leaving()
    assert talk.at(23_100, ReplyFailed(reply(3))) == [StopReply(reply(3), StopReason.FAILED, 20), EndConversation()]
    assert talk.core.next_deadline() is None


def test_a_goodbye_that_the_user_speaks_into_ends_nothing() -> None:
    talk = leaving(replace(GRADED, idle=ATTENTIVE.idle))
    talk.at(23_500, ReplyAudible(reply(3)))
    talk.at(25_000, SpeechStarted(25_000))
    assert EndConversation() not in talk.at(25_100, ReplyFinished(reply(3)))
    talk.at(25_500, SpeechStopped(25_500))
    talk.wait_until(26_000)
    assert talk.at(26_100, TurnTranscribed(turn(2), True)) == [StartReply(reply(4), turn(2))]


@pytest.mark.parametrize("answered_before", [True, False])
def test_a_goodbye_that_was_answered_meanwhile_ends_nothing(answered_before: bool) -> None:
    polite = replace(POLITE, idle=ATTENTIVE.idle)
    talk = leaving(polite)
    talk.core.configure(replace(polite, auto_reply=False), 23_100)
    talk.at(23_500, ReplyAudible(reply(3)))
    talk.user_says(24_000, 24_400)
    if answered_before:
        talk.at(24_950, TurnTranscribed(turn(2), True))
    assert talk.at(25_000, ReplyFinished(reply(3))) == []


def test_a_goodbye_that_a_noise_stopped_is_said_once_more() -> None:
    talk = leaving()
    talk.at(23_200, SpeechStarted(23_200))
    talk.at(23_300, InputCleared())
    assert talk.wait_for_deadline() == [SayGoodbye(reply(4))]


def test_a_goodbye_that_the_client_cancels_is_said_once_more() -> None:
    talk = leaving()
    assert talk.at(23_200, ReplyCancelled()) == [StopReply(reply(3), StopReason.CLIENT_CANCELLED, 20)]
    assert talk.wait_until(31_200) == [SayGoodbye(reply(4))]


# ---- a tool call ----------------------------------------------------------------------------------


def calling_tool() -> Conversation:
    """Reply 1 ended with a tool call at 5000."""
    talk = Conversation.speaking(replace(ATTENTIVE, tool_timeout_ms=4000))
    talk.at(5000, ReplyFinished(reply(1), called_tool=True))
    assert talk.core.next_deadline() == 9000
    return talk


def test_a_tool_that_stays_out_is_apologised_for() -> None:
    talk = calling_tool()
    actions = talk.wait_until(9000)
    assert faults(actions) == [FaultCode.TOOL_OVERDUE]
    assert without_faults(actions) == [Apologise(reply(2), None)]


def test_a_request_for_the_reply_to_its_result_ends_the_wait() -> None:
    talk = calling_tool()
    assert talk.at(7000, ReplyRequested()) == [StartReply(reply(2), None)]
    assert talk.core.next_deadline() == 7000 + PLAIN.first_audio_timeout_ms


def test_an_answer_to_the_user_ends_the_wait() -> None:
    talk = calling_tool()
    talk.user_says(6000, 7000)
    assert talk.at(7600, TurnTranscribed(turn(2), True)) == [StartReply(reply(2), turn(2))]
    says(talk, 2, 8000, 9500)
    assert talk.core.next_deadline() == 17_500, "only idleness"


@pytest.mark.parametrize("event", [InputCleared(), TurnTranscribed(turn(2), False)])
def test_a_noise_does_not_end_the_wait(event: Event) -> None:
    talk = calling_tool()
    talk.at(6000, SpeechStarted(6000))
    talk.at(6100, SpeechStopped(6100))
    if isinstance(event, TurnTranscribed):
        talk.wait_until(6600)
    talk.at(7000, event)
    assert faults(talk.wait_until(9000)) == [FaultCode.TOOL_OVERDUE], "or the call would be silence for ever"
    assert talk.is_now(User.SILENT, Agent.THINKING)


def test_a_tool_that_is_overdue_while_the_user_speaks_is_settled_by_the_answer() -> None:
    talk = calling_tool()
    talk.at(8000, SpeechStarted(8000))
    assert without_faults(talk.wait_until(9000)) == []
    talk.at(9500, SpeechStopped(9500))
    talk.wait_until(10_000)
    assert talk.at(10_100, TurnTranscribed(turn(2), True)) == [StartReply(reply(2), turn(2))]
