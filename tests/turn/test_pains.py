"""What users of other voice servers suffer from, as far as turn-taking is to blame: each pain, and that it is not had.

The pains are those of their issue trackers, in the words of the people who filed them. Here under every strategy that
they concern, on the core alone.
"""

import pytest

from speakback.turn.actions import (
    Action,
    AnnounceTurn,
    Apologise,
    CommitTurn,
    DiscardDraft,
    DropReason,
    DropTurn,
    FaultCode,
    HoldReply,
    ReportFault,
    ResumeReply,
    StartDraft,
    StartReply,
    StopReason,
    StopReply,
)
from speakback.turn.barge_in import BargeIn
from speakback.turn.config import TurnConfig
from speakback.turn.events import (
    EchoJudged,
    EndOfTurnScored,
    Event,
    OverlapHeard,
    PauseTranscribed,
    ReplyAudible,
    ReplyFailed,
    ReplyFinished,
    ReplyProgressed,
    ReplyRequested,
    SpeechStarted,
    SpeechStopped,
    TranscriptionFailed,
    TurnTranscribed,
)
from speakback.turn.strategies import STRATEGIES, strategy
from speakback.turn.tables import Agent, User
from speakback.turn.words import HeardWords, Repair, Unfinished
from tests.turn.conversation import Conversation, faults, reply, turn

AWARE = STRATEGIES["overlap-aware"]
EVERY = list(STRATEGIES.values())
STOPPING = [config for config in EVERY if config.barge_in is not BargeIn.NEVER]


def speaking(config: TurnConfig) -> Conversation:
    """Turn 1 was answered by reply 1, which is heard from 5000 on."""
    talk = Conversation(config)
    talk.at(1000, SpeechStarted(1000))
    talk.at(2000, SpeechStopped(2000))
    talk.wait_until(4800)
    talk.at(4800, TurnTranscribed(turn(1), True))
    talk.at(5000, ReplyAudible(reply(1)))
    assert talk.is_now(User.SILENT, Agent.SPEAKING)
    return talk


def all_until(talk: Conversation, now_ms: int) -> list[Action]:
    """Each deadline exactly when it is due."""
    actions: list[Action] = []
    while (due_ms := talk.core.next_deadline()) is not None and due_ms <= now_ms:
        actions += talk.wait_until(due_ms)
    return actions


def kinds(actions: list[Action]) -> set[type[Action]]:
    return {type(action) for action in actions}


# ---- 1: "backchannels kill the bot" ---------------------------------------------------------------


@pytest.mark.parametrize("read_after_ms", [150, 600, 1500])
@pytest.mark.parametrize("voiced_ms", [200, 400, 600])
def test_pain_1_a_backchannel_does_not_kill_the_reply(voiced_ms: int, read_after_ms: int) -> None:
    """However long it is, whenever its words are read, whatever the transcript path says: one policy for both."""
    talk = speaking(AWARE)
    news: list[tuple[int, Event]] = [
        (7000, SpeechStarted(7000)),
        (7000 + voiced_ms, SpeechStopped(7000 + voiced_ms)),
        (7000 + read_after_ms, OverlapHeard(turn(2), HeardWords.BACKCHANNEL)),
    ]
    actions: list[Action] = []
    for now_ms, event in sorted(news, key=lambda item: item[0]):
        actions += all_until(talk, now_ms) + talk.at(now_ms, event)
    actions += all_until(talk, 9500)
    assert kinds(actions).isdisjoint({StopReply, AnnounceTurn, CommitTurn})
    assert DropTurn(turn(2), DropReason.BACKCHANNEL) in actions
    assert talk.is_now(User.SILENT, Agent.SPEAKING)


# ---- 2: "false interruption, then silence for ever" ------------------------------------------------


@pytest.mark.parametrize("config", STOPPING)
def test_pain_2_a_false_interruption_is_not_followed_by_silence(config: TurnConfig) -> None:
    """A noise stopped the agent in mid-sentence: the reply goes on."""
    talk = speaking(config)
    actions = talk.at(7000, SpeechStarted(7000)) + all_until(talk, 8500)
    assert StopReply(reply(1), StopReason.USER_SPOKE, config.stop_fade_ms) in actions
    talk.at(8500, SpeechStopped(8500))
    all_until(talk, 12_000)
    assert StartReply(reply(2), turn(2), Repair.RESUME, reply(1)) in talk.at(12_000, TurnTranscribed(turn(2), False))


@pytest.mark.parametrize("config", EVERY)
def test_pain_2_a_cough_before_the_reply_does_not_swallow_it(config: TurnConfig) -> None:
    talk = Conversation(config)
    talk.at(1000, SpeechStarted(1000))
    talk.at(2000, SpeechStopped(2000))
    begun = all_until(talk, 4800) + talk.at(4800, TurnTranscribed(turn(1), True))
    begun += talk.at(5000, SpeechStarted(5000))
    talk.at(5100, SpeechStopped(5100))
    begun += all_until(talk, 8000) + talk.at(8000, TurnTranscribed(turn(2), False))
    latest = [action for action in begun if isinstance(action, StartReply)][-1]
    assert latest.turn_id == turn(1)
    talk.at(8500, ReplyAudible(latest.reply_id))
    assert talk.is_now(User.SILENT, Agent.SPEAKING)


def test_pain_2_a_held_reply_whose_user_says_nothing_resumes() -> None:
    talk = speaking(AWARE)
    talk.at(7000, SpeechStarted(7000))
    assert HoldReply in kinds(all_until(talk, 7500))
    talk.at(7500, SpeechStopped(7500))
    actions = talk.at(7600, PauseTranscribed(turn(2), 1, has_words=False))
    actions += talk.at(7600, OverlapHeard(turn(2), HeardWords.NONE))
    actions += all_until(talk, 7000 + AWARE.overlap.settle_ms)
    assert ResumeReply(reply(1)) in actions


# ---- 3: "it interrupts itself by its echo" ----------------------------------------------------------


@pytest.mark.parametrize("config", STOPPING)
def test_pain_3_its_own_voice_does_not_interrupt_it(config: TurnConfig) -> None:
    talk = speaking(config)
    actions = talk.at(7000, SpeechStarted(7000, echo=0.9)) + all_until(talk, 9000)
    actions += talk.at(9000, SpeechStopped(9000)) + all_until(talk, 12_000)
    assert kinds(actions).isdisjoint({StopReply, AnnounceTurn, CommitTurn})
    assert DropTurn(turn(2), DropReason.ECHO) in actions


def test_pain_3_nor_is_an_echo_that_is_known_by_its_words_answered_when_the_reply_ends() -> None:
    talk = speaking(AWARE)
    talk.at(7000, SpeechStarted(7000))
    all_until(talk, 7200)
    talk.at(7200, OverlapHeard(turn(2), HeardWords.ECHO))
    assert talk.at(7300, ReplyFinished(reply(1))) == [DropTurn(turn(2), DropReason.ECHO)]


# ---- 4: "it repeats what was heard, or believes it said what was not" --------------------------------


@pytest.mark.parametrize("config", STOPPING)
def test_pain_4_one_stop_and_the_history_is_cut_once(config: TurnConfig) -> None:
    """`StopReply` is the one order to cut the history, it comes once, and late news of the reply changes nothing."""
    talk = speaking(config)
    actions = talk.at(7000, SpeechStarted(7000)) + all_until(talk, 8500)
    assert [type(action) for action in actions].count(StopReply) == 1
    for late in (ReplyAudible(reply(1)), ReplyProgressed(reply(1)), ReplyFinished(reply(1)), ReplyFailed(reply(1))):
        assert talk.at(8500, late) == []


# ---- 5: "a burst of letters after the barge-in" ------------------------------------------------------


@pytest.mark.parametrize("config", STOPPING)
def test_pain_5_the_client_is_told_to_flush_only_after_the_agent_was_stopped(config: TurnConfig) -> None:
    talk = speaking(config)
    actions = talk.at(7000, SpeechStarted(7000)) + all_until(talk, 8500)
    order = [type(action) for action in actions]
    assert order.index(StopReply) < order.index(AnnounceTurn)
    late = talk.at(8600, OverlapHeard(turn(2), HeardWords.BACKCHANNEL)) + talk.at(8700, EchoJudged(turn(2), 1.0))
    assert late == [], "no later verdict brings a stopped reply back"


# ---- 6: "a hard cut, very robotic" -------------------------------------------------------------------


@pytest.mark.parametrize("config", EVERY)
def test_pain_6_every_stop_is_a_fade(config: TurnConfig) -> None:
    talk = speaking(config)
    [stop, _] = talk.at(7000, ReplyFailed(reply(1)))
    assert isinstance(stop, StopReply)
    assert 10 <= stop.fade_ms <= 60


# ---- 7: "stuck turns, dead air" ----------------------------------------------------------------------


@pytest.mark.parametrize("config", EVERY)
def test_pain_7_a_world_that_never_answers_is_apologised_for(config: TurnConfig) -> None:
    talk = Conversation(config)
    talk.at(1000, SpeechStarted(1000))
    actions = all_until(talk, 400_000)
    assert kinds(actions) >= {CommitTurn, Apologise, StopReply}
    assert faults(actions) == [FaultCode.TURN_TOO_LONG, FaultCode.TRANSCRIPT_OVERDUE, FaultCode.REPLY_STALLED]
    assert talk.is_now(User.SILENT, Agent.IDLE)


@pytest.mark.parametrize("config", EVERY)
@pytest.mark.parametrize("called_tool", [False, True])
def test_pain_7_a_reply_of_nothing_leaves_nobody_stuck(config: TurnConfig, called_tool: bool) -> None:
    """The language model returned no tokens, or a tool call that leads nowhere."""
    talk = speaking(config)
    talk.at(5100, ReplyFinished(reply(1), called_tool))
    actions = all_until(talk, 100_000)
    assert (Apologise in kinds(actions)) is called_tool
    assert talk.is_now(User.SILENT, Agent.IDLE)


@pytest.mark.parametrize("config", EVERY)
def test_pain_7_one_lost_transcript_does_not_silence_the_agent_while_the_user_asks_again(config: TurnConfig) -> None:
    """Whoever asks "hello?" more often than transcripts are waited for is not put off each time."""
    talk = Conversation(config)
    actions: list[Action] = []
    for number in range(1, 6):
        onset_ms = 6000 * number
        actions += all_until(talk, onset_ms) + talk.at(onset_ms, SpeechStarted(onset_ms))
        actions += talk.at(onset_ms + 800, SpeechStopped(onset_ms + 800)) + all_until(talk, onset_ms + 3500)
        if number > 1:
            actions += talk.at(onset_ms + 3500, TurnTranscribed(turn(number), True))
    assert FaultCode.TRANSCRIPT_OVERDUE in faults(actions)
    assert kinds(actions) & {StartReply, Apologise}


@pytest.mark.parametrize("config", EVERY)
def test_pain_7_speaking_without_audio_is_noticed(config: TurnConfig) -> None:
    talk = speaking(config)
    actions = all_until(talk, 5000 + config.stall_timeout_ms)
    assert faults(actions) == [FaultCode.REPLY_STALLED]
    assert Apologise(reply(2), turn(1)) in actions


# ---- 9: "two replies to one turn, and twice the bill" ------------------------------------------------


def test_pain_9_a_draft_that_was_overtaken_never_speaks() -> None:
    talk = Conversation(AWARE)
    talk.at(1000, SpeechStarted(1000))
    talk.at(2000, SpeechStopped(2000))
    talk.at(2050, PauseTranscribed(turn(1), 1, True))
    assert talk.at(2100, EndOfTurnScored(turn(1), 1, 0.4)) == [StartDraft(reply(1), turn(1), 1)]
    assert DiscardDraft(reply(1)) in talk.at(2200, SpeechStarted(2200))
    talk.at(3000, SpeechStopped(3000))
    all_until(talk, 6000)
    assert talk.at(6000, TurnTranscribed(turn(1), True)) == [StartReply(reply(2), turn(1))]
    for late in (ReplyAudible(reply(1)), ReplyFinished(reply(1), called_tool=True), ReplyFailed(reply(1))):
        assert talk.at(6100, late) == []


def test_pain_9_a_client_that_asks_as_well_is_refused_by_its_id() -> None:
    """Both sides start a reply at once."""
    talk = speaking(AWARE)
    [fault] = talk.at(6000, ReplyRequested("evt_5"))
    assert isinstance(fault, ReportFault)
    assert (fault.code.value, fault.request_id) == ("conversation_already_has_active_response", "evt_5")


# ---- 10: "it cuts off numbers and e-mail addresses" --------------------------------------------------


@pytest.mark.parametrize("unfinished", [Unfinished.COUNTING, Unfinished.ADDRESS, Unfinished.HESITATION])
def test_pain_10_a_number_is_waited_for_and_a_plain_yes_is_not(unfinished: Unfinished) -> None:
    waits = []
    for kind in (Unfinished.NO, unfinished):
        talk = Conversation(AWARE)
        talk.at(1000, SpeechStarted(1000))
        talk.at(2000, SpeechStopped(2000))
        talk.at(2050, PauseTranscribed(turn(1), 1, True))
        talk.at(2060, EndOfTurnScored(turn(1), 1, 0.95, kind))
        waits.append((talk.core.next_deadline() or 0) - 2000)
    assert waits[0] <= 400
    assert waits[1] >= 1200


# ---- 11: "hidden fixed waits" ------------------------------------------------------------------------


@pytest.mark.parametrize("config", EVERY)
def test_pain_11_the_wait_counts_from_the_last_voiced_sample(config: TurnConfig) -> None:
    """What the VAD, the recogniser and the end-of-turn model need is not added to it."""
    dues = set()
    for noticed_ms in (2000, 2150):
        talk = Conversation(config)
        talk.at(1000, SpeechStarted(1000))
        talk.at(noticed_ms, SpeechStopped(2000))
        talk.at(2160, PauseTranscribed(turn(1), 1, True))
        talk.at(2170, EndOfTurnScored(turn(1), 1, 0.5))
        dues.add(talk.core.next_deadline())
    assert len(dues) == 1


@pytest.mark.parametrize("config", EVERY)
def test_pain_11_nothing_waits_once_all_is_known(config: TurnConfig) -> None:
    talk = Conversation(config)
    talk.at(1000, SpeechStarted(1000))
    talk.at(2000, SpeechStopped(2000))
    all_until(talk, 4800)
    assert StartReply in kinds(talk.at(4800, TurnTranscribed(turn(1), True)))
    assert talk.at(4900, ReplyFailed(reply(1)))[1:] == [Apologise(reply(2), turn(1))]


# ---- 12: "interruption settings do not do what they say" ---------------------------------------------


@pytest.mark.parametrize("words", [None, *HeardWords])
def test_pain_12_half_duplex_never_gives_way_to_sound_or_words(words: HeardWords | None) -> None:
    talk = speaking(STRATEGIES["half-duplex"])
    actions = talk.at(7000, SpeechStarted(7000)) + all_until(talk, 7400)
    actions += talk.at(7400, OverlapHeard(turn(2), words)) if words else []
    actions += talk.at(8000, SpeechStopped(8000)) + all_until(talk, 9000)
    actions += talk.at(9000, TurnTranscribed(turn(2), True))
    assert kinds(actions).isdisjoint({StopReply, HoldReply, AnnounceTurn})
    assert talk.at(9500, ReplyFinished(reply(1))) == [StartReply(reply(2), turn(2))], "and it is not lost"


@pytest.mark.parametrize("config", STOPPING)
def test_pain_12_uninterruptible_means_that(config: TurnConfig) -> None:
    talk = Conversation(config)
    talk.at(1000, ReplyRequested(interruptible=False))
    talk.at(1200, ReplyAudible(reply(1)))
    actions = talk.at(2000, SpeechStarted(2000)) + all_until(talk, 4000)
    assert kinds(actions).isdisjoint({StopReply, HoldReply, AnnounceTurn})


def test_pain_12_words_do_not_add_up_over_the_whole_of_the_agents_turn() -> None:
    """Two backchannels far apart are two, not one long utterance."""
    talk = speaking(AWARE)
    for number, onset_ms in ((2, 7000), (3, 9000), (4, 11_000)):
        actions = talk.at(onset_ms, SpeechStarted(onset_ms))
        actions += talk.at(onset_ms + 300, SpeechStopped(onset_ms + 300))
        actions += talk.at(onset_ms + 500, OverlapHeard(turn(number), HeardWords.BACKCHANNEL))
        actions += talk.at(onset_ms + 500, PauseTranscribed(turn(number), 1, has_words=True))
        actions += all_until(talk, onset_ms + 1000)
        assert StopReply not in kinds(actions)
    assert talk.is_now(User.SILENT, Agent.SPEAKING)


@pytest.mark.parametrize("least_ms", [500, 1300])
@pytest.mark.parametrize(("setting", "words"), [("final_ms", HeardWords.CONTENT), ("last_ms", HeardWords.BACKCHANNEL)])
def test_pain_12_the_time_of_the_verdict_is_what_the_setting_says(
    setting: str, words: HeardWords, least_ms: int
) -> None:
    talk = speaking(strategy("overlap-aware", {f"overlap.{setting}": least_ms}))
    talk.at(7000, SpeechStarted(7000))
    talk.at(7100, OverlapHeard(turn(2), words))
    assert StopReply not in kinds(all_until(talk, 7000 + least_ms - 1))
    assert StopReply in kinds(all_until(talk, 7000 + least_ms))


# ---- 2 again: nor is a transcript that failed followed by silence -------------------------------------


@pytest.mark.parametrize("config", STOPPING)
def test_pain_2_an_interruption_that_cannot_be_transcribed_is_apologised_for(config: TurnConfig) -> None:
    talk = speaking(config)
    talk.at(7000, SpeechStarted(7000))
    all_until(talk, 8500)
    talk.at(8500, SpeechStopped(8500))
    all_until(talk, 12_000)
    assert Apologise(reply(2), turn(2)) in talk.at(12_000, TranscriptionFailed(turn(2)))
