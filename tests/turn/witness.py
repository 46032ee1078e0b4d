"""Watches a turn core from outside: checks each action against what came before, and keeps account of what is owed.

It knows the contract (actions, events, tables) and nothing of how the core keeps it. `voices.py` does the same for
the agent's voice, the drafts and what is announced.
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
    DropReason,
    DropTurn,
    EndConversation,
    ExaminePause,
    FaultCode,
    OpenTurn,
    ReportFault,
    Reprompt,
    SayGoodbye,
    StartReply,
    StopReason,
    StopReply,
)
from speakback.turn.config import TurnConfig
from speakback.turn.core import TurnCore
from speakback.turn.events import (
    ConversationResumed,
    DraftSettled,
    EchoJudged,
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
from speakback.turn.left_open import BEFORE_THE_BREAK, LeftOpen
from speakback.turn.records import Deadline
from speakback.turn.tables import Agent, User
from speakback.turn.words import Repair
from tests.turn.voices import ActiveReply, Voices

States: TypeAlias = tuple[User, Agent]

QUIET_STEPS = 60
"""More deadlines than any history may leave behind."""


class CountingCore(TurnCore):
    """A core that tells which of its deadlines passed, and how late that was noticed."""

    def __init__(self, config: TurnConfig) -> None:
        super().__init__(config)
        self.passed: Counter[tuple[Deadline, int]] = Counter()
        self._due_ms: dict[Deadline, int] = {}

    def tick(self, now_ms: int) -> list[Action]:
        self._due_ms = dict(self._state.deadlines)
        return super().tick(now_ms)

    def _on_deadline(self, kind: Deadline) -> None:
        self.passed[kind, self._state.now_ms - self._due_ms.get(kind, self._state.now_ms)] += 1
        super()._on_deadline(kind)


@dataclass
class Witness:
    """Drives a core and raises AssertionError at the first action or state that breaks the contract."""

    core: CountingCore
    now_ms: int = 0
    last_turn: TurnId = TurnId(0)
    open_turn: TurnId | None = None
    pauses: int = 0
    untranscribed: set[TurnId] = field(default_factory=set)
    committed_ms: dict[TurnId, int] = field(default_factory=dict)
    owed: list[TurnId | None] = field(default_factory=list)
    """Committed turns to be answered, and None for each request of the client, that no reply took over."""
    answered: set[TurnId] = field(default_factory=set)
    """Turns whose answer was heard, or ended, or failed: it must not be begun again."""
    interrupted: dict[TurnId, ReplyId] = field(default_factory=dict)
    """The audible reply that each turn stopped."""
    repairs: dict[TurnId, tuple[Repair, ReplyId]] = field(default_factory=dict)
    voices: Voices = field(default_factory=Voices)
    last_event: Event | None = None
    may_end: bool = False
    """Whether a goodbye came to its end within this call."""
    tried: Counter[tuple[User, Agent, type[Event]]] = field(default_factory=Counter)
    """How often each event came in each pair of states."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """How often the core did what, in words."""

    @property
    def active(self) -> ActiveReply | None:
        return self.voices.active

    def handle(self, event: Event, late_ms: int = 0) -> list[Action]:
        """Let `event` happen now, or, to try the core, with a clock that is `late_ms` behind."""
        agent, self.last_event = self.core.agent, event
        self.tried[self.core.user, agent, type(event)] += 1
        actions = self.core.handle(event, self.now_ms - late_ms)
        match event:
            case ReplyRequested() if not _is_refused(actions):
                self.owed.append(None)
            case ReplyCancelled() if agent is Agent.THINKING and self.active is None:
                self.owed.clear()
            case ReplyAudible(reply_id) if self.active and self.active.reply_id == reply_id:
                self.active.heard = True
                self.answered.update(turn_id for turn_id in self.active.answers if turn_id is not None)
            case ReplyFinished(reply_id) if self.active and self.active.reply_id == reply_id:
                self.may_end = self.active.is_goodbye
                self.answered.update(turn_id for turn_id in self.active.answers if turn_id is not None)
                self.voices.active = None
            case TranscriptionFailed(turn_id):
                self.untranscribed.discard(turn_id)
            case TurnTranscribed(turn_id, has_words, repair) if turn_id in self.untranscribed:
                self.untranscribed.discard(turn_id)
                assert has_words or DropTurn(turn_id, DropReason.NO_WORDS) in actions
                wanted = repair if has_words else Repair.RESUME
                if turn_id in self.interrupted and wanted is not Repair.DROP:
                    self.repairs[turn_id] = (wanted, self.interrupted[turn_id])
            case ConversationResumed(what) if not _is_refused(actions):
                self._take_up(what)
            case DraftSettled(reply_id, promoted) if reply_id in self.voices.unsettled:
                self.voices.unsettled.remove(reply_id)
                self.voices.settled_as_promoted += promoted
            case EchoJudged(turn_id, echo) if turn_id == self.open_turn and self.core.user is User.SPEAKING:
                self.voices.note_echo(echo, self.core.config.overlap)
            case _:
                pass
        return self._see(actions)

    def tick(self, now_ms: int) -> list[Action]:
        self.now_ms = now_ms
        actions = self._see(self.core.tick(now_ms))
        due_ms = self.core.next_deadline()
        assert due_ms is None or due_ms > now_ms, "a tick leaves nothing undone"
        self.voices.check_not_held_too_long(self.core, now_ms)
        return actions

    def tick_too_early(self) -> None:
        """One millisecond before the deadline nothing is done."""
        due_ms = self.core.next_deadline()
        if due_ms is not None and due_ms > self.now_ms + 1:
            assert self.tick(due_ms - 1) == []
            assert self.core.next_deadline() == due_ms

    def configure(self, config: TurnConfig) -> list[Action]:
        return self._see(self.core.configure(config, self.now_ms))

    def _take_up(self, what: LeftOpen) -> None:
        """All that was left open at a break is owed again, before what was said since."""
        owed: list[TurnId | None] = []
        if what.debt is not None and what.debt.turn_id is not None:
            self.last_turn = what.debt.turn_id
        if what.debt is not None and self.active is None:
            owed.append(what.debt.turn_id)
            if what.debt.turn_id is not None and what.debt.repair is not Repair.DROP:
                self.repairs[what.debt.turn_id] = (what.debt.repair, BEFORE_THE_BREAK)
                for since in self.untranscribed | ({self.open_turn} if self.open_turn is not None else set()):
                    self.interrupted.setdefault(since, BEFORE_THE_BREAK)
        for turn in what.awaited:
            self.last_turn = turn.turn_id
            self.untranscribed.add(turn.turn_id)
            self.committed_ms[turn.turn_id] = self.now_ms
            if turn.interrupted:
                self.interrupted[turn.turn_id] = BEFORE_THE_BREAK
            if turn.is_owed:
                owed.append(turn.turn_id)
        self.owed = owed + self.owed

    # ---- short ways: without them some pairs of states are too rare to be tried in -------------

    def come_to(self, states: States) -> None:
        """To any pair of states that can be reached; over a held reply only by a graded strategy."""
        user, agent = states
        if agent is Agent.PAUSED:
            self.speak_over(user, voiced_ms=400 if user is User.SPEAKING else 750)
        elif (self.core.user, self.core.agent) != states:
            self._come_to_agent(Agent.IDLE)
            self._come_to_user(user)
            self._come_to_agent(agent)
        assert (self.core.user, self.core.agent) == states

    def speak_over(self, user: User, voiced_ms: int, reply_age_ms: int = 0) -> None:
        """The user begins to speak when the agent was heard for so long, and goes on for so long."""
        self._come_to_user(User.SILENT)
        self._come_to_agent(Agent.IDLE)
        self._come_to_agent(Agent.SPEAKING)
        self.tick(self.now_ms + reply_age_ms)
        self.handle(SpeechStarted(self.now_ms))
        if voiced_ms:
            self.tick(self.now_ms + voiced_ms)
        if user is User.ENDING:
            self.handle(SpeechStopped(self.now_ms))

    def _come_to_user(self, user: User) -> None:
        if user is User.SILENT:
            self.handle(InputCleared())
        while self.core.user is not user:
            speaks = self.core.user is User.SPEAKING
            self.handle(SpeechStopped(self.now_ms) if speaks else SpeechStarted(self.now_ms))

    def _come_to_agent(self, agent: Agent) -> None:
        while self.core.agent not in (agent, Agent.IDLE):
            self.handle(ReplyCancelled())
        if self.core.agent is not agent:
            # A reply begun over the user's voice may be stopped or held at once, unless nothing may stop it.
            self.handle(ReplyRequested(interruptible=self.core.user is User.SILENT))
        for turn_id in sorted(self.untranscribed):
            self.handle(TurnTranscribed(turn_id, has_words=True))
        if self.core.agent is not agent and self.active is not None:
            self.handle(ReplyAudible(self.active.reply_id))

    # ---- each action --------------------------------------------------------------------------

    def _see(self, actions: list[Action]) -> list[Action]:
        for action in actions:
            self.outcomes[type(action).__name__] += 1
            self._check(action)
            self.voices.check(action, self.open_turn, self.pauses, self.now_ms)
        self._check_states()
        self.may_end = False
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
            case DropTurn(turn_id, reason):
                self._check_drop(turn_id, reason)
            case StartReply(reply_id, turn_id, repair, repairs):
                assert not self.untranscribed, "an answer waits for all that was said"
                self._check_begin(turn_id)
                assert turn_id not in self.answered, "it was answered before"
                wanted = (Repair.DROP, None) if turn_id is None else self.repairs.get(turn_id, (Repair.DROP, None))
                assert (repair, repairs) == wanted
                self.outcomes[f"answer begun: {repair.value}"] += 1
                self.voices.begin(ActiveReply(reply_id, self.owed), may_promote_for=turn_id)
                self.owed = []
            case Apologise(reply_id, turn_id):
                self._check_begin(turn_id)
                self.voices.begin(ActiveReply(reply_id, self.owed, is_apology=True))
                self.owed = []
            case Reprompt(reply_id) | SayGoodbye(reply_id):
                assert (self.core.user, self.owed, self.untranscribed) == (User.SILENT, [], set())
                self.voices.begin(ActiveReply(reply_id, [], is_goodbye=isinstance(action, SayGoodbye)))
            case EndConversation():
                assert self.may_end, "leave was taken"
                assert (self.open_turn, self.owed, self.untranscribed) == (None, [], set())
            case StopReply(reply_id, reason):
                self._check_stop(reply_id, reason)
            case ReportFault(code):
                self.outcomes[f"fault: {code.value}"] += 1
                if code is FaultCode.TRANSCRIPT_OVERDUE:
                    self.untranscribed.clear()
                if code is FaultCode.TOOL_OVERDUE:
                    self.owed.append(None)
            case _:
                pass  # the voices'

    def _check_commit(self, turn_id: TurnId, reason: CommitReason) -> None:
        if self.open_turn is None:
            assert (turn_id, reason) == (self.last_turn + 1, CommitReason.CLIENT)
            self.last_turn = turn_id
        else:
            assert turn_id == self.open_turn
        self.open_turn = None
        self.untranscribed.add(turn_id)
        self.committed_ms[turn_id] = self.now_ms
        if self.core.config.auto_reply and reason is not CommitReason.CLIENT:
            self.owed.append(turn_id)

    def _check_drop(self, turn_id: TurnId, reason: DropReason) -> None:
        self.outcomes[f"turn dropped: {reason.value}"] += 1
        assert 0 < turn_id <= self.last_turn
        if reason is not DropReason.NO_WORDS:
            assert turn_id == self.open_turn
            self.open_turn = None
        elif turn_id not in self.interrupted:  # else the reply that it stopped goes on
            if set(self.owed) - {turn_id}:
                self.outcomes["turn dropped, something else owed"] += 1
            self.owed = [owed for owed in self.owed if owed != turn_id]

    def _check_begin(self, turn_id: TurnId | None) -> None:
        assert self.owed, "nothing is said unasked"
        assert turn_id == self.owed[-1]

    def _check_stop(self, reply_id: ReplyId, reason: StopReason) -> None:
        assert self.active is not None
        assert reply_id == self.active.reply_id
        answer = "heard answer" if self.active.heard else "unheard answer"
        self.outcomes[f"{'apology' if self.active.is_apology else answer} stopped: {reason.value}"] += 1
        if reason is StopReason.USER_SPOKE:
            if self.active.heard:
                assert self.open_turn is not None
                self.interrupted[self.open_turn] = reply_id
            else:
                self.owed = self.active.answers + self.owed
        if reason is StopReason.FAILED:
            self.may_end = self.active.is_goodbye
            self.answered.update(turn_id for turn_id in self.active.answers if turn_id is not None)
            if self.active.answers and not self.active.is_apology:
                self.owed.insert(0, self.active.answers[-1])
        self.voices.active = None

    # ---- each state ---------------------------------------------------------------------------

    def _check_states(self) -> None:
        user, agent = self.core.user, self.core.agent
        assert (user is User.SILENT) == (self.open_turn is None)
        if (user, agent) != (User.SILENT, Agent.IDLE):
            assert self.core.next_deadline() is not None, "something is going on and nothing bounds it"
        if user is User.SILENT and self.owed:
            assert agent is not Agent.IDLE, "the floor is free and something is owed"
        for turn_id in self.untranscribed:
            due_ms = self.core.next_deadline()
            latest_ms = self.committed_ms[turn_id] + self.core.config.transcript_timeout_ms
            assert due_ms is not None
            assert due_ms <= latest_ms, "a transcript is waited for from the end of its own turn"
        self.voices.check_states(self.core, self.open_turn)

    # ---- liveness -----------------------------------------------------------------------------

    def check_liveness(self, *, answering: bool) -> None:
        """From here on the user is silent; every action is answered at once, or nothing ever answers."""
        config = self.core.config
        future = deepcopy(self, {id(config): config})
        if future.core.user is User.SPEAKING:
            future.handle(SpeechStopped(future.now_ms))
        for _ in range(QUIET_STEPS):
            if answering:
                future._answer_all()
            if (due_ms := future.core.next_deadline()) is None:
                break
            future.tick(max(due_ms, future.now_ms))
        prompts_ms = (config.idle.reprompts + 2) * (config.idle.wait_ms + config.first_audio_timeout_ms)
        bound_ms = config.max_turn_ms + config.transcript_timeout_ms + 4 * config.first_audio_timeout_ms
        assert future.now_ms - self.now_ms <= bound_ms + config.tool_timeout_ms + prompts_ms
        assert (future.core.user, future.core.agent) == (User.SILENT, Agent.IDLE)
        assert future.core.next_deadline() is None
        assert (future.owed, future.active, future.untranscribed) == ([], None, set())
        assert future.voices.draft is None, "a draft is promoted or discarded"

    def _answer_all(self) -> None:
        for reply_id in sorted(self.voices.unsettled):
            self.handle(DraftSettled(reply_id, False, 1, 4))
        for turn_id in sorted(self.untranscribed):
            self.handle(TurnTranscribed(turn_id, has_words=True))
        while self.active is not None:
            if not self.active.heard:
                self.handle(ReplyAudible(self.active.reply_id))
            self.handle(ReplyFinished(self.active.reply_id))


def _is_refused(actions: list[Action]) -> bool:
    faults = [action for action in actions if isinstance(action, ReportFault)]
    return any(fault.code is not FaultCode.CLOCK_WENT_BACK for fault in faults)
