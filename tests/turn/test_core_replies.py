"""The core's agent side: what is owed is answered, whoever interrupts, fails, or says nothing."""

from dataclasses import replace

import pytest

from speakback.turn.actions import (
    Action,
    AnnounceTurn,
    Apologise,
    CommitReason,
    CommitTurn,
    DropReason,
    DropTurn,
    FaultCode,
    OpenTurn,
    ReportFault,
    ReportVerdict,
    StartReply,
    StopReason,
    StopReply,
)
from speakback.turn.barge_in import Verdict
from speakback.turn.events import (
    Event,
    InputCleared,
    InputCommitted,
    ReplyAudible,
    ReplyCancelled,
    ReplyFailed,
    ReplyFinished,
    ReplyProgressed,
    ReplyRequested,
    SpeechStarted,
    SpeechStopped,
    TranscriptionFailed,
    TurnTranscribed,
)
from speakback.turn.tables import Agent, User
from speakback.turn.words import Repair
from tests.turn.conversation import ASKED_ONLY, PLAIN, POLITE, Conversation, faults, reply, turn, without_faults

FADE_MS = PLAIN.stop_fade_ms


def interrupted(number: int) -> StopReply:
    return StopReply(reply(number), StopReason.USER_SPOKE, FADE_MS)


def broken_off(number: int) -> StopReply:
    return StopReply(reply(number), StopReason.FAILED, FADE_MS)


def opened(number: int, onset_ms: int) -> list[Action]:
    return [OpenTurn(turn(number), onset_ms), AnnounceTurn(turn(number))]


def no_words(number: int) -> DropTurn:
    return DropTurn(turn(number), DropReason.NO_WORDS)


def cleared(number: int) -> DropTurn:
    return DropTurn(turn(number), DropReason.CLEARED)


# ---- the user speaks over the agent ---------------------------------------------------------------


def test_a_speaking_agent_stops_when_the_user_speaks() -> None:
    talk = Conversation.speaking()
    assert talk.at(4000, SpeechStarted(3900)) == [
        OpenTurn(turn(2), 3900),
        ReportVerdict(turn(2), Verdict.INTERRUPTION, after_ms=100),
        interrupted(1),
        AnnounceTurn(turn(2)),
    ]
    assert talk.is_now(User.SPEAKING, Agent.IDLE)
    talk.at(4500, SpeechStopped(4500))
    talk.wait_until(5000)
    assert talk.at(5100, TurnTranscribed(turn(2), has_words=True)) == [StartReply(reply(2), turn(2))]


def test_a_thinking_agent_stops_and_answers_both_turns_at_once() -> None:
    talk = Conversation.thinking()
    assert talk.at(2800, SpeechStarted(2800)) == [interrupted(1), *opened(2, 2800)]
    talk.at(3500, SpeechStopped(3500))
    talk.wait_until(4000)
    assert talk.at(4100, TurnTranscribed(turn(2), has_words=True)) == [StartReply(reply(2), turn(2))]
    talk.at(4500, ReplyAudible(reply(2)))
    talk.at(6000, ReplyFinished(reply(2)))
    assert talk.is_now(User.SILENT, Agent.IDLE), "turn 1 is not answered again"


def test_a_reply_not_begun_yet_is_given_up_without_a_word() -> None:
    talk = Conversation()
    talk.user_says(1000, 2000)
    assert talk.at(2550, SpeechStarted(2550)) == opened(2, 2550)
    talk.at(2600, TurnTranscribed(turn(1), has_words=True))
    assert talk.is_now(User.SPEAKING, Agent.IDLE)


def test_a_polite_agent_speaks_to_its_end_and_then_answers_what_was_said_meanwhile() -> None:
    talk = Conversation.speaking(POLITE)
    assert talk.user_says(4000, 5000) == [CommitTurn(turn(2), 5000, CommitReason.ENDPOINT)]
    assert talk.at(5600, TurnTranscribed(turn(2), has_words=True)) == []
    assert talk.is_now(User.SILENT, Agent.SPEAKING)
    assert talk.at(7000, ReplyFinished(reply(1))) == [StartReply(reply(2), turn(2))]


def test_a_polite_agent_also_answers_what_was_said_while_it_thought() -> None:
    talk = Conversation.thinking(POLITE)
    talk.user_says(2700, 3000)
    talk.at(3600, TurnTranscribed(turn(2), has_words=True))
    talk.at(3700, ReplyAudible(reply(1)))
    assert talk.at(5000, ReplyFinished(reply(1))) == [StartReply(reply(2), turn(2))]


def test_a_polite_agent_waits_until_the_user_is_done() -> None:
    talk = Conversation.speaking(POLITE)
    talk.at(4000, SpeechStarted(4000))
    assert talk.at(4500, ReplyFinished(reply(1))) == [AnnounceTurn(turn(2))], "the client could not be told before"
    assert talk.is_now(User.SPEAKING, Agent.IDLE)


@pytest.mark.parametrize("event", [ReplyCancelled(), ReplyFailed(reply(1))], ids=["cancelled", "failed"])
def test_a_turn_that_waits_outlives_the_reply_it_waited_for(event: Event) -> None:
    talk = Conversation.speaking(POLITE)
    talk.user_says(4000, 5000)
    talk.at(5600, TurnTranscribed(turn(2), has_words=True))
    assert talk.at(6000, event)[1:] == [StartReply(reply(2), turn(2))]


# ---- a turn without words -------------------------------------------------------------------------


def test_a_turn_without_words_is_dropped_and_not_answered() -> None:
    talk = Conversation()
    talk.user_says(1000, 2000)
    assert talk.at(2600, TurnTranscribed(turn(1), has_words=False)) == [no_words(1)]
    assert talk.is_now(User.SILENT, Agent.IDLE)
    assert talk.core.next_deadline() is None


def test_a_noise_that_interrupted_a_thinking_reply_does_not_silence_it() -> None:
    talk = Conversation.thinking()
    talk.user_says(2800, 2900)
    actions = talk.at(3500, TurnTranscribed(turn(2), has_words=False))
    assert actions == [no_words(2), StartReply(reply(2), turn(1))]


def test_a_noise_that_interrupted_a_reply_already_heard_has_it_go_on() -> None:
    talk = Conversation.speaking()
    talk.user_says(4000, 4100)
    actions = talk.at(4700, TurnTranscribed(turn(2), has_words=False))
    assert actions == [no_words(2), StartReply(reply(2), turn(2), Repair.RESUME, repairs=reply(1))]


def test_a_cleared_turn_that_interrupted_a_thinking_reply_does_not_silence_it() -> None:
    talk = Conversation.thinking()
    talk.at(2800, SpeechStarted(2800))
    assert talk.at(2900, InputCleared()) == [cleared(2), StartReply(reply(2), turn(1))]


def test_a_noise_while_the_last_turn_is_still_transcribed_leaves_that_turn_to_be_answered() -> None:
    talk = Conversation()
    talk.user_says(1000, 2000)
    talk.user_says(2600, 2700)
    assert talk.at(3300, TurnTranscribed(turn(2), has_words=False)) == [no_words(2)]
    assert talk.is_now(User.SILENT, Agent.THINKING)
    assert talk.at(3400, TurnTranscribed(turn(1), has_words=True)) == [StartReply(reply(1), turn(1))]


def test_a_noise_does_not_turn_an_apology_into_an_answer() -> None:
    """Turn 1 has no transcript, so nothing but an apology can answer it."""
    talk = Conversation()
    talk.user_says(1000, 2000)
    talk.at(2600, SpeechStarted(2600))
    assert talk.at(2700, TranscriptionFailed(turn(1))) == [], "the user is speaking"
    talk.at(2800, SpeechStopped(2800))
    talk.wait_until(3300)
    actions = talk.at(3400, TurnTranscribed(turn(2), has_words=False))
    assert actions == [no_words(2), Apologise(reply(1), turn(1))]


# ---- failures -------------------------------------------------------------------------------------


def test_a_failed_transcription_is_apologised_for() -> None:
    talk = Conversation()
    talk.user_says(1000, 2000)
    assert talk.at(2600, TranscriptionFailed(turn(1))) == [Apologise(reply(1), turn(1))]


def test_a_failed_transcription_is_apologised_for_without_waiting_for_earlier_ones() -> None:
    talk = Conversation()
    talk.user_says(1000, 2000)
    talk.user_says(2600, 3000)
    assert talk.at(3600, TranscriptionFailed(turn(2))) == [Apologise(reply(1), turn(2))]


def test_an_overdue_transcript_is_apologised_for_and_then_comes_too_late() -> None:
    talk = Conversation()
    talk.user_says(1000, 2000)
    assert talk.core.next_deadline() == 2500 + PLAIN.transcript_timeout_ms
    actions = talk.wait_for_deadline()
    assert faults(actions) == [FaultCode.TRANSCRIPT_OVERDUE]
    assert without_faults(actions) == [Apologise(reply(1), turn(1))]
    assert talk.at(13_000, TurnTranscribed(turn(1), has_words=True)) == []


def test_a_transcript_that_never_comes_is_waited_for_no_longer_when_the_user_goes_on_talking() -> None:
    """Every turn since was transcribed at once, and waits for the first."""
    talk = Conversation()
    talk.user_says(1000, 2000)
    for number, onset_ms in ((2, 4000), (3, 7000), (4, 10_000)):
        talk.user_says(onset_ms, onset_ms + 500)
        assert talk.at(onset_ms + 1200, TurnTranscribed(turn(number), has_words=True)) == []
    assert talk.core.next_deadline() == 2500 + PLAIN.transcript_timeout_ms
    actions = talk.wait_for_deadline()
    assert faults(actions) == [FaultCode.TRANSCRIPT_OVERDUE]
    assert without_faults(actions) == [StartReply(reply(1), turn(4))]


def test_each_transcript_is_waited_for_from_the_end_of_its_own_turn() -> None:
    talk = Conversation()
    talk.user_says(1000, 2000)
    talk.user_says(4000, 5000)
    talk.at(6000, TurnTranscribed(turn(1), has_words=True))
    assert talk.core.next_deadline() == 5500 + PLAIN.transcript_timeout_ms


def test_a_transcript_nobody_waits_for_is_not_apologised_for() -> None:
    talk = Conversation(ASKED_ONLY)
    talk.user_says(1000, 2000)
    assert talk.at(2600, TranscriptionFailed(turn(1))) == []
    assert talk.is_now(User.SILENT, Agent.IDLE)


def test_an_earlier_failure_is_made_good_by_an_answer_to_what_was_said_since() -> None:
    talk = Conversation()
    talk.user_says(1000, 2000)
    talk.at(2600, SpeechStarted(2600))
    talk.at(2700, TranscriptionFailed(turn(1)))
    talk.at(3000, SpeechStopped(3000))
    talk.wait_until(3500)
    assert talk.at(3600, TurnTranscribed(turn(2), has_words=True)) == [StartReply(reply(1), turn(2))]


@pytest.mark.parametrize("opening", [Conversation.thinking, Conversation.speaking])
def test_a_failed_reply_is_apologised_for(opening: type[Conversation]) -> None:
    talk = opening()
    assert talk.at(3500, ReplyFailed(reply(1))) == [broken_off(1), Apologise(reply(2), turn(1))]
    assert talk.is_now(User.SILENT, Agent.THINKING)


def test_a_reply_without_first_audio_is_apologised_for() -> None:
    talk = Conversation.thinking()
    assert talk.core.next_deadline() == 2600 + PLAIN.first_audio_timeout_ms
    actions = talk.wait_for_deadline()
    assert faults(actions) == [FaultCode.REPLY_STALLED]
    assert without_faults(actions) == [broken_off(1), Apologise(reply(2), turn(1))]


@pytest.mark.parametrize("opening", [Conversation.thinking, Conversation.speaking])
def test_a_reply_that_stalls_is_apologised_for_and_one_that_lives_is_not(opening: type[Conversation]) -> None:
    talk = opening()
    talk.at(9000, ReplyProgressed(reply(1)))
    assert talk.core.next_deadline() == 9000 + PLAIN.stall_timeout_ms
    assert without_faults(talk.wait_for_deadline()) == [broken_off(1), Apologise(reply(2), turn(1))]


def test_a_reply_that_stalls_after_its_first_audio_is_given_no_longer_than_any_other() -> None:
    assert Conversation.speaking().core.next_deadline() == 3000 + PLAIN.stall_timeout_ms


@pytest.mark.parametrize("late", [ReplyAudible, ReplyFinished, ReplyFailed])
def test_news_of_a_reply_that_is_over_does_not_touch_the_one_under_way(
    late: type[ReplyAudible | ReplyFinished | ReplyFailed],
) -> None:
    talk = Conversation.thinking()
    talk.at(3000, ReplyCancelled())
    talk.at(3100, ReplyRequested())
    assert talk.at(3200, late(reply(1))) == []
    assert talk.is_now(User.SILENT, Agent.THINKING)


def test_an_apology_that_fails_is_the_end_of_it() -> None:
    talk = Conversation.thinking()
    talk.at(3000, ReplyFailed(reply(1)))
    assert talk.at(3100, ReplyFailed(reply(2))) == [broken_off(2)]
    assert talk.is_now(User.SILENT, Agent.IDLE)
    assert talk.core.next_deadline() is None


def test_an_apology_interrupted_by_a_noise_is_begun_again() -> None:
    talk = Conversation.thinking()
    talk.at(3000, ReplyFailed(reply(1)))
    assert talk.at(3100, SpeechStarted(3100))[0] == interrupted(2)
    assert talk.at(3200, InputCleared()) == [cleared(2), Apologise(reply(3), turn(1))]


def test_a_failure_while_the_user_speaks_is_apologised_for_when_they_are_done() -> None:
    talk = Conversation.speaking(POLITE)
    talk.at(4000, SpeechStarted(4000))
    assert talk.at(4100, ReplyFailed(reply(1))) == [broken_off(1), AnnounceTurn(turn(2))]
    assert talk.at(4200, InputCleared()) == [cleared(2), Apologise(reply(2), turn(1))]


def test_a_request_after_a_failure_is_answered_not_apologised_for() -> None:
    talk = Conversation.speaking(POLITE)
    talk.at(4000, SpeechStarted(4000))
    talk.at(4100, ReplyFailed(reply(1)))
    assert talk.at(4200, ReplyRequested()) == [StartReply(reply(2), None)]


# ---- the client asks and cancels ------------------------------------------------------------------


def test_a_reply_is_made_when_the_client_asks() -> None:
    talk = Conversation(ASKED_ONLY)
    talk.user_says(1000, 2000)
    talk.at(2600, TurnTranscribed(turn(1), has_words=True))
    assert talk.is_now(User.SILENT, Agent.IDLE)
    assert talk.at(3000, ReplyRequested("evt_1")) == [StartReply(reply(1), None)]


def test_a_reply_asked_for_before_the_transcript_waits_for_it() -> None:
    talk = Conversation()
    talk.at(1000, InputCommitted(has_audio=True))
    assert talk.at(1001, ReplyRequested()) == []
    assert talk.is_now(User.SILENT, Agent.THINKING)
    assert talk.at(1500, TurnTranscribed(turn(1), has_words=True)) == [StartReply(reply(1), None)]


def test_a_reply_asked_for_is_made_even_if_the_turn_had_no_words() -> None:
    talk = Conversation()
    talk.at(1000, InputCommitted(has_audio=True))
    talk.at(1001, ReplyRequested())
    actions = talk.at(1500, TurnTranscribed(turn(1), has_words=False))
    assert actions == [no_words(1), StartReply(reply(1), None)]


def test_a_reply_asked_for_is_apologised_for_if_the_turn_before_it_cannot_be_transcribed() -> None:
    talk = Conversation()
    talk.at(1000, InputCommitted(has_audio=True))
    talk.at(1001, ReplyRequested())
    assert talk.at(1500, TranscriptionFailed(turn(1))) == [Apologise(reply(1), None)]


@pytest.mark.parametrize("opening", [Conversation.thinking, Conversation.speaking])
def test_a_request_while_a_reply_is_active_is_refused_by_its_id(opening: type[Conversation]) -> None:
    talk = opening()
    states = talk.core.user, talk.core.agent
    [fault] = talk.at(3500, ReplyRequested("evt_9"))
    assert isinstance(fault, ReportFault)
    assert (fault.code, fault.request_id) == (FaultCode.REPLY_ACTIVE, "evt_9")
    assert (talk.core.user, talk.core.agent) == states


@pytest.mark.parametrize("opening", [Conversation.thinking, Conversation.speaking])
def test_the_client_may_cancel_the_reply(opening: type[Conversation]) -> None:
    talk = opening()
    assert talk.at(3500, ReplyCancelled()) == [StopReply(reply(1), StopReason.CLIENT_CANCELLED, FADE_MS)]
    assert talk.is_now(User.SILENT, Agent.IDLE)
    assert talk.core.next_deadline() is None
    assert talk.at(3600, ReplyFinished(reply(1))) == []


def test_the_client_may_cancel_a_reply_that_waits_for_the_transcript() -> None:
    talk = Conversation()
    talk.user_says(1000, 2000)
    assert talk.at(2550, ReplyCancelled()) == []
    assert talk.at(2600, TurnTranscribed(turn(1), has_words=True)) == []
    assert talk.is_now(User.SILENT, Agent.IDLE)


def test_cancelling_nothing_is_refused_by_its_id() -> None:
    [fault] = Conversation().at(1000, ReplyCancelled("evt_3"))
    assert isinstance(fault, ReportFault)
    assert (fault.code, fault.request_id) == (FaultCode.NO_REPLY_ACTIVE, "evt_3")


def test_a_reply_without_audio_is_an_answer_too() -> None:
    talk = Conversation.thinking()
    assert talk.at(2900, ReplyFinished(reply(1))) == []
    assert talk.is_now(User.SILENT, Agent.IDLE)


def test_a_strategy_may_change_how_long_the_fade_is() -> None:
    talk = Conversation.speaking(replace(PLAIN, stop_fade_ms=5))
    assert talk.at(4000, ReplyCancelled()) == [StopReply(reply(1), StopReason.CLIENT_CANCELLED, 5)]
