"""The graded policy within the core: what is said over the agent, when it is read, and who then speaks.

All numbers are those that ship, but for the provisional verdict, which is at a round time here.
"""

from dataclasses import replace

import pytest

from speakback.turn.actions import (
    Action,
    AnnounceTurn,
    CommitReason,
    CommitTurn,
    DropReason,
    DropTurn,
    DuckReply,
    ExaminePause,
    HoldReply,
    OpenTurn,
    ReportVerdict,
    RestoreReply,
    ResumeReply,
    StartReply,
    StopReason,
    StopReply,
)
from speakback.turn.barge_in import BargeIn, Overlap, Verdict
from speakback.turn.config import TurnConfig
from speakback.turn.events import (
    EchoJudged,
    EndOfTurnScored,
    OverlapHeard,
    PauseTranscribed,
    ReplyAudible,
    ReplyFinished,
    SpeechStarted,
    SpeechStopped,
    TurnTranscribed,
)
from speakback.turn.tables import Agent, User
from speakback.turn.words import HeardWords
from tests.turn.conversation import PLAIN, Conversation, reply, turn

AS_SHIPPED = replace(PLAIN, barge_in=BargeIn.GRADED, overlap=replace(Overlap(), provisional_ms=350))
STOPPED = [StopReply(reply(1), StopReason.USER_SPOKE, AS_SHIPPED.stop_fade_ms), AnnounceTurn(turn(2))]


def verdict(of: Verdict, after_ms: int) -> ReportVerdict:
    return ReportVerdict(turn(2), of, after_ms)


def each_until(talk: Conversation, now_ms: int) -> list[tuple[int, Action]]:
    """Every deadline up to then, exactly when it is due: what was done, and when."""
    done: list[tuple[int, Action]] = []
    while (due_ms := talk.core.next_deadline()) is not None and due_ms <= now_ms:
        done += [(due_ms, action) for action in talk.wait_until(due_ms)]
    return done


def overlapping(config: TurnConfig = AS_SHIPPED, echo: float | None = None) -> Conversation:
    """Reply 1 is heard from 3000 on; the user speaks from 5000 on, turn 2."""
    talk = Conversation.speaking(config)
    talk.at(5000, SpeechStarted(5000, echo))
    return talk


def held() -> Conversation:
    """As `overlapping`, and at 5350 the agent was held."""
    talk = overlapping()
    assert each_until(talk, 5350) == [
        (5120, DuckReply(reply(1))),
        (5350, verdict(Verdict.HOLD, 350)),
        (5350, HoldReply(reply(1))),
    ]
    return talk


def short() -> Conversation:
    """As `overlapping`, and at 5300 the voice stopped before the agent was held."""
    talk = overlapping()
    assert each_until(talk, 5300) == [(5120, DuckReply(reply(1)))]
    assert talk.at(5300, SpeechStopped(5300)) == [ExaminePause(turn(2), 1, 5300), RestoreReply(reply(1))]
    return talk


# ---- a voice that goes on -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "floor_at_ms"),
    [
        (None, 6300),
        (HeardWords.NONE, 6300),
        (HeardWords.BACKCHANNEL, 6300),
        (HeardWords.REMARK, 6300),
        (HeardWords.CONTENT, 5900),
    ],
)
def test_it_is_held_for_whatever_was_read_and_has_the_floor_the_sooner_the_more_the_words_tell(
    words: HeardWords | None, floor_at_ms: int
) -> None:
    talk = held()
    if words is not None:
        assert talk.at(5600, OverlapHeard(turn(2), words)) == [], "the hold is not given up while the voice goes on"
    after_ms = floor_at_ms - 5000
    told = [verdict(Verdict.INTERRUPTION, after_ms), *STOPPED]
    assert each_until(talk, floor_at_ms) == [(floor_at_ms, action) for action in told]


def test_words_that_tell_and_are_read_late_give_the_floor_away_at_once() -> None:
    talk = held()
    assert each_until(talk, 6000) == []
    assert talk.at(6000, OverlapHeard(turn(2), HeardWords.CONTENT)) == [verdict(Verdict.INTERRUPTION, 1000), *STOPPED]


# ---- a voice that stopped after the agent was held -------------------------------------------------


def test_a_held_agent_goes_on_as_soon_as_all_was_read_and_is_a_listeners() -> None:
    talk = held()
    assert talk.at(5600, OverlapHeard(turn(2), HeardWords.BACKCHANNEL)) == []
    assert talk.at(5700, SpeechStopped(5700)) == [ExaminePause(turn(2), 1, 5700)]
    read = talk.at(5850, PauseTranscribed(turn(2), 1, has_words=True))
    assert read == [verdict(Verdict.BACKCHANNEL, 850), ResumeReply(reply(1))]
    assert each_until(talk, 5900) == [(5900, DropTurn(turn(2), DropReason.BACKCHANNEL))]


def test_a_held_agent_waits_for_a_sound_without_words_to_go_on() -> None:
    talk = held()
    talk.at(5500, SpeechStopped(5500))
    talk.at(5600, OverlapHeard(turn(2), HeardWords.NONE))
    assert talk.at(5600, PauseTranscribed(turn(2), 1, has_words=False)) == []
    assert each_until(talk, 6199) == []
    assert each_until(talk, 6200) == [
        (6200, verdict(Verdict.NOISE, 1200)),
        (6200, ResumeReply(reply(1))),
        (6200, DropTurn(turn(2), DropReason.NOISE)),
    ]


@pytest.mark.parametrize("end_ms", [5699, 5700])
def test_what_is_never_read_is_judged_by_its_length_when_it_is_settled(end_ms: int) -> None:
    talk = held()
    talk.at(end_ms, SpeechStopped(end_ms))
    assert each_until(talk, 6199) == []
    done = [action for _, action in each_until(talk, 6200)]
    if end_ms < 5700:
        assert done == [verdict(Verdict.BACKCHANNEL, 1200), ResumeReply(reply(1))]
    else:
        assert done[:3] == [verdict(Verdict.INTERRUPTION, 1200), *STOPPED]


# ---- a voice that stopped before --------------------------------------------------------------------


def test_a_short_sound_never_holds_and_stays_a_turn_until_its_words_can_be_waited_for_no_longer() -> None:
    talk = short()
    assert each_until(talk, 6199) == [], "while it is open nothing is reported, and nobody is held"
    assert each_until(talk, 6200) == [(6200, verdict(Verdict.BACKCHANNEL, 1200))]
    assert talk.is_now(User.ENDING, Agent.SPEAKING)
    assert each_until(talk, 6799) == []
    assert each_until(talk, 6800) == [(6800, DropTurn(turn(2), DropReason.BACKCHANNEL))]
    assert talk.is_now(User.SILENT, Agent.SPEAKING)


def test_words_that_come_after_it_settled_still_count() -> None:
    talk = short()
    each_until(talk, 6500)
    talk.at(6500, PauseTranscribed(turn(2), 1, has_words=True))
    assert talk.is_now(User.SILENT, Agent.SPEAKING), "read and let be: it is over"
    talk = short()
    each_until(talk, 6500)
    assert talk.at(6500, OverlapHeard(turn(2), HeardWords.CONTENT))[:3] == [
        verdict(Verdict.INTERRUPTION, 1500),
        *STOPPED,
    ]


@pytest.mark.parametrize(("end_of_turn", "stops"), [(0.07, True), (0.08, False), (0.9, False)])
def test_a_remark_is_answered_when_the_agent_has_finished_unless_it_was_broken_off(
    end_of_turn: float, stops: bool
) -> None:
    talk = short()
    talk.at(5400, OverlapHeard(turn(2), HeardWords.REMARK))
    assert talk.at(5400, PauseTranscribed(turn(2), 1, has_words=True)) == []
    scored = talk.at(5450, EndOfTurnScored(turn(2), 1, end_of_turn))
    assert scored[:3] == ([verdict(Verdict.INTERRUPTION, 450), *STOPPED] if stops else [])
    if not stops:
        assert each_until(talk, 6199) == []
        assert [action for _, action in each_until(talk, 6200)] == [
            verdict(Verdict.BACKCHANNEL, 1200),
            CommitTurn(turn(2), 5300, CommitReason.ENDPOINT),
        ]
        assert talk.at(6300, TurnTranscribed(turn(2), has_words=True)) == []
        assert talk.at(7000, ReplyFinished(reply(1))) == [StartReply(reply(2), turn(2))]


# ---- someone who speaks up over an echo --------------------------------------------------------------


def test_who_speaks_up_over_an_echo_began_only_then_however_often_that_is_said() -> None:
    talk = overlapping(echo=0.9)
    assert each_until(talk, 7000) == []
    assert talk.at(7000, EchoJudged(turn(2), 0.2)) == [DuckReply(reply(1))]
    assert talk.at(7050, EchoJudged(turn(2), 0.1)) == [], "said again, it does not date it anew"
    assert each_until(talk, 7099) == []
    assert each_until(talk, 7100) == [(7100, verdict(Verdict.HOLD, 350)), (7100, HoldReply(reply(1)))]
    assert each_until(talk, 8049) == []
    assert each_until(talk, 8050)[0] == (8050, verdict(Verdict.INTERRUPTION, 1300))


def test_the_words_of_the_echo_are_not_those_of_who_speaks_up() -> None:
    talk = overlapping()
    assert talk.at(5100, OverlapHeard(turn(2), HeardWords.ECHO)) == [verdict(Verdict.ECHO, 100)]
    talk.at(7000, EchoJudged(turn(2), 0.2))
    assert each_until(talk, 7100)[-1] == (7100, HoldReply(reply(1)))


def test_an_echo_of_the_replys_first_words_does_not_make_it_a_young_reply_for_ever() -> None:
    talk = Conversation.thinking(AS_SHIPPED)
    talk.at(3000, ReplyAudible(reply(1)))
    talk.at(3100, SpeechStarted(3100, echo=0.9))
    assert talk.at(6000, EchoJudged(turn(2), 0.2)) == [DuckReply(reply(1))]
    assert each_until(talk, 6099) == []
    assert each_until(talk, 6100)[-1] == (6100, HoldReply(reply(1)))


def test_who_speaks_up_over_an_echo_is_no_echo_when_the_reply_ends() -> None:
    talk = overlapping(echo=0.9)
    talk.at(7000, EchoJudged(turn(2), 0.2))
    assert talk.at(7050, ReplyFinished(reply(1))) == [AnnounceTurn(turn(2))]
    assert talk.is_now(User.SPEAKING, Agent.IDLE)


@pytest.mark.parametrize("echo", [0.3, 0.5])
def test_a_level_that_does_not_tell_dates_nothing_anew(echo: float) -> None:
    talk = overlapping(echo=0.9)
    assert talk.at(7000, EchoJudged(turn(2), echo))[0] == verdict(Verdict.INTERRUPTION, 2000)


def test_silence_after_an_echo_is_nobody_speaking_up() -> None:
    """The level is low then, too."""
    talk = overlapping(echo=0.9)
    talk.at(6000, SpeechStopped(6000))
    talk.at(6050, OverlapHeard(turn(2), HeardWords.ECHO))
    assert talk.at(6100, EchoJudged(turn(2), 0.0)) == []
    assert each_until(talk, 6800) == [(6800, DropTurn(turn(2), DropReason.ECHO))]


def test_an_immediate_stop_follows_it_too() -> None:
    talk = Conversation.speaking(PLAIN)
    talk.at(5000, SpeechStarted(5000, echo=0.9))
    assert talk.at(5300, EchoJudged(turn(2), 0.2)) == [verdict(Verdict.INTERRUPTION, 250), *STOPPED]


def test_it_is_an_echo_again_and_that_is_reported() -> None:
    talk = overlapping(echo=0.9)
    talk.at(7000, EchoJudged(turn(2), 0.2))
    assert talk.at(7050, EchoJudged(turn(2), 0.9)) == [verdict(Verdict.ECHO, 300), RestoreReply(reply(1))]


def test_another_stretch_over_a_reply_that_is_no_longer_young_is_not_over_a_young_one() -> None:
    talk = Conversation.speaking(AS_SHIPPED)
    assert talk.at(3100, SpeechStarted(3100)) == [OpenTurn(turn(2), 3100)]
    talk.at(3150, SpeechStopped(3150))
    talk.at(3700, SpeechStarted(3700))
    assert each_until(talk, 4049) == [(3820, DuckReply(reply(1)))]
    assert each_until(talk, 4050) == [(4050, verdict(Verdict.HOLD, 350)), (4050, HoldReply(reply(1)))]
