"""Drafts: begun in a pause, promoted by their own id or discarded unseen, and bounded by what they waste."""

from dataclasses import replace

import pytest

from speakback.turn.actions import (
    Action,
    Apologise,
    CommitReason,
    CommitTurn,
    DiscardDraft,
    DropReason,
    DropTurn,
    FaultCode,
    StartDraft,
    StartReply,
    StopReason,
    StopReply,
)
from speakback.turn.barge_in import BargeIn
from speakback.turn.config import TurnConfig
from speakback.turn.drafts import DraftBook, Drafts
from speakback.turn.events import (
    DraftSettled,
    EndOfTurnScored,
    Event,
    InputCleared,
    InputCommitted,
    PauseTranscribed,
    ReplyAudible,
    ReplyCancelled,
    ReplyFinished,
    ReplyRequested,
    SpeechStarted,
    SpeechStopped,
    TranscriptionFailed,
    TurnTranscribed,
)
from speakback.turn.tables import Agent, User
from tests.turn.conversation import GRADED, PLAIN, Conversation, faults, reply, turn, without_faults

DRAFTING = replace(PLAIN, drafts=Drafts(least_probability=0.25))
STARTED = StartDraft(reply(1), turn(1), 1)
DISCARDED = DiscardDraft(reply(1))


def pausing(config: TurnConfig = DRAFTING) -> Conversation:
    """The user spoke from 1000 and fell silent at 2000."""
    talk = Conversation(config)
    talk.at(1000, SpeechStarted(1000))
    talk.at(2000, SpeechStopped(2000))
    return talk


def drafting(config: TurnConfig = DRAFTING) -> Conversation:
    """As `pausing`, and reply 1 is drafted since 2100."""
    talk = pausing(config)
    talk.at(2050, PauseTranscribed(turn(1), 1, has_words=True))
    assert talk.at(2100, EndOfTurnScored(turn(1), 1, 0.5)) == [STARTED]
    return talk


def waiting() -> Conversation:
    """As `drafting`, and the turn was committed at 2500."""
    talk = drafting()
    assert talk.wait_until(2500) == [CommitTurn(turn(1), 2000, CommitReason.ENDPOINT)]
    return talk


# ---- begun ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("probability", "begun"), [(0.24, []), (0.25, [STARTED]), (1.0, [STARTED])])
def test_a_draft_needs_an_end_that_is_likely_enough(probability: float, begun: list[Action]) -> None:
    talk = pausing()
    talk.at(2050, PauseTranscribed(turn(1), 1, has_words=True))
    assert talk.at(2100, EndOfTurnScored(turn(1), 1, probability)) == begun


def test_the_score_may_come_before_the_words() -> None:
    talk = pausing()
    assert talk.at(2050, EndOfTurnScored(turn(1), 1, 0.5)) == []
    assert talk.at(2100, PauseTranscribed(turn(1), 1, has_words=True)) == [STARTED]


def test_nothing_is_drafted_to_no_words() -> None:
    talk = pausing()
    talk.at(2050, PauseTranscribed(turn(1), 1, has_words=False))
    assert talk.at(2100, EndOfTurnScored(turn(1), 1, 0.9)) == []


@pytest.mark.parametrize("config", [PLAIN, replace(DRAFTING, auto_reply=False)])
def test_nothing_is_drafted_where_it_is_not_wanted(config: TurnConfig) -> None:
    talk = pausing(config)
    talk.at(2050, PauseTranscribed(turn(1), 1, has_words=True))
    assert talk.at(2100, EndOfTurnScored(turn(1), 1, 0.9)) == []


def test_a_pause_leads_to_one_draft() -> None:
    assert drafting().at(2150, EndOfTurnScored(turn(1), 1, 0.9)) == []


def test_a_turn_that_interrupted_the_agent_is_not_drafted_to() -> None:
    """Its words may ask for the rest of what was interrupted."""
    talk = Conversation.speaking(DRAFTING)
    talk.at(4000, SpeechStarted(4000))
    talk.at(5000, SpeechStopped(5000))
    talk.at(5050, PauseTranscribed(turn(2), 1, has_words=True))
    assert talk.at(5100, EndOfTurnScored(turn(2), 1, 0.9)) == []


def test_nothing_is_drafted_while_another_turn_is_still_transcribed() -> None:
    talk = Conversation(DRAFTING)
    talk.user_says(1000, 2000)
    talk.at(2600, SpeechStarted(2600))
    talk.at(3000, SpeechStopped(3000))
    talk.at(3050, PauseTranscribed(turn(2), 1, has_words=True))
    assert talk.at(3100, EndOfTurnScored(turn(2), 1, 0.9)) == []


def test_no_more_than_so_many_drafts_a_turn() -> None:
    talk = pausing(replace(DRAFTING, drafts=Drafts(most_per_turn=2)))
    started = 0
    for pause, now_ms in enumerate(range(2000, 6000, 400), start=1):
        talk.at(now_ms + 50, PauseTranscribed(turn(1), pause, has_words=True))
        actions = talk.at(now_ms + 100, EndOfTurnScored(turn(1), pause, 0.5))
        started += len(actions)
        talk.at(now_ms + 200, SpeechStarted(now_ms + 200))
        talk.at(now_ms + 400, SpeechStopped(now_ms + 400))
    assert started == 2


# ---- promoted -------------------------------------------------------------------------------------


def test_a_draft_is_promoted_by_its_own_id() -> None:
    talk = waiting()
    assert talk.at(2600, TurnTranscribed(turn(1), True)) == [StartReply(reply(1), turn(1))]
    talk.at(2700, ReplyAudible(reply(1)))
    assert talk.is_now(User.SILENT, Agent.SPEAKING)
    talk.at(5000, ReplyFinished(reply(1)))
    talk.user_says(6000, 7000)
    assert talk.at(7600, TurnTranscribed(turn(2), True)) == [StartReply(reply(2), turn(2))], "and ids go on"


# ---- discarded ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "after"),
    [
        (SpeechStarted(2200), [DISCARDED]),
        (InputCleared(), [DISCARDED, DropTurn(turn(1), DropReason.CLEARED)]),
        (InputCommitted(has_audio=True), [DISCARDED]),
        (ReplyRequested(), [DISCARDED, StartReply(reply(2), None)]),
    ],
    ids=["the user goes on", "cleared", "committed by the client", "a reply asked for"],
)
def test_a_draft_is_discarded_while_the_turn_is_open(event: Event, after: list[Action]) -> None:
    actions = drafting().at(2200, event)
    assert [action for action in actions if action in after] == after


@pytest.mark.parametrize(
    ("event", "after"),
    [
        (SpeechStarted(2550), [DISCARDED]),
        (TurnTranscribed(turn(1), False), [DropTurn(turn(1), DropReason.NO_WORDS), DISCARDED]),
        (TranscriptionFailed(turn(1)), [DISCARDED, Apologise(reply(2), turn(1))]),
        (ReplyCancelled(), [DISCARDED]),
    ],
    ids=["the user goes on", "no words", "no transcript", "cancelled"],
)
def test_a_draft_is_discarded_while_the_transcript_is_waited_for(event: Event, after: list[Action]) -> None:
    actions = waiting().at(2550, event)
    assert [action for action in actions if action in after] == after


def test_a_draft_does_not_answer_two_turns() -> None:
    talk = waiting()
    talk.at(2550, SpeechStarted(2550))
    talk.at(3000, SpeechStopped(3000))
    talk.wait_until(3500)
    talk.at(3600, TurnTranscribed(turn(1), True))
    assert talk.at(3700, TurnTranscribed(turn(2), True)) == [StartReply(reply(2), turn(2))]


def test_a_draft_gives_way_to_what_else_came_to_be_owed() -> None:
    """A tool that is overdue: its apology and the turn are answered together, which the draft did not know."""
    talk = Conversation.speaking(replace(DRAFTING, barge_in=BargeIn.NEVER, tool_timeout_ms=700))
    talk.at(4000, SpeechStarted(4000))
    talk.at(4100, ReplyFinished(reply(1), called_tool=True))
    talk.at(4600, SpeechStopped(4600))
    talk.at(4650, PauseTranscribed(turn(2), 1, has_words=True))
    assert talk.at(4700, EndOfTurnScored(turn(2), 1, 0.5)) == [StartDraft(reply(2), turn(2), 1)]
    assert len(faults(talk.wait_until(4800))) == 1
    talk.wait_until(5100)
    actions = talk.at(5200, TurnTranscribed(turn(2), True))
    assert actions == [DiscardDraft(reply(2)), StartReply(reply(3), turn(2))]


def test_an_interrupted_draft_does_not_come_back_as_one() -> None:
    talk = waiting()
    talk.at(2600, TurnTranscribed(turn(1), True))
    stopped = StopReply(reply(1), StopReason.USER_SPOKE, DRAFTING.stop_fade_ms)
    assert talk.at(2700, SpeechStarted(2700))[0] == stopped
    talk.at(2800, InputCleared())
    assert talk.core.handle(ReplyFinished(reply(1)), 2900) == [], "reply 1 is over"


# ---- the budget -----------------------------------------------------------------------------------


def test_what_drafts_cost_is_counted_once() -> None:
    talk = drafting()
    talk.at(2200, SpeechStarted(2200))
    assert talk.core.drafts == DraftBook(started=1)
    settled = DraftSettled(reply(1), promoted=False, tokens=12, characters=40)
    assert talk.at(2250, settled) == talk.at(2260, settled) == []
    assert talk.core.drafts == DraftBook(started=1, wasted_tokens=12, wasted_characters=40)
    assert DraftBook().with_settled(promoted=True, tokens=5, characters=20) == DraftBook(
        promoted=1, useful_tokens=5, useful_characters=20
    )


def test_what_was_no_draft_is_not_counted() -> None:
    talk = Conversation.speaking()
    assert talk.at(3100, DraftSettled(reply(1), promoted=True, tokens=12, characters=40)) == []
    assert talk.core.drafts == DraftBook()
    assert len(faults(talk.at(3200, DraftSettled(reply(2), promoted=True, tokens=1, characters=1)))) == 1


def test_too_much_waste_ends_drafting_until_there_is_use() -> None:
    talk = wasteful()
    assert talk.at(2400, EndOfTurnScored(turn(1), 2, 0.5)) == []


def test_a_sure_end_is_drafted_to_though_the_budget_is_spent() -> None:
    """Else one early mistake would end drafting for the rest of the conversation."""
    talk = wasteful()
    assert StartDraft in map(type, talk.at(2400, EndOfTurnScored(turn(1), 2, 0.9)))


def wasteful() -> Conversation:
    talk = drafting()
    talk.at(2200, SpeechStarted(2200))
    talk.at(2250, DraftSettled(reply(1), promoted=False, tokens=61, characters=0))
    talk.at(2300, SpeechStopped(2300))
    talk.at(2350, PauseTranscribed(turn(1), 2, has_words=True))
    return talk


@pytest.mark.parametrize(
    ("book", "allowed"),
    [
        (DraftBook(), True),
        (DraftBook(wasted_tokens=60), True),
        (DraftBook(wasted_tokens=61), False),
        (DraftBook(wasted_tokens=100, useful_tokens=100), True),
        (DraftBook(wasted_tokens=101, useful_tokens=100), False),
        (DraftBook(wasted_characters=240), True),
        (DraftBook(wasted_characters=241), False),
        (DraftBook(wasted_characters=640, useful_characters=1000), True),
        (DraftBook(wasted_characters=641, useful_characters=1000), False),
    ],
)
def test_waste_is_bounded_by_a_free_amount_and_a_share_of_what_was_of_use(book: DraftBook, allowed: bool) -> None:
    policy = Drafts(wasted_share=0.4, free_tokens=60, free_characters=240)
    assert policy.allows(book, 0.5, drafted_in_turn=0) is allowed


def test_a_policy_that_fails_is_reported_and_nothing_is_drafted() -> None:
    class Raises(Drafts):
        def allows(self, book: DraftBook, probability: float, drafted_in_turn: int) -> bool:
            raise RuntimeError("out of order")

    talk = pausing(replace(PLAIN, drafts=Raises()))
    talk.at(2050, PauseTranscribed(turn(1), 1, has_words=True))
    actions = talk.at(2100, EndOfTurnScored(turn(1), 1, 0.9))
    assert faults(actions) == [FaultCode.POLICY_FAILED]
    assert without_faults(actions) == []
    assert CommitTurn(turn(1), 2000, CommitReason.ENDPOINT) in talk.wait_until(2500)


def test_an_overlap_is_not_drafted_to_before_it_is_a_turn() -> None:
    talk = Conversation.speaking(replace(GRADED, drafts=Drafts()))
    talk.at(5000, SpeechStarted(5000))
    talk.at(5300, SpeechStopped(5300))
    talk.at(5350, PauseTranscribed(turn(2), 1, has_words=True))
    assert not any(isinstance(action, StartDraft) for action in talk.at(5400, EndOfTurnScored(turn(2), 1, 0.9)))
