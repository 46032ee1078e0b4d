"""From the trace of a session to what became of its replies, turns and drafts. Pure."""

from dataclasses import dataclass, field

from speakback.evaluate.conduct import Service
from speakback.evaluate.floor import LONGEST_FTO_MS
from speakback.timebase import ReplyId, TurnId
from speakback.turn import actions as act
from speakback.turn.config import TurnConfig
from speakback.turn.events import DraftSettled, ReplyAudible, ReplyCancelled, ReplyFinished
from speakback.turn.trace_format import RecordedTrace, Step


def service_of(trace: RecordedTrace) -> Service:
    """The counts of one session.

    A turn is answered once the reply to it sounds, or ends as text or a tool call; an apology is no answer. One that is
    still owed its answer at the end counts as missed if the agent had been silent for over 5 s since; else it is not
    counted at all.
    """
    books = _Books(trace.header.strategy)
    for step in trace.steps:
        books.enter(step)
    end_ms = max((step.now_ms for step in trace.steps), default=0)
    overdue = 0
    if books.silent_ms is not None:
        overdue = sum(end_ms - max(since, books.silent_ms) > LONGEST_FTO_MS for since in books.owed.values())
    promoted = [draft for draft in books.drafts if draft.promoted]
    wasted = [draft for draft in books.drafts if not draft.promoted]
    return Service(
        replies=books.replies,
        replies_truncated=books.truncated,
        turns_committed=books.answered + books.missed + overdue,
        turns_missed=books.missed + overdue,
        drafts_started=books.drafts_started,
        drafts_promoted=len(promoted),
        wasted_tokens=sum(draft.tokens for draft in wasted),
        useful_tokens=sum(draft.tokens for draft in promoted),
        wasted_chars=sum(draft.characters for draft in wasted),
        useful_chars=sum(draft.characters for draft in promoted),
    )


@dataclass(slots=True)
class _Books:
    """What is owed, under way and done so far."""

    config: TurnConfig
    owed: dict[TurnId, int] = field(default_factory=dict)
    """Turns that wait for an answer, and since when."""
    reply_id: ReplyId | None = None
    """The reply under way."""
    answers: frozenset[TurnId] = frozenset()
    """What it answers, if it comes to that."""
    is_heard: bool = False
    silent_ms: int | None = 0
    """Since when no reply sounds; None: one does."""
    replies: int = 0
    truncated: int = 0
    answered: int = 0
    missed: int = 0
    drafts_started: int = 0
    drafts: list[DraftSettled] = field(default_factory=list)

    def enter(self, step: Step) -> None:
        match step.event:
            case TurnConfig():
                self.config = step.event
            case DraftSettled():
                self.drafts.append(step.event)
            case ReplyCancelled() if self.reply_id is None and not _is_refused(step):
                self.owed.clear()  # the client wants no answer to what no reply was begun for yet
            case ReplyAudible(reply_id) if reply_id == self.reply_id:
                self.replies += 1
                self.is_heard, self.silent_ms = True, None
                self._settle()
            case ReplyFinished(reply_id) if reply_id == self.reply_id:
                self._settle()
                self.reply_id, self.silent_ms = None, step.now_ms
        for action in step.actions:
            self._act(action, step.now_ms)

    def _act(self, action: act.Action, now_ms: int) -> None:
        match action:
            case act.CommitTurn(turn_id, _, reason) if self.config.auto_reply and reason is not act.CommitReason.CLIENT:
                self.owed[turn_id] = now_ms
            case act.DropTurn(turn_id):
                self.owed.pop(turn_id, None)
            case act.StartReply(reply_id):
                self._begin(reply_id, frozenset(self.owed))
            case act.Apologise(reply_id):
                self.missed += len(self.owed)
                self.owed.clear()
                self._begin(reply_id, frozenset())
            case act.Reprompt(reply_id) | act.SayGoodbye(reply_id):
                self._begin(reply_id, frozenset())
            case act.StopReply(reason=reason):
                self.truncated += self.is_heard
                self.reply_id, self.silent_ms = None, now_ms
                if reason is act.StopReason.CLIENT_CANCELLED:
                    self._forget(self.answers)
            case act.StartDraft():
                self.drafts_started += 1

    def _begin(self, reply_id: ReplyId, answers: frozenset[TurnId]) -> None:
        self.reply_id, self.answers, self.is_heard = reply_id, answers, False

    def _settle(self) -> None:
        self.answered += len(self.answers & self.owed.keys())
        self._forget(self.answers)

    def _forget(self, turns: frozenset[TurnId]) -> None:
        for turn_id in turns:
            self.owed.pop(turn_id, None)


def _is_refused(step: Step) -> bool:
    return any(isinstance(action, act.ReportFault) for action in step.actions)
