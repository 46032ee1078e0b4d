"""Replies are as late as their providers, and drafts save what they did."""

from random import Random

from speakback.lab.agent import PROMOTION_MS, Agent
from speakback.lab.clock import Clock
from speakback.lab.draws import log_normal
from speakback.lab.latencies import Latencies
from speakback.timebase import ReplyId, TurnId
from speakback.turn.actions import Apologise, DiscardDraft, StartDraft, StartReply
from speakback.turn.events import DraftSettled, Event, ReplyAudible, ReplyFinished, ReplyProgressed
from speakback.turn.words import Repair

EXACT = Latencies(
    "exact",
    transcript=log_normal(100, 100),
    end_of_turn=log_normal(50, 50),
    first_token=log_normal(200, 200),
    first_clause=log_normal(40, 40),
    first_audio=log_normal(160, 160),
    tokens_per_s=100,
)
MAKING_MS = 400
FIRST, SECOND = ReplyId(1), ReplyId(2)
TURN = TurnId(1)


class Stage:
    """An agent and what it told."""

    def __init__(self, seed: int = 1) -> None:
        self.clock = Clock()
        self.told: list[tuple[int, Event]] = []
        self.agent = Agent(self.clock, EXACT, Random(seed), lambda event: self.told.append((self.clock.now_ms, event)))

    def run(self, until_ms: int = 200_000) -> None:
        while (next_ms := self.clock.next_ms) is not None and next_ms < until_ms:
            self.clock.step()
        self.clock.now_ms = until_ms

    def first(self, kind: type) -> tuple[int, Event]:
        return next((at_ms, event) for at_ms, event in self.told if isinstance(event, kind))


def test_a_reply_takes_what_its_providers_take() -> None:
    stage = Stage()
    stage.agent.start_reply(StartReply(FIRST, TURN))
    stage.run()
    audible_ms, _ = stage.first(ReplyAudible)
    finished_ms, _ = stage.first(ReplyFinished)
    assert audible_ms == MAKING_MS
    assert finished_ms > audible_ms
    assert stage.agent.reply is None


def test_a_long_reply_shows_signs_of_life() -> None:
    for seed in range(50):
        stage = Stage(seed)
        stage.agent.start_reply(StartReply(FIRST, TURN))
        stage.run()
        signs_ms = [at_ms for at_ms, event in stage.told if not isinstance(event, DraftSettled)]
        assert max(b - a for a, b in zip(signs_ms, signs_ms[1:], strict=False)) <= 5000
        if any(isinstance(event, ReplyProgressed) for _, event in stage.told):
            return
    raise AssertionError("no reply was long")


def test_a_promoted_draft_saves_the_time_it_had() -> None:
    stage = Stage()
    stage.agent.start_draft(StartDraft(FIRST, TURN, 1))
    stage.run(300)
    stage.agent.start_reply(StartReply(FIRST, TURN))
    stage.run()
    assert stage.first(ReplyAudible)[0] == MAKING_MS
    settled = stage.first(DraftSettled)[1]
    assert isinstance(settled, DraftSettled)
    assert settled.promoted
    assert 0 < settled.tokens <= 10
    assert 0 < settled.characters <= 40


def test_a_draft_that_is_ready_is_heard_at_once() -> None:
    stage = Stage()
    stage.agent.start_draft(StartDraft(FIRST, TURN, 1))
    stage.run(900)
    stage.agent.start_reply(StartReply(FIRST, TURN))
    stage.run()
    assert stage.first(ReplyAudible)[0] == 900 + PROMOTION_MS


def test_a_discarded_draft_costs_what_was_done() -> None:
    stage = Stage()
    stage.agent.start_draft(StartDraft(FIRST, TURN, 1))
    stage.run(220)
    stage.agent.discard_draft(DiscardDraft(FIRST))
    stage.agent.discard_draft(DiscardDraft(FIRST))
    stage.run(1000)
    assert [event for _, event in stage.told] == [DraftSettled(FIRST, False, 2, 0)]
    assert stage.agent.drafts[0].promoted is False


def test_at_times_the_final_words_differ_and_the_draft_is_wasted() -> None:
    promoted = []
    for seed in range(300):
        stage = Stage(seed)
        stage.agent.start_draft(StartDraft(FIRST, TURN, 1))
        stage.run(300)
        stage.agent.start_reply(StartReply(FIRST, TURN))
        stage.run(1000)
        settled = stage.first(DraftSettled)[1]
        assert isinstance(settled, DraftSettled)
        promoted.append(settled.promoted)
        assert stage.first(ReplyAudible)[0] == (MAKING_MS if settled.promoted else 300 + MAKING_MS)
    assert 0.9 < sum(promoted) / len(promoted) < 1


def test_a_stopped_reply_is_not_heard_to_its_end() -> None:
    stage = Stage()
    stage.agent.start_reply(StartReply(FIRST, TURN))
    stage.run(450)
    stage.agent.stop_reply()
    stage.run()
    assert not any(isinstance(event, ReplyFinished) for _, event in stage.told)
    assert stage.agent.replies[0].stopped_ms == 450


def test_a_reply_stopped_before_it_was_audible_is_never_heard() -> None:
    stage = Stage()
    stage.agent.start_reply(StartReply(FIRST, TURN))
    stage.run(100)
    stage.agent.stop_reply()
    stage.run()
    assert stage.told == []
    assert stage.agent.playing.voice.past == []


def test_the_rest_of_an_interrupted_reply_is_said_when_asked_for() -> None:
    stage = Stage()
    stage.agent.start_reply(StartReply(FIRST, TURN))
    stage.run(450)
    stage.agent.stop_reply()
    stage.run(2000)
    rest = stage.agent.playing.unsaid
    stage.agent.start_reply(StartReply(SECOND, TURN, Repair.RESUME, FIRST))
    stage.run(2000 + MAKING_MS + 1)
    assert stage.agent.playing.unsaid == rest


def test_an_apology_needs_no_model() -> None:
    stage = Stage()
    stage.agent.say_fixed(Apologise(FIRST, TURN))
    stage.run()
    assert stage.first(ReplyAudible)[0] == 160


def test_a_hold_is_kept_on_record() -> None:
    stage = Stage()
    stage.agent.start_reply(StartReply(FIRST, TURN))
    stage.run(450)
    stage.agent.hold_reply()
    stage.run(900)
    stage.agent.resume_reply()
    stage.run()
    assert stage.agent.replies[0].holds == [(450, 900)]
    assert stage.agent.replies[0].finished
