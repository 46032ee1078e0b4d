"""The witness's account of the agent's voice: one reply at a time, ducked and held in turn, drafts, announcements."""

from dataclasses import dataclass, field

from speakback.timebase import ReplyId, TurnId
from speakback.turn.actions import (
    Action,
    AnnounceTurn,
    DiscardDraft,
    DuckReply,
    HoldReply,
    OpenTurn,
    ReportVerdict,
    RestoreReply,
    ResumeReply,
    StartDraft,
)
from speakback.turn.barge_in import Overlap, Verdict
from speakback.turn.core import TurnCore
from speakback.turn.judging import FALLBACK_FINAL_MS
from speakback.turn.tables import Agent


@dataclass
class ActiveReply:
    """The one reply that was begun and is not over."""

    reply_id: ReplyId
    answers: list[TurnId | None]
    is_apology: bool = False
    is_goodbye: bool = False
    heard: bool = False
    is_ducked: bool = False
    held_ms: int | None = None
    """Since when its output is held."""


@dataclass
class Voices:
    """What is being said, prepared, and told."""

    active: ActiveReply | None = None
    last_reply: ReplyId = ReplyId(0)
    draft: StartDraft | None = None
    drafts_started: int = 0
    promoted: set[ReplyId] = field(default_factory=set)
    unsettled: set[ReplyId] = field(default_factory=set)
    settled_as_promoted: int = 0
    announced: set[TurnId] = field(default_factory=set)
    verdict: Verdict | None = None
    """The latest on the open turn."""

    def begin(self, reply: ActiveReply, may_promote_for: TurnId | None = None) -> None:
        assert self.active is None, "one reply at a time"
        if self.draft is not None and reply.reply_id == self.draft.reply_id:
            assert may_promote_for == self.draft.turn_id, "a draft answers its own turn only"
            assert reply.answers == [self.draft.turn_id], "and nothing but it"
            self.promoted.add(reply.reply_id)
            self.draft = None
        else:
            assert self.draft is None, "a draft that is not promoted is discarded first"
            self._check_new(reply.reply_id)
        self.active = reply

    def check(self, action: Action, open_turn: TurnId | None, pause: int, now_ms: int) -> None:
        match action:
            case OpenTurn():
                self.verdict = None
            case AnnounceTurn(turn_id):
                assert turn_id == open_turn
                assert turn_id not in self.announced, "once a turn"
                assert self.active is None or not self.active.heard, "the client would silence the agent"
                self.announced.add(turn_id)
            case ReportVerdict(turn_id, verdict, after_ms):
                assert turn_id == open_turn
                assert verdict is not Verdict.OPEN, "no verdict"
                assert verdict is not self.verdict, "no news"
                assert after_ms >= 0
                self._audible()
                self.verdict = verdict
            case StartDraft(reply_id, turn_id, of_pause):
                assert (turn_id, of_pause) == (open_turn, pause)
                assert (self.draft, self.active) == (None, None)
                self._check_new(reply_id)
                self.draft = action
                self.drafts_started += 1
                self.unsettled.add(reply_id)
            case DiscardDraft(reply_id):
                assert self.draft is not None
                assert reply_id == self.draft.reply_id
                assert reply_id not in self.promoted
                self.draft = None
            case DuckReply(reply_id) | RestoreReply(reply_id):
                reply = self._audible(reply_id)
                assert reply.held_ms is None
                assert reply.is_ducked is isinstance(action, RestoreReply)
                reply.is_ducked = not reply.is_ducked
            case HoldReply(reply_id):
                reply = self._audible(reply_id)
                assert reply.held_ms is None
                reply.held_ms = now_ms
            case ResumeReply(reply_id):
                reply = self._audible(reply_id)
                assert reply.held_ms is not None
                reply.held_ms, reply.is_ducked = None, False
            case _:
                pass  # the witness's

    def note_echo(self, echo: float, policy: Overlap) -> None:
        """Someone who speaks up over an echo is judged from the start, and whatever it is found to be is news."""
        if self.verdict is Verdict.ECHO and echo < policy.not_echo_below:
            self.verdict = None

    def check_states(self, core: TurnCore, open_turn: TurnId | None) -> None:
        reply = self.active
        assert (core.agent in (Agent.SPEAKING, Agent.PAUSED)) == (reply is not None and reply.heard)
        assert (core.agent is Agent.PAUSED) == (reply is not None and reply.held_ms is not None)
        assert core.agent is not Agent.IDLE or reply is None
        if open_turn is None:
            assert reply is None or (not reply.is_ducked and reply.held_ms is None), "the agent has the floor to itself"
        elif reply is None or not reply.heard:
            assert open_turn in self.announced, "nothing speaks against telling the client"
        if reply is not None and reply.held_ms is not None:
            due_ms = core.next_deadline()
            assert due_ms is not None
            assert due_ms <= reply.held_ms + _longest_hold_ms(core), "the final verdict is waited for"
        book = core.drafts
        assert (book.started, book.promoted) == (self.drafts_started, self.settled_as_promoted)

    def check_not_held_too_long(self, core: TurnCore, now_ms: int) -> None:
        """Right after a tick: by `last_ms` a held agent is stopped or goes on."""
        if self.active is not None and self.active.held_ms is not None:
            assert now_ms < self.active.held_ms + _longest_hold_ms(core)

    def _audible(self, reply_id: ReplyId | None = None) -> ActiveReply:
        assert self.active is not None
        assert self.active.heard
        assert reply_id in (None, self.active.reply_id)
        return self.active

    def _check_new(self, reply_id: ReplyId) -> None:
        assert reply_id == self.last_reply + 1, "no reply is begun twice"
        self.last_reply = reply_id


def _longest_hold_ms(core: TurnCore) -> int:
    return max(core.config.overlap.last_ms, FALLBACK_FINAL_MS)
