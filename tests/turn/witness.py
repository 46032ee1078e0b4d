"""Watches a turn core from outside: checks each action against what came before, and keeps account of what is owed.

It knows the contract (actions, events, tables) and nothing of how the core keeps it.
"""

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TypeAlias

from speakback.timebase import ReplyId, TurnId
from speakback.turn.actions import (
    Action,
    Apologise,
    CommitReason,
    CommitTurn,
    ContinueTurn,
    DropTurn,
    ExaminePause,
    FaultCode,
    OpenTurn,
    ReportFault,
    StartReply,
    StopReason,
    StopReply,
)
from speakback.turn.config import TurnConfig
from speakback.turn.core import TurnCore
from speakback.turn.events import (
    Event,
    InputCleared,
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

States: TypeAlias = tuple[User, Agent]

QUIET_STEPS = 40
"""More deadlines than any history may leave behind."""


@dataclass
class ActiveReply:
    """The one reply that was begun and is not over."""

    reply_id: ReplyId
    answers: list[TurnId | None]
    is_apology: bool
    heard: bool = False


@dataclass
class Witness:
    """Drives a core and raises AssertionError at the first action or state that breaks the contract."""

    core: TurnCore
    now_ms: int = 0
    last_turn: TurnId = TurnId(0)
    last_reply: ReplyId = ReplyId(0)
    open_turn: TurnId | None = None
    pauses: int = 0
    untranscribed: set[TurnId] = field(default_factory=set)
    owed: list[TurnId | None] = field(default_factory=list)
    """Committed turns to be answered, and None for each request of the client, that no reply took over."""
    active: ActiveReply | None = None
    tried: Counter[tuple[User, Agent, type[Event]]] = field(default_factory=Counter)
    """How often each event came in each pair of states."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """How often the core did what, in words."""

    def handle(self, event: Event, late_ms: int = 0) -> list[Action]:
        """Let `event` happen now, or, to try the core, with a clock that is `late_ms` behind."""
        agent = self.core.agent
        self.tried[self.core.user, agent, type(event)] += 1
        actions = self.core.handle(event, self.now_ms - late_ms)
        refused = any(isinstance(action, ReportFault) and _refuses(action) for action in actions)
        match event:
            case ReplyRequested() if not refused:
                self.owed.append(None)
            case ReplyCancelled() if agent is Agent.THINKING and self.active is None:
                self.owed.clear()
            case ReplyAudible(reply_id) if self.active and self.active.reply_id == reply_id:
                self.active.heard = True
            case ReplyFinished(reply_id) if self.active and self.active.reply_id == reply_id:
                self.active = None
            case TranscriptionFailed(turn_id):
                self.untranscribed.discard(turn_id)
            case TurnTranscribed(turn_id, has_words) if turn_id in self.untranscribed:
                self.untranscribed.discard(turn_id)
                assert has_words or DropTurn(turn_id) in actions
            case _:
                pass
        return self._see(actions)

    def tick(self, now_ms: int) -> list[Action]:
        self.now_ms = now_ms
        actions = self._see(self.core.tick(now_ms))
        due_ms = self.core.next_deadline()
        assert due_ms is None or due_ms > now_ms, "a tick leaves nothing undone"
        return actions

    def configure(self, config: TurnConfig) -> list[Action]:
        return self._see(self.core.configure(config, self.now_ms))

    def come_to(self, states: States) -> None:
        """A short way from any pair of states to any other: without it some are too rare to be tried in."""
        core, (user, agent) = self.core, states
        if user is User.SILENT:
            self.handle(InputCleared())
        while core.user is not user:
            self.handle(SpeechStopped(self.now_ms) if core.user is User.SPEAKING else SpeechStarted(self.now_ms))
        while core.agent not in (agent, Agent.IDLE):
            self.handle(ReplyCancelled())
        if core.agent is not agent:
            self.handle(ReplyRequested())
        for turn_id in sorted(self.untranscribed):
            self.handle(TurnTranscribed(turn_id, has_words=True))
        if core.agent is not agent and self.active is not None:
            self.handle(ReplyAudible(self.active.reply_id))
        assert (core.user, core.agent) == states

    # ---- each action --------------------------------------------------------------------------

    def _see(self, actions: list[Action]) -> list[Action]:
        for action in actions:
            self._check(action)
        self._check_states()
        return actions

    def _check(self, action: Action) -> None:
        match action:
            case OpenTurn(turn_id, onset_ms):
                assert self.open_turn is None
                assert turn_id == self.last_turn + 1
                assert onset_ms <= self.now_ms
                self.open_turn, self.last_turn, self.pauses = turn_id, turn_id, 0
            case ExaminePause(turn_id, pause, end_ms):
                assert (turn_id, pause) == (self.open_turn, self.pauses + 1)
                assert end_ms <= self.now_ms
                self.pauses = pause
            case ContinueTurn(turn_id):
                assert turn_id == self.open_turn
            case CommitTurn(turn_id, end_ms, reason):
                self._check_commit(turn_id, reason)
                assert end_ms <= self.now_ms
                self.outcomes[f"turn ended: {reason.value}"] += 1
            case DropTurn(turn_id):
                assert 0 < turn_id <= self.last_turn
                self.outcomes["turn dropped" + (", something else owed" if set(self.owed) - {turn_id} else "")] += 1
                if turn_id == self.open_turn:
                    self.open_turn = None
                self.owed = [owed for owed in self.owed if owed != turn_id]
            case StartReply(reply_id, turn_id):
                assert not self.untranscribed, "an answer waits for all that was said"
                self._check_begin(reply_id, turn_id, is_apology=False)
            case Apologise(reply_id, turn_id):
                self._check_begin(reply_id, turn_id, is_apology=True)
            case StopReply(reply_id, reason):
                self._check_stop(reply_id, reason)
            case ReportFault(code):
                self.outcomes[f"fault: {code.value}"] += 1
                if code is FaultCode.TRANSCRIPT_OVERDUE:
                    self.untranscribed.clear()

    def _check_commit(self, turn_id: TurnId, reason: CommitReason) -> None:
        if self.open_turn is None:
            assert (turn_id, reason) == (self.last_turn + 1, CommitReason.CLIENT)
            self.last_turn = turn_id
        else:
            assert turn_id == self.open_turn
        self.open_turn = None
        self.untranscribed.add(turn_id)
        if self.core.config.auto_reply and reason is not CommitReason.CLIENT:
            self.owed.append(turn_id)

    def _check_begin(self, reply_id: ReplyId, turn_id: TurnId | None, *, is_apology: bool) -> None:
        assert self.active is None, "one reply at a time"
        assert reply_id == self.last_reply + 1, "no reply is begun twice"
        assert self.owed, "nothing is said unasked"
        assert turn_id == self.owed[-1]
        self.outcomes["apology begun" if is_apology else "answer begun"] += 1
        self.last_reply = reply_id
        self.active, self.owed = ActiveReply(reply_id, self.owed, is_apology), []

    def _check_stop(self, reply_id: ReplyId, reason: StopReason) -> None:
        assert self.active is not None
        assert reply_id == self.active.reply_id
        answer = "heard answer" if self.active.heard else "unheard answer"
        self.outcomes[f"{'apology' if self.active.is_apology else answer} stopped: {reason.value}"] += 1
        if reason is StopReason.USER_SPOKE and not self.active.heard:
            self.owed = self.active.answers + self.owed
        if reason is StopReason.FAILED and not self.active.is_apology:
            self.owed.insert(0, self.active.answers[-1])
        self.active = None

    # ---- each state ---------------------------------------------------------------------------

    def _check_states(self) -> None:
        user, agent = self.core.user, self.core.agent
        assert (user is User.SILENT) == (self.open_turn is None)
        assert (agent is Agent.SPEAKING) == (self.active is not None and self.active.heard)
        assert agent is not Agent.IDLE or self.active is None
        if (user, agent) != (User.SILENT, Agent.IDLE):
            assert self.core.next_deadline() is not None, "something is going on and nothing bounds it"
        if user is User.SILENT and self.owed:
            assert agent is not Agent.IDLE, "the floor is free and something is owed"

    # ---- liveness -----------------------------------------------------------------------------

    def check_liveness(self, *, answering: bool) -> None:
        """From here on the user is silent; every action is answered at once, or nothing ever answers."""
        future = deepcopy(self)
        if future.core.user is User.SPEAKING:
            future.handle(SpeechStopped(future.now_ms))
        for _ in range(QUIET_STEPS):
            if answering:
                future._answer_all()
            if (due_ms := future.core.next_deadline()) is None:
                break
            future.tick(max(due_ms, future.now_ms))
        config = future.core.config
        bound_ms = config.max_turn_ms + config.transcript_timeout_ms + 4 * config.first_audio_timeout_ms
        assert future.now_ms - self.now_ms <= bound_ms
        assert (future.core.user, future.core.agent) == (User.SILENT, Agent.IDLE)
        assert future.core.next_deadline() is None
        assert (future.owed, future.active, future.untranscribed) == ([], None, set())

    def _answer_all(self) -> None:
        for turn_id in sorted(self.untranscribed):
            self.handle(TurnTranscribed(turn_id, has_words=True))
        while self.active is not None:
            if not self.active.heard:
                self.handle(ReplyAudible(self.active.reply_id))
            self.handle(ReplyFinished(self.active.reply_id))


def _refuses(fault: ReportFault) -> bool:
    return fault.code is not FaultCode.CLOCK_WENT_BACK
