"""The core's user side: turns open, pause, go on and end; what does not belong is refused and changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from speakback.turn.actions import (
    AnnounceTurn,
    CommitReason,
    CommitTurn,
    ContinueTurn,
    DropReason,
    DropTurn,
    ExaminePause,
    FaultCode,
    OpenTurn,
    ReportFault,
    StartReply,
)
from speakback.turn.config import TurnConfig
from speakback.turn.core import TurnCore
from speakback.turn.endpointing import (
    CalibratedEndpointing,
    EndpointingPolicy,
    FixedEndpointing,
    PauseEvidence,
    SemanticEndpointing,
)
from speakback.turn.events import (
    EndOfTurnScored,
    Event,
    InputCleared,
    InputCommitted,
    PauseTranscribed,
    ReplyAudible,
    ReplyFailed,
    ReplyFinished,
    ReplyProgressed,
    ReplyRequested,
    SilenceObserved,
    SpeechStarted,
    SpeechStopped,
    TranscriptionFailed,
    TurnTranscribed,
)
from speakback.turn.judging import FALLBACK_SILENCE_MS
from speakback.turn.tables import Agent, User
from tests.turn.conversation import ASKED_ONLY, PLAIN, Conversation, faults, reply, turn, without_faults

SCORED = SemanticEndpointing(sure_ms=200, doubtful_ms=800, unscored_ms=600, sure_at=0.8, doubtful_at=0.2)
SEMANTIC = replace(PLAIN, endpointing=SCORED)


def pausing(config: TurnConfig) -> Conversation:
    """The user spoke from 1000 and fell silent at 2000."""
    talk = Conversation(config)
    talk.at(1000, SpeechStarted(1000))
    talk.at(2000, SpeechStopped(2000))
    return talk


# ---- a turn ---------------------------------------------------------------------------------------


def test_a_turn_is_heard_ended_transcribed_and_answered() -> None:
    talk = Conversation()
    assert talk.core.next_deadline() is None
    assert talk.at(1100, SpeechStarted(onset_ms=1000)) == [OpenTurn(turn(1), 1000), AnnounceTurn(turn(1))]
    assert talk.is_now(User.SPEAKING, Agent.IDLE)
    assert talk.at(2090, SpeechStopped(end_ms=2000)) == [ExaminePause(turn(1), 1, 2000)]
    assert talk.is_now(User.ENDING, Agent.IDLE)
    assert talk.core.next_deadline() == 2500
    assert talk.wait_until(2499) == []
    assert talk.wait_until(2500) == [CommitTurn(turn(1), 2000, CommitReason.ENDPOINT)]
    assert talk.is_now(User.SILENT, Agent.THINKING)
    assert talk.at(2600, TurnTranscribed(turn(1), has_words=True)) == [StartReply(reply(1), turn(1))]
    assert talk.at(2900, ReplyProgressed(reply(1))) == []
    assert talk.at(3000, ReplyAudible(reply(1))) == []
    assert talk.is_now(User.SILENT, Agent.SPEAKING)
    assert talk.at(5000, ReplyFinished(reply(1))) == []
    assert talk.is_now(User.SILENT, Agent.IDLE)
    assert talk.core.next_deadline() is None


def test_a_voice_that_comes_back_continues_the_turn() -> None:
    talk = pausing(PLAIN)
    assert talk.at(2400, SpeechStarted(2350)) == [ContinueTurn(turn(1))]
    assert talk.wait_until(2500) == []
    assert talk.at(3000, SpeechStopped(3000)) == [ExaminePause(turn(1), 2, 3000)]
    assert talk.wait_until(3500) == [CommitTurn(turn(1), 3000, CommitReason.ENDPOINT)]


def test_speech_without_end_is_committed_at_the_greatest_length() -> None:
    talk = Conversation(replace(PLAIN, max_turn_ms=8000))
    talk.at(1000, SpeechStarted(1000))
    actions = talk.wait_until(9000)
    assert faults(actions) == [FaultCode.TURN_TOO_LONG]
    assert without_faults(actions) == [CommitTurn(turn(1), 9000, CommitReason.TOO_LONG)]
    assert talk.at(9100, TurnTranscribed(turn(1), has_words=True)) == [StartReply(reply(1), turn(1))]
    assert talk.at(12_000, SpeechStopped(12_000)) == [], "the voice that went on is no fault"
    assert OpenTurn(turn(2), 13_000) in talk.at(13_000, SpeechStarted(13_000))


def test_the_greatest_length_holds_within_a_pause_too() -> None:
    talk = pausing(replace(PLAIN, endpointing=FixedEndpointing(100_000), max_turn_ms=8000))
    assert without_faults(talk.wait_until(9000)) == [CommitTurn(turn(1), 2000, CommitReason.TOO_LONG)]


def test_an_onset_or_end_from_the_future_is_taken_as_now() -> None:
    talk = Conversation()
    assert talk.at(1000, SpeechStarted(9999)) == [OpenTurn(turn(1), 1000), AnnounceTurn(turn(1))]
    assert talk.at(2000, SpeechStopped(9999)) == [ExaminePause(turn(1), 1, 2000)]


def test_an_end_before_the_onset_is_taken_as_the_onset() -> None:
    talk = Conversation()
    talk.at(1000, SpeechStarted(1000))
    assert talk.at(1100, SpeechStopped(300)) == [ExaminePause(turn(1), 1, 1000)]


def test_a_late_tick_does_all_that_is_due_in_order() -> None:
    talk = pausing(replace(PLAIN, transcript_timeout_ms=0, first_audio_timeout_ms=0))
    actions = talk.wait_until(60_000)
    assert actions[0] == CommitTurn(turn(1), 2000, CommitReason.ENDPOINT)
    assert faults(actions) == [FaultCode.TRANSCRIPT_OVERDUE, FaultCode.REPLY_STALLED]
    assert talk.is_now(User.SILENT, Agent.IDLE)


# ---- the end of a turn ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now_ms", "probability", "due_ms"),
    [(2100, 0.9, 2200), (2100, 0.5, 2500), (2100, 0.1, 2800), (2190, 1.0, 2200)],
)
def test_a_score_moves_the_end_of_the_turn(now_ms: int, probability: float, due_ms: int) -> None:
    talk = pausing(SEMANTIC)
    assert talk.core.next_deadline() == 2600, "a deadline that needs no score"
    assert talk.at(now_ms, EndOfTurnScored(turn(1), 1, probability)) == []
    assert talk.core.next_deadline() == due_ms


@pytest.mark.parametrize("now_ms", [2200, 2300])
def test_a_sure_score_that_comes_after_its_wait_ends_the_turn_at_once(now_ms: int) -> None:
    talk = pausing(SEMANTIC)
    assert talk.at(now_ms, EndOfTurnScored(turn(1), 1, 0.9)) == [CommitTurn(turn(1), 2000, CommitReason.ENDPOINT)]


def test_a_better_score_of_the_same_pause_replaces_it() -> None:
    talk = pausing(SEMANTIC)
    talk.at(2050, EndOfTurnScored(turn(1), 1, 0.1))
    talk.at(2100, EndOfTurnScored(turn(1), 1, 0.9))
    assert talk.core.next_deadline() == 2200


def test_the_score_of_an_earlier_pause_says_nothing_about_this_one() -> None:
    talk = pausing(SEMANTIC)
    talk.at(2100, EndOfTurnScored(turn(1), 1, 0.1))
    talk.at(2200, SpeechStarted(2200))
    assert talk.at(2250, EndOfTurnScored(turn(1), 1, 0.9)) == [], "the user speaks again"
    talk.at(3000, SpeechStopped(3000))
    assert talk.core.next_deadline() == 3600
    assert talk.at(3100, EndOfTurnScored(turn(1), 1, 0.9)) == []
    assert talk.core.next_deadline() == 3600


@pytest.mark.parametrize(("silence_ms", "ends"), [(0, False), (499, False), (500, True), (90_000, True)])
def test_silence_on_the_sample_clock_ends_the_turn_before_the_deadline(silence_ms: int, ends: bool) -> None:
    talk = pausing(PLAIN)
    committed = [CommitTurn(turn(1), 2000, CommitReason.ENDPOINT)]
    assert talk.at(2050, SilenceObserved(silence_ms)) == (committed if ends else [])


@pytest.mark.parametrize("user", [User.SILENT, User.SPEAKING])
def test_silence_means_nothing_outside_a_pause(user: User) -> None:
    talk = Conversation()
    if user is User.SPEAKING:
        talk.at(1000, SpeechStarted(1000))
    assert talk.at(2000, SilenceObserved(90_000)) == []
    assert talk.is_now(user, Agent.IDLE)


@pytest.mark.parametrize(
    ("wait_ms", "due_ms"),
    [(900, 2900), (300, 2300)],
)
def test_a_pause_is_judged_anew_by_another_configuration(wait_ms: int, due_ms: int) -> None:
    talk = pausing(PLAIN)
    assert talk.core.configure(replace(PLAIN, endpointing=FixedEndpointing(wait_ms)), 2100) == []
    assert talk.core.next_deadline() == due_ms


def test_another_configuration_may_end_the_turn_at_once() -> None:
    talk = pausing(PLAIN)
    impatient = replace(ASKED_ONLY, endpointing=FixedEndpointing(50))
    assert talk.core.configure(impatient, 2100) == [CommitTurn(turn(1), 2000, CommitReason.ENDPOINT)]
    assert talk.is_now(User.SILENT, Agent.IDLE), "and it is not answered unasked"


def test_another_configuration_outside_a_pause_changes_nothing_now() -> None:
    talk = Conversation()
    assert talk.core.configure(SEMANTIC, 100) == []
    assert talk.core.next_deadline() is None


# ---- a policy that fails --------------------------------------------------------------------------


@dataclass(frozen=True)
class OddPolicy:
    """Answers with whatever it is told to, which no type checker saw."""

    answer: Callable[[], Any]

    def silence_ms(self, evidence: PauseEvidence) -> int:
        return cast(int, self.answer())


def broken() -> int:
    raise RuntimeError("out of order")


@pytest.mark.parametrize(
    "answer",
    [broken, lambda: float("nan"), lambda: float("inf"), lambda: 300.0, lambda: None, lambda: "soon", lambda: -1],
    ids=["raises", "nan", "inf", "float", "None", "text", "negative"],
)
def test_a_policy_that_fails_is_reported_once_and_the_turn_still_ends(answer: Callable[[], Any]) -> None:
    talk = Conversation(replace(PLAIN, endpointing=cast(EndpointingPolicy, OddPolicy(answer))))
    talk.at(1000, SpeechStarted(1000))
    assert faults(talk.at(2000, SpeechStopped(2000))) == [FaultCode.POLICY_FAILED]
    assert talk.core.next_deadline() == 2000 + FALLBACK_SILENCE_MS
    assert talk.at(2100, SilenceObserved(100)) == [], "the policy is not asked again while nothing new is known"
    assert talk.wait_for_deadline() == [CommitTurn(turn(1), 2000, CommitReason.ENDPOINT)]


def test_a_score_that_is_no_number_falls_back_too() -> None:
    talk = pausing(SEMANTIC)
    assert faults(talk.at(2100, EndOfTurnScored(turn(1), 1, float("nan")))) == [FaultCode.POLICY_FAILED]
    assert talk.core.next_deadline() == 2000 + FALLBACK_SILENCE_MS


# ---- the client's word ----------------------------------------------------------------------------


@pytest.mark.parametrize(("falls_silent", "end_ms"), [(False, 2100), (True, 2000)])
def test_the_client_may_end_the_turn_and_is_not_answered_unasked(falls_silent: bool, end_ms: int) -> None:
    talk = Conversation()
    talk.at(1000, SpeechStarted(1000))
    if falls_silent:
        talk.at(2000, SpeechStopped(2000))
    assert talk.at(2100, InputCommitted(has_audio=True)) == [CommitTurn(turn(1), end_ms, CommitReason.CLIENT)]
    assert talk.at(2200, TurnTranscribed(turn(1), has_words=True)) == []
    assert talk.is_now(User.SILENT, Agent.IDLE)
    assert talk.at(2300, SpeechStopped(2250)) == [], "the VAD noticed after the client did"


def test_the_client_may_commit_audio_in_which_no_voice_was_found() -> None:
    talk = Conversation()
    assert talk.at(1000, InputCommitted(has_audio=True)) == [CommitTurn(turn(1), 1000, CommitReason.CLIENT)]
    assert talk.at(1500, TurnTranscribed(turn(1), has_words=False)) == [DropTurn(turn(1), DropReason.NO_WORDS)]
    assert talk.core.next_deadline() is None


def test_the_client_cannot_commit_nothing() -> None:
    [fault] = Conversation().at(1000, InputCommitted(has_audio=False, request_id="evt_7"))
    assert isinstance(fault, ReportFault)
    assert (fault.code, fault.request_id) == (FaultCode.NO_SPEECH, "evt_7")


@pytest.mark.parametrize("falls_silent", [False, True])
def test_the_client_may_clear_the_turn(falls_silent: bool) -> None:
    talk = Conversation()
    talk.at(1000, SpeechStarted(1000))
    if falls_silent:
        talk.at(1400, SpeechStopped(1400))
    assert talk.at(1500, InputCleared()) == [DropTurn(turn(1), DropReason.CLEARED)]
    assert talk.is_now(User.SILENT, Agent.IDLE)
    assert talk.core.next_deadline() is None


def test_clearing_nothing_does_nothing() -> None:
    assert Conversation().at(1000, InputCleared()) == []


# ---- what does not belong -------------------------------------------------------------------------

SPEAKING_USER = (SpeechStarted(1000),)
EARLIER_TURN = (SpeechStarted(1000), SpeechStopped(1400), InputCommitted(True), TurnTranscribed(turn(1), True))
HEARD_REPLY = (SpeechStarted(0), SpeechStopped(0), SilenceObserved(9000), TurnTranscribed(turn(1), True))


@pytest.mark.parametrize(
    ("before", "event", "code"),
    [
        (SPEAKING_USER, SpeechStarted(1500), FaultCode.OUT_OF_ORDER),
        ((*SPEAKING_USER, SpeechStopped(1400)), SpeechStopped(1500), FaultCode.OUT_OF_ORDER),
        ((*HEARD_REPLY, ReplyAudible(reply(1))), ReplyAudible(reply(1)), FaultCode.OUT_OF_ORDER),
        ((), EndOfTurnScored(turn(1), 1, 0.5), FaultCode.UNKNOWN_ID),
        ((), TurnTranscribed(turn(1), True), FaultCode.UNKNOWN_ID),
        (EARLIER_TURN, TurnTranscribed(turn(2), True), FaultCode.UNKNOWN_ID),
        ((), TranscriptionFailed(turn(1)), FaultCode.UNKNOWN_ID),
        ((), ReplyAudible(reply(1)), FaultCode.UNKNOWN_ID),
        ((), ReplyProgressed(reply(1)), FaultCode.UNKNOWN_ID),
        (HEARD_REPLY, ReplyFinished(reply(2)), FaultCode.UNKNOWN_ID),
        (HEARD_REPLY, ReplyFailed(reply(2)), FaultCode.UNKNOWN_ID),
    ],
)
def test_what_cannot_be_is_reported_and_changes_nothing(
    before: tuple[Event, ...], event: Event, code: FaultCode
) -> None:
    talk = Conversation()
    for earlier in before:
        talk.at(1500, earlier)
    states, due_ms = (talk.core.user, talk.core.agent), talk.core.next_deadline()
    assert faults(talk.at(1500, event)) == [code]
    assert (talk.core.user, talk.core.agent) == states
    assert talk.core.next_deadline() == due_ms


@pytest.mark.parametrize(
    ("before", "event"),
    [
        (EARLIER_TURN, EndOfTurnScored(turn(1), 1, 0.5)),
        (EARLIER_TURN, TurnTranscribed(turn(1), True)),
        (EARLIER_TURN, TurnTranscribed(turn(1), False)),
        (EARLIER_TURN, TranscriptionFailed(turn(1))),
        (SPEAKING_USER, TurnTranscribed(turn(1), True)),
        ((*HEARD_REPLY, ReplyFinished(reply(1))), ReplyAudible(reply(1))),
        ((*HEARD_REPLY, ReplyFinished(reply(1))), ReplyProgressed(reply(1))),
        ((*HEARD_REPLY, ReplyFinished(reply(1))), ReplyFinished(reply(1))),
        ((*HEARD_REPLY, ReplyFinished(reply(1))), ReplyFailed(reply(1))),
        ((), SpeechStopped(1400)),
    ],
)
def test_what_comes_too_late_is_dropped_without_a_word(before: tuple[Event, ...], event: Event) -> None:
    talk = Conversation()
    for earlier in before:
        talk.at(1500, earlier)
    states, due_ms = (talk.core.user, talk.core.agent), talk.core.next_deadline()
    assert talk.at(1500, event) == []
    assert (talk.core.user, talk.core.agent) == states
    assert talk.core.next_deadline() == due_ms


def test_a_clock_that_goes_back_is_reported_and_held() -> None:
    talk = Conversation()
    talk.at(1000, SpeechStarted(1000))
    actions = talk.at(900, SpeechStopped(1000))
    assert faults(actions) == [FaultCode.CLOCK_WENT_BACK]
    assert actions[1:] == [ExaminePause(turn(1), 1, 1000)]
    assert faults(talk.wait_until(999)) == [FaultCode.CLOCK_WENT_BACK]
    assert faults(talk.core.configure(PLAIN, 0)) == [FaultCode.CLOCK_WENT_BACK]


# ---- what is learned of the user's pauses ---------------------------------------------------------


@pytest.mark.parametrize(("pause_ms", "learned"), [(199, ()), (200, (200,)), (3000, (3000,)), (3001, ())])
def test_a_pause_within_a_turn_is_learned_if_it_can_be_one(pause_ms: int, learned: tuple[int, ...]) -> None:
    talk = pausing(replace(PLAIN, endpointing=FixedEndpointing(9000)))
    talk.at(2000 + pause_ms, SpeechStarted(2000 + pause_ms))
    assert talk.core.learned_pauses_ms == learned


def test_a_pause_that_was_taken_for_the_end_is_learned_as_well() -> None:
    """The user spoke on before the reply could be heard: the turn had not been over."""
    talk = Conversation.thinking()
    talk.at(2800, SpeechStarted(2800))
    assert talk.core.learned_pauses_ms == (800,)


def test_a_pause_before_which_no_turn_ended_is_none() -> None:
    talk = Conversation()
    talk.at(500, ReplyRequested())
    talk.at(1000, SpeechStarted(1000))
    assert talk.core.learned_pauses_ms == ()


def test_only_the_latest_pauses_are_remembered_and_an_earlier_part_may_hand_them_on() -> None:
    core = TurnCore(PLAIN, learned_pauses_ms=tuple(range(300, 340)))
    assert core.learned_pauses_ms == tuple(range(308, 340))


def test_what_is_learned_reaches_the_policy() -> None:
    calibrated = replace(PLAIN, endpointing=CalibratedEndpointing())
    dues = []
    for learned in ((), (1500,) * 20):
        core = TurnCore(calibrated, learned)
        core.handle(SpeechStarted(1000), 1000)
        core.handle(SpeechStopped(2000), 2000)
        core.handle(PauseTranscribed(turn(1), 1, True), 2010)
        core.handle(EndOfTurnScored(turn(1), 1, 0.5), 2020)
        dues.append(core.next_deadline() or 0)
    assert dues[1] > dues[0]
