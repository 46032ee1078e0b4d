"""Speech over the agent: its voice follows the verdict, the client is told in time, and nothing is left held."""

from dataclasses import replace

import pytest

from speakback.turn.actions import (
    Action,
    AnnounceTurn,
    CommitReason,
    CommitTurn,
    ContinueTurn,
    DropReason,
    DropTurn,
    DuckReply,
    ExaminePause,
    FaultCode,
    HoldReply,
    OpenTurn,
    ReportVerdict,
    RestoreReply,
    ResumeReply,
    StartReply,
    StopReason,
    StopReply,
)
from speakback.turn.barge_in import Overlap, OverlapEvidence, Verdict
from speakback.turn.config import TurnConfig
from speakback.turn.events import (
    EchoJudged,
    EndOfTurnScored,
    Event,
    InputCleared,
    InputCommitted,
    OverlapHeard,
    ReplyAudible,
    ReplyCancelled,
    ReplyFailed,
    ReplyFinished,
    ReplyProgressed,
    ReplyRequested,
    SpeechStarted,
    SpeechStopped,
    TurnTranscribed,
)
from speakback.turn.tables import Agent, User
from speakback.turn.words import HeardWords, Repair
from tests.turn.conversation import (
    GRADED,
    OVERLAP,
    PLAIN,
    POLITE,
    Conversation,
    PlainOverlap,
    faults,
    reply,
    turn,
    without_faults,
)

STOPPED = StopReply(reply(1), StopReason.USER_SPOKE, GRADED.stop_fade_ms)
ANNOUNCED = AnnounceTurn(turn(2))


def verdict(of: Verdict, after_ms: int) -> ReportVerdict:
    return ReportVerdict(turn(2), of, after_ms)


def heard(actions: list[Action]) -> list[Action]:
    """Without what makes no difference to a reply that is stopped in the same moment."""
    return [action for action in actions if not isinstance(action, DuckReply | OpenTurn)]


def overlapping(config: TurnConfig = GRADED) -> Conversation:
    """Reply 1 is heard from 3000 on; the user speaks from 5000 on, turn 2."""
    talk = Conversation.speaking(config)
    assert talk.at(5000, SpeechStarted(5000)) == [OpenTurn(turn(2), 5000)], "nothing is told to the client yet"
    return talk


def held(config: TurnConfig = GRADED) -> Conversation:
    """As `overlapping`, and at 5350 the agent was held."""
    talk = overlapping(config)
    talk.wait_until(5350)
    assert talk.is_now(User.SPEAKING, Agent.PAUSED)
    return talk


# ---- by time alone --------------------------------------------------------------------------------


def test_a_voice_that_goes_on_ducks_then_holds_then_stops_the_agent() -> None:
    talk = overlapping()
    assert talk.core.next_deadline() == 5120
    assert talk.wait_until(5119) == []
    assert talk.wait_until(5120) == [DuckReply(reply(1))]
    assert talk.core.next_deadline() == 5350
    assert talk.wait_until(5350) == [verdict(Verdict.HOLD, 350), HoldReply(reply(1))]
    assert talk.core.next_deadline() == 5900
    assert talk.wait_until(5900) == [verdict(Verdict.INTERRUPTION, 900), STOPPED, ANNOUNCED]
    assert talk.is_now(User.SPEAKING, Agent.IDLE)


def test_a_reply_that_has_just_begun_is_held_sooner() -> None:
    talk = Conversation.speaking(GRADED)
    talk.at(3400, SpeechStarted(3300))
    assert talk.core.next_deadline() == 3420
    assert talk.wait_until(3420) == [DuckReply(reply(1))]
    assert talk.wait_until(3450) == [verdict(Verdict.HOLD, 150), HoldReply(reply(1))]


def test_a_voice_that_was_noticed_late_is_judged_by_its_onset() -> None:
    talk = Conversation.speaking(GRADED)
    assert heard(talk.at(6000, SpeechStarted(5000))) == [verdict(Verdict.INTERRUPTION, 1000), STOPPED, ANNOUNCED]


# ---- by what is heard -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "after"),
    [
        (HeardWords.CONTENT, [verdict(Verdict.INTERRUPTION, 200), STOPPED, ANNOUNCED]),
        (HeardWords.HALT, [verdict(Verdict.INTERRUPTION, 200), STOPPED, ANNOUNCED]),
        (HeardWords.BACKCHANNEL, [verdict(Verdict.BACKCHANNEL, 200), RestoreReply(reply(1))]),
        (HeardWords.ECHO, [verdict(Verdict.ECHO, 200), RestoreReply(reply(1))]),
        (HeardWords.NONE, []),
    ],
)
def test_words_settle_what_a_ducked_agent_does(words: HeardWords, after: list[Action]) -> None:
    talk = overlapping()
    talk.wait_until(5120)
    assert talk.at(5200, OverlapHeard(turn(2), words)) == after


@pytest.mark.parametrize(
    ("event", "what"),
    [
        (OverlapHeard(turn(2), HeardWords.BACKCHANNEL), Verdict.BACKCHANNEL),
        (OverlapHeard(turn(2), HeardWords.ECHO), Verdict.ECHO),
        (EchoJudged(turn(2), 0.6), Verdict.ECHO),
    ],
)
def test_an_agent_that_was_held_for_nothing_resumes(event: Event, what: Verdict) -> None:
    talk = held()
    assert talk.at(5500, event) == [verdict(what, 500), ResumeReply(reply(1))]
    assert talk.is_now(User.SPEAKING, Agent.SPEAKING)


@pytest.mark.parametrize(
    ("words", "reason", "what"),
    [
        (HeardWords.BACKCHANNEL, DropReason.BACKCHANNEL, Verdict.BACKCHANNEL),
        (HeardWords.NONE, DropReason.NOISE, Verdict.NOISE),
        (HeardWords.ECHO, DropReason.ECHO, Verdict.ECHO),
    ],
)
def test_what_was_no_bid_for_the_floor_is_dropped_at_the_final_verdict(
    words: HeardWords, reason: DropReason, what: Verdict
) -> None:
    talk = held()
    talk.at(5400, SpeechStopped(5400))
    assert talk.at(5600, OverlapHeard(turn(2), words)) == [verdict(what, 600), ResumeReply(reply(1))]
    assert talk.wait_until(5900) == [DropTurn(turn(2), reason)], "nothing is announced, committed or answered"
    assert talk.is_now(User.SILENT, Agent.SPEAKING)
    assert talk.at(7000, ReplyFinished(reply(1))) == []


def test_a_short_sound_of_which_no_words_are_read_is_let_be() -> None:
    talk = overlapping()
    talk.wait_until(5120)
    assert talk.at(5250, SpeechStopped(5250)) == [ExaminePause(turn(2), 1, 5250), RestoreReply(reply(1))]
    assert talk.wait_until(5900) == [verdict(Verdict.BACKCHANNEL, 900), DropTurn(turn(2), DropReason.BACKCHANNEL)]
    assert talk.is_now(User.SILENT, Agent.SPEAKING)


def test_a_short_start_that_was_broken_off_wants_the_floor() -> None:
    talk = overlapping()
    talk.at(5300, SpeechStopped(5300))
    assert talk.at(5400, EndOfTurnScored(turn(2), 1, 0.1)) == [verdict(Verdict.HOLD, 400), HoldReply(reply(1))]
    assert talk.wait_until(5900)[:3] == [verdict(Verdict.INTERRUPTION, 900), STOPPED, ANNOUNCED]


def test_a_backchannel_that_turns_into_speech_takes_the_floor_after_all() -> None:
    talk = overlapping()
    talk.at(5200, OverlapHeard(turn(2), HeardWords.BACKCHANNEL))
    assert talk.wait_until(6399) == []
    assert heard(talk.wait_until(6400)) == [verdict(Verdict.INTERRUPTION, 1400), STOPPED, ANNOUNCED]


def test_an_interruption_whose_user_fell_silent_meanwhile_ends_like_any_turn() -> None:
    talk = held()
    talk.at(5800, SpeechStopped(5800))
    talk.wait_until(5900)
    assert talk.is_now(User.ENDING, Agent.IDLE)
    assert talk.wait_until(6300) == [CommitTurn(turn(2), 5800, CommitReason.ENDPOINT)]
    assert talk.at(6400, TurnTranscribed(turn(2), True)) == [StartReply(reply(2), turn(2))]


# ---- a voice that comes back ----------------------------------------------------------------------


def test_each_stretch_over_a_speaking_agent_is_judged_for_itself() -> None:
    talk = overlapping()
    talk.at(5100, SpeechStopped(5100))
    assert talk.at(5700, SpeechStarted(5700)) == [ContinueTurn(turn(2))]
    assert talk.wait_until(5820) == [DuckReply(reply(1))]
    assert talk.core.next_deadline() == 6050


def test_a_held_agent_is_not_made_to_wait_anew_by_every_stretch() -> None:
    talk = held()
    talk.at(5500, SpeechStopped(5500))
    talk.at(5700, SpeechStarted(5700))
    assert talk.is_now(User.SPEAKING, Agent.PAUSED)
    assert talk.wait_until(5900) == [verdict(Verdict.INTERRUPTION, 900), STOPPED, ANNOUNCED]


def test_what_was_read_of_an_earlier_stretch_says_nothing_about_this_one() -> None:
    talk = overlapping()
    talk.at(5100, SpeechStopped(5100))
    talk.at(5200, OverlapHeard(turn(2), HeardWords.BACKCHANNEL))
    talk.at(5700, SpeechStarted(5700))
    talk.wait_until(6050)
    assert talk.is_now(User.SPEAKING, Agent.PAUSED)


# ---- the reply ends, is cancelled, fails, or is asked for meanwhile --------------------------------


@pytest.mark.parametrize(
    ("event", "first"),
    [
        (ReplyFinished(reply(1)), []),
        (ReplyCancelled(), [StopReply(reply(1), StopReason.CLIENT_CANCELLED, GRADED.stop_fade_ms)]),
        (ReplyFailed(reply(1)), [StopReply(reply(1), StopReason.FAILED, GRADED.stop_fade_ms)]),
    ],
)
@pytest.mark.parametrize("opening", [overlapping, held])
def test_speech_that_outlives_the_reply_is_a_turn_like_any_other(
    opening: type[Conversation], event: Event, first: list[Action]
) -> None:
    talk = opening()
    assert talk.at(5400, event) == [*first, ANNOUNCED]
    assert talk.is_now(User.SPEAKING, Agent.IDLE)
    talk.at(6000, SpeechStopped(6000))
    assert talk.wait_until(6500) == [CommitTurn(turn(2), 6000, CommitReason.ENDPOINT)]


def test_an_echo_does_not_outlive_the_reply() -> None:
    talk = overlapping()
    talk.at(5200, EchoJudged(turn(2), 0.9))
    assert talk.at(5400, ReplyFinished(reply(1))) == [DropTurn(turn(2), DropReason.ECHO)]
    assert talk.is_now(User.SILENT, Agent.IDLE)


def test_the_client_drops_the_overlap_and_the_agent_goes_on() -> None:
    talk = held()
    assert talk.at(5400, InputCleared())[0] == ResumeReply(reply(1))
    assert talk.is_now(User.SILENT, Agent.SPEAKING)


def test_the_client_commits_what_held_the_agent_and_has_the_floor() -> None:
    talk = held()
    verdict, *rest = talk.at(5400, InputCommitted(has_audio=True))
    assert isinstance(verdict, ReportVerdict)
    assert verdict.verdict is Verdict.INTERRUPTION
    assert [type(action) for action in rest] == [StopReply, AnnounceTurn, CommitTurn]
    assert talk.is_now(User.SILENT, Agent.IDLE)


def test_a_held_reply_does_not_stall_and_a_resumed_one_may() -> None:
    talk = held(replace(GRADED, stall_timeout_ms=2500, overlap=replace(OVERLAP, last_ms=9000)))
    assert talk.at(5360, ReplyProgressed(reply(1))) == [], "its making goes on; its playing does not"
    assert talk.wait_until(8000) == []
    talk.at(8000, EchoJudged(turn(2), 0.9))
    talk.wait_until(10_499)
    assert talk.is_now(User.SPEAKING, Agent.SPEAKING)
    assert faults(talk.wait_until(10_500)) == [FaultCode.REPLY_STALLED]


def test_a_sound_of_which_nothing_is_known_is_dropped_at_the_greatest_length_of_a_turn() -> None:
    talk = held(replace(GRADED, max_turn_ms=3000, overlap=replace(OVERLAP, last_ms=4000)))
    assert talk.wait_until(8000) == [ResumeReply(reply(1)), DropTurn(turn(2), DropReason.NOISE)]
    assert talk.is_now(User.SILENT, Agent.SPEAKING)
    assert talk.at(9000, SpeechStopped(9000)) == []


def test_a_long_hum_without_words_is_no_turn() -> None:
    talk = overlapping(replace(GRADED, max_turn_ms=3000))
    talk.at(5100, OverlapHeard(turn(2), HeardWords.NONE))
    talk.wait_until(7999)
    assert talk.is_now(User.SPEAKING, Agent.SPEAKING)
    assert talk.wait_until(8000) == [DropTurn(turn(2), DropReason.NOISE)]


# ---- who can be interrupted -----------------------------------------------------------------------


@pytest.mark.parametrize("config", [GRADED, PLAIN])
def test_an_uninterruptible_reply_is_not_and_what_was_said_is_answered_then(config: TurnConfig) -> None:
    talk = Conversation(config)
    talk.at(1000, ReplyRequested(interruptible=False))
    assert talk.at(1100, SpeechStarted(1100)) == [OpenTurn(turn(1), 1100), AnnounceTurn(turn(1))]
    talk.at(1200, InputCleared())
    talk.at(2000, ReplyAudible(reply(1)))
    assert talk.at(3000, SpeechStarted(3000)) == [OpenTurn(turn(2), 3000)]
    talk.at(4500, SpeechStopped(4500))
    assert talk.wait_until(5000) == [CommitTurn(turn(2), 4500, CommitReason.ENDPOINT)]
    assert talk.at(5100, TurnTranscribed(turn(2), True)) == []
    assert talk.at(6000, ReplyFinished(reply(1))) == [StartReply(reply(2), turn(2))]


def test_a_polite_agent_judges_no_overlap() -> None:
    talk = overlapping(POLITE)
    assert talk.core.next_deadline() == 3000 + POLITE.stall_timeout_ms


@pytest.mark.parametrize(("echo", "stops"), [(None, True), (0.5, True), (0.6, False), (1.0, False)])
def test_even_an_immediate_stop_spares_the_echo(echo: float | None, stops: bool) -> None:
    talk = Conversation.speaking(PLAIN)
    talk.at(5000, SpeechStarted(5000, echo))
    assert (talk.core.agent is Agent.IDLE) is stops


def test_an_open_overlap_is_judged_anew_by_another_configuration() -> None:
    talk = held()
    impatient = replace(GRADED, overlap=replace(OVERLAP, last_ms=380))
    assert talk.core.configure(impatient, 5400) == [verdict(Verdict.INTERRUPTION, 400), STOPPED, ANNOUNCED]


# ---- repair ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("has_words", "asked", "first", "begun"),
    [
        (True, Repair.DROP, [], StartReply(reply(2), turn(2))),
        (True, Repair.RESUME, [], StartReply(reply(2), turn(2), Repair.RESUME, reply(1))),
        (True, Repair.REPHRASE, [], StartReply(reply(2), turn(2), Repair.REPHRASE, reply(1))),
        (
            False,
            Repair.DROP,
            [DropTurn(turn(2), DropReason.NO_WORDS)],
            StartReply(reply(2), turn(2), Repair.RESUME, reply(1)),
        ),
    ],
)
def test_the_words_of_an_interruption_say_what_becomes_of_the_rest(
    has_words: bool, asked: Repair, first: list[Action], begun: StartReply
) -> None:
    talk = held()
    talk.wait_until(5900)
    talk.at(6500, SpeechStopped(6500))
    talk.wait_until(7000)
    assert talk.at(7100, TurnTranscribed(turn(2), has_words, asked)) == [*first, begun]


def test_a_turn_that_interrupted_nothing_repairs_nothing() -> None:
    talk = Conversation()
    talk.user_says(1000, 2000)
    assert talk.at(2600, TurnTranscribed(turn(1), True, Repair.RESUME)) == [StartReply(reply(1), turn(1))]


# ---- a policy that fails --------------------------------------------------------------------------


class Raises(PlainOverlap):
    def verdict(self, evidence: OverlapEvidence) -> Verdict:
        raise RuntimeError("out of order")


class SaysNothing(PlainOverlap):
    def verdict(self, evidence: OverlapEvidence) -> Verdict:
        return "hold"  # type: ignore[return-value]


class LooksForever(PlainOverlap):
    def next_look_ms(self, evidence: OverlapEvidence) -> int | None:
        return float("inf")  # type: ignore[return-value]


@pytest.mark.parametrize("policy", [Raises(), SaysNothing()])
def test_an_overlap_policy_that_fails_is_reported_and_the_user_has_the_floor_in_time(policy: Overlap) -> None:
    talk = Conversation.speaking(replace(GRADED, overlap=policy))
    assert faults(talk.at(5000, SpeechStarted(5000))) == [FaultCode.POLICY_FAILED]
    assert talk.core.next_deadline() == 5900
    actions = talk.wait_until(5900)
    assert faults(actions) == [FaultCode.POLICY_FAILED]
    assert without_faults(actions) == [verdict(Verdict.INTERRUPTION, 900), STOPPED, ANNOUNCED]


def test_a_policy_whose_next_look_lies_in_the_past_is_asked_at_its_final_verdict() -> None:
    class LooksBack(PlainOverlap):
        def next_look_ms(self, evidence: OverlapEvidence) -> int | None:
            return 0

    talk = overlapping(replace(GRADED, overlap=LooksBack()))
    assert talk.wait_until(5200) == [DuckReply(reply(1))]
    assert talk.core.next_deadline() == 5900


def test_a_policy_that_never_looks_again_is_asked_at_its_final_verdict_all_the_same() -> None:
    talk = held(replace(GRADED, overlap=LooksForever()))
    assert talk.core.next_deadline() == 5900


# ---- a reply that the client asked for while the user holds the floor ------------------------------


def asked_over_speech(config: TurnConfig = GRADED) -> Conversation:
    """The user speaks from 1000 on, turn 1; the client asks for a reply, which is heard from 3000 on."""
    talk = Conversation(config)
    talk.at(1000, SpeechStarted(1000))
    assert StartReply(reply(1), None) in talk.at(2500, ReplyRequested())
    return talk


def test_a_reply_begun_over_the_user_gives_way_to_a_voice_that_goes_on() -> None:
    talk = asked_over_speech()
    talk.at(3000, ReplyAudible(reply(1)))
    assert HoldReply(reply(1)) in talk.wait_until(3150), "both at once: the reply is young"
    actions = talk.wait_until(3900)
    assert actions == [ReportVerdict(turn(1), Verdict.INTERRUPTION, 900), STOPPED]
    assert talk.is_now(User.SPEAKING, Agent.IDLE)


def test_it_stops_at_once_where_any_voice_stops_it_and_never_where_none_does() -> None:
    talk = asked_over_speech(PLAIN)
    assert StopReply(reply(1), StopReason.USER_SPOKE, PLAIN.stop_fade_ms) in talk.at(3000, ReplyAudible(reply(1)))
    talk = asked_over_speech(POLITE)
    assert talk.at(3000, ReplyAudible(reply(1))) == []
    talk.at(5000, ReplyProgressed(reply(1)))
    assert talk.is_now(User.SPEAKING, Agent.SPEAKING)


def test_a_user_who_falls_silent_is_not_forgotten_but_answered_afterwards() -> None:
    talk = asked_over_speech()
    talk.at(3000, ReplyAudible(reply(1)))
    talk.at(3200, SpeechStopped(3100))
    actions = talk.wait_until(4200)
    assert CommitTurn(turn(1), 3100, CommitReason.ENDPOINT) in actions
    assert not any(isinstance(action, DropTurn) for action in actions)
    assert talk.is_now(User.SILENT, Agent.SPEAKING)
    talk.at(4300, TurnTranscribed(turn(1), has_words=True))
    assert StartReply(reply(2), turn(1)) in talk.at(5000, ReplyFinished(reply(1)))


def test_a_pause_during_the_request_does_not_make_the_user_deaf_to_the_agent() -> None:
    talk = Conversation(GRADED)
    talk.at(1000, SpeechStarted(1000))
    talk.at(2100, SpeechStopped(2000))
    talk.at(2200, ReplyRequested())
    talk.at(2300, ReplyAudible(reply(1)))
    assert ContinueTurn(turn(1)) in talk.at(2400, SpeechStarted(2350))
    assert STOPPED in talk.wait_until(3250)


def test_a_turn_that_goes_on_over_a_reply_ends_at_its_greatest_length_as_a_turn() -> None:
    talk = asked_over_speech(replace(GRADED, max_turn_ms=2500))
    talk.at(3300, ReplyAudible(reply(1)))
    assert CommitTurn(turn(1), 3500, CommitReason.TOO_LONG) in talk.wait_until(3500)


def test_what_the_user_said_before_the_reply_is_no_echo_of_it() -> None:
    talk = asked_over_speech()
    talk.at(3000, ReplyAudible(reply(1)))
    talk.at(3100, EchoJudged(turn(1), 0.9))
    assert not any(isinstance(action, DropTurn) for action in talk.at(3200, ReplyFinished(reply(1))))
    assert talk.is_now(User.SPEAKING, Agent.IDLE)
