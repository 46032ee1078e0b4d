"""The turn-taking core: events in, actions out, one deadline to wait for. No I/O, no clock, no tasks.

    core.handle(event, now_ms) -> actions     something happened
    core.tick(now_ms)          -> actions     the deadline passed
    core.next_deadline()       -> int | None  arm one timer for it, again after every call

Perform all actions of a call, in order, before the next call. The states and their legal moves stand
in `tables.py`; how long a silence ends a turn in `endpointing.py`; who yields in `barge_in.py`.

Liveness: what is owed stays in `_unanswered` until a reply takes it over, and comes back if that reply
fails or is interrupted unheard; while the agent is not idle or the user not silent, a deadline is armed.
"""

from operator import index

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
from speakback.turn.barge_in import BargeIn
from speakback.turn.config import TurnConfig
from speakback.turn.endpointing import PauseEvidence
from speakback.turn.events import (
    EndOfTurnScored,
    Event,
    InputCleared,
    InputCommitted,
    ReplyAudible,
    ReplyCancelled,
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
from speakback.turn.records import BegunReply, Deadline, OpenTurnRecord, Owed
from speakback.turn.tables import AGENT_TABLE, USER_TABLE, Agent, AgentMove, IllegalMove, User, UserMove, after

POLICY_FALLBACK_MS = 700
"""The silence that ends a turn when the endpointing policy itself fails."""


class _UnknownId(Exception):
    """An event names a turn or reply that was never begun."""


class TurnCore:
    """One conversation's turn-taking. Read `user` and `agent` freely; only events and deadlines change them."""

    def __init__(self, config: TurnConfig) -> None:
        self.config = config
        self.user = User.SILENT
        self.agent = Agent.IDLE
        self._turn: OpenTurnRecord | None = None
        self._reply: BegunReply | None = None
        self._unanswered: list[Owed] = []
        self._untranscribed: set[TurnId] = set()
        self._deadlines: dict[Deadline, int] = {}
        self._last_turn_id = 0
        self._last_reply_id = 0
        self._now_ms = 0
        self._actions: list[Action] = []

    # ---- the contract -------------------------------------------------------------------------

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """Take in what happened at `now_ms`; perform the returned actions. Never raises for a bad event."""
        self._advance(now_ms)
        try:
            if not self._is_stale(event):
                self._dispatch(event)
        except IllegalMove as problem:
            self._fault(FaultCode.OUT_OF_ORDER, f"{type(event).__name__} came out of order: {problem}")
        except _UnknownId as problem:
            self._fault(FaultCode.UNKNOWN_ID, f"{type(event).__name__} names {problem}, which was never begun")
        return self._drain()

    def tick(self, now_ms: int) -> list[Action]:
        """Do what is due by `now_ms`, earliest first; perform the returned actions. Early calls do nothing."""
        self._advance(now_ms)
        while (due := self.next_deadline()) is not None and due <= self._now_ms:
            kind = min(self._deadlines, key=self._deadlines.__getitem__)
            del self._deadlines[kind]
            self._on_deadline(kind)
        return self._drain()

    def next_deadline(self) -> int | None:
        """When `tick` is next needed, in the clock of `now_ms`; None while nothing is waited for."""
        return min(self._deadlines.values(), default=None)

    def configure(self, config: TurnConfig, now_ms: int) -> list[Action]:
        """Go on under another configuration; an open pause is judged anew by it."""
        self._advance(now_ms)
        self.config = config
        self._judge_pause()
        return self._drain()

    # ---- events -------------------------------------------------------------------------------

    def _is_stale(self, event: Event) -> bool:
        """Whether `event` is about something that is over. The one place where late events are dropped."""
        match event:
            case ReplyAudible(reply_id) | ReplyProgressed(reply_id) | ReplyFinished(reply_id) | ReplyFailed(reply_id):
                if reply_id > self._last_reply_id:
                    raise _UnknownId(f"reply {reply_id}")
                return self._reply is None or self._reply.reply_id != reply_id
            case TurnTranscribed(turn_id) | TranscriptionFailed(turn_id):
                if turn_id > self._last_turn_id:
                    raise _UnknownId(f"turn {turn_id}")
                return turn_id not in self._untranscribed
            case EndOfTurnScored(turn_id, pause):
                if turn_id > self._last_turn_id:
                    raise _UnknownId(f"turn {turn_id}")
                turn = self._turn if self.user is User.ENDING else None
                return turn is None or (turn.turn_id, turn.pause) != (turn_id, pause)
            case SpeechStopped():
                return self.user is User.SILENT  # the turn was ended or dropped while its voice went on
            case _:
                return False

    def _dispatch(self, event: Event) -> None:
        match event:
            case SpeechStarted(onset_ms):
                self._speech_started(onset_ms)
            case SpeechStopped(end_ms):
                self._speech_stopped(end_ms)
            case SilenceObserved(silence_ms):
                self._silence_observed(silence_ms)
            case EndOfTurnScored(probability=probability):
                self._open_turn().probability = probability
                self._judge_pause()
            case TurnTranscribed(turn_id, has_words):
                self._turn_transcribed(turn_id, has_words)
            case TranscriptionFailed(turn_id):
                self._transcripts_failed({turn_id})
            case InputCommitted(has_audio, request_id):
                self._input_committed(has_audio, request_id)
            case InputCleared():
                self._input_cleared()
            case ReplyRequested(request_id):
                self._reply_requested(request_id)
            case ReplyCancelled(request_id):
                self._reply_cancelled(request_id)
            case ReplyAudible():
                self._move_agent(AgentMove.SPEAK)
                self._arm(Deadline.REPLY_LIFE, self.config.stall_timeout_ms)
            case ReplyProgressed():
                self._arm(Deadline.REPLY_LIFE, self.config.stall_timeout_ms)
            case ReplyFinished():
                self._move_agent(AgentMove.FINISH)
                self._close_reply()
                self._answer()
            case ReplyFailed():  # pragma: no branch
                self._reply_failed()

    def _speech_started(self, onset_ms: int) -> None:
        if self.user is User.ENDING:
            self._move_user(UserMove.RESUME)
            self._disarm(Deadline.END_OF_TURN)
            self._do(ContinueTurn(self._open_turn().turn_id))
            return
        self._move_user(UserMove.START)
        onset_ms = min(onset_ms, self._now_ms)
        self._turn = OpenTurnRecord(self._new_turn_id(), onset_ms, end_ms=onset_ms)
        self._deadlines[Deadline.TURN_LENGTH] = onset_ms + self.config.max_turn_ms
        if self.config.barge_in is BargeIn.IMMEDIATE and self.agent is not Agent.IDLE:
            heard = self.agent is not Agent.THINKING
            answers = self._stop_reply(StopReason.USER_SPOKE)
            self._unanswered[:0] = [] if heard else answers
        self._do(OpenTurn(self._turn.turn_id, onset_ms))

    def _speech_stopped(self, end_ms: int) -> None:
        self._move_user(UserMove.PAUSE)
        turn = self._open_turn()
        turn.end_ms = min(max(end_ms, turn.onset_ms), self._now_ms)
        turn.pause += 1
        turn.probability = None
        self._do(ExaminePause(turn.turn_id, turn.pause, turn.end_ms))
        self._judge_pause()

    def _silence_observed(self, silence_ms: int) -> None:
        if self.user is User.ENDING and self._open_turn().end_ms + silence_ms >= self._deadlines[Deadline.END_OF_TURN]:
            self._end_turn(CommitReason.ENDPOINT)

    def _turn_transcribed(self, turn_id: TurnId, has_words: bool) -> None:
        self._untranscribed.discard(turn_id)
        if not has_words:
            self._do(DropTurn(turn_id))
            self._unanswered = [owed for owed in self._unanswered if owed.turn_id != turn_id]
        self._answer()

    def _transcripts_failed(self, turn_ids: set[TurnId]) -> None:
        """A request of the client waits for all transcripts, so it fails with any."""
        self._untranscribed -= turn_ids
        for owed in self._unanswered:
            owed.failed = owed.failed or owed.turn_id is None or owed.turn_id in turn_ids
        self._answer()

    def _input_committed(self, has_audio: bool, request_id: str) -> None:
        if self._turn is not None:
            self._end_turn(CommitReason.CLIENT)
        elif has_audio:
            self._commit(self._new_turn_id(), self._now_ms, CommitReason.CLIENT)
        else:
            self._fault(FaultCode.NO_SPEECH, "there is no audio to commit: append some first", request_id)

    def _input_cleared(self) -> None:
        if self._turn is not None:
            self._move_user(UserMove.DROP)
            self._do(DropTurn(self._close_turn().turn_id))
        self._answer()

    def _reply_requested(self, request_id: str) -> None:
        if self.agent is not Agent.IDLE:
            self._fault(FaultCode.REPLY_ACTIVE, "a reply is active: cancel it or wait for its end", request_id)
            return
        self._unanswered.append(Owed(None))
        self._move_agent(AgentMove.THINK)
        self._answer()

    def _reply_cancelled(self, request_id: str) -> None:
        if self.agent is Agent.IDLE:
            self._fault(FaultCode.NO_REPLY_ACTIVE, "there is no reply to cancel", request_id)
            return
        if self._reply is None:
            self._unanswered.clear()  # what the reply that was not begun yet would have answered
        self._stop_reply(StopReason.CLIENT_CANCELLED)
        self._answer()

    def _reply_failed(self) -> None:
        latest = self._stop_reply(StopReason.FAILED)[-1]
        if not latest.failed:  # an apology that fails is not apologised for
            latest.failed = True
            self._unanswered.insert(0, latest)
        self._answer()

    # ---- deadlines ----------------------------------------------------------------------------

    def _on_deadline(self, kind: Deadline) -> None:
        match kind:
            case Deadline.END_OF_TURN:
                self._end_turn(CommitReason.ENDPOINT)
            case Deadline.TURN_LENGTH:
                limit = f"the turn was ended at its greatest length of {self.config.max_turn_ms} ms"
                self._fault(FaultCode.TURN_TOO_LONG, limit)
                self._end_turn(CommitReason.TOO_LONG)
            case Deadline.TRANSCRIPT:
                self._fault(FaultCode.TRANSCRIPT_OVERDUE, "no transcript came in time after the turn's end")
                self._transcripts_failed(set(self._untranscribed))
            case Deadline.REPLY_LIFE:  # pragma: no branch
                self._fault(FaultCode.REPLY_STALLED, "the reply showed no sign of life in time")
                self._reply_failed()

    def _judge_pause(self) -> None:
        """Arm the end of the turn by what is known of the pause, or end the turn if it is due."""
        if self.user is not User.ENDING:
            return
        due_ms = self._open_turn().end_ms + self._silence_needed_ms()
        if due_ms <= self._now_ms:
            self._end_turn(CommitReason.ENDPOINT)
        else:
            self._deadlines[Deadline.END_OF_TURN] = due_ms

    def _silence_needed_ms(self) -> int:
        turn = self._open_turn()
        evidence = PauseEvidence(turn.probability, turn.end_ms - turn.onset_ms)
        try:
            wait_ms = index(self.config.endpointing.silence_ms(evidence))
            if wait_ms < 0:
                raise ValueError(f"a silence of {wait_ms} ms")
            return wait_ms
        except Exception as problem:  # a policy may be anyone's code; the conversation must go on
            kind = type(self.config.endpointing).__name__
            self._fault(FaultCode.POLICY_FAILED, f"{kind} failed ({type(problem).__name__}: {problem})")
            return POLICY_FALLBACK_MS

    # ---- turns and replies --------------------------------------------------------------------

    def _end_turn(self, reason: CommitReason) -> None:
        still_voiced = self.user is User.SPEAKING
        self._move_user(UserMove.END)
        turn = self._close_turn()
        self._commit(turn.turn_id, self._now_ms if still_voiced else turn.end_ms, reason)
        if self.config.auto_reply and reason is not CommitReason.CLIENT:
            self._unanswered.append(Owed(turn.turn_id))
        self._answer()

    def _commit(self, turn_id: TurnId, end_ms: int, reason: CommitReason) -> None:
        self._untranscribed.add(turn_id)
        self._arm(Deadline.TRANSCRIPT, self.config.transcript_timeout_ms)
        self._do(CommitTurn(turn_id, end_ms, reason))

    def _answer(self) -> None:
        """Think as soon as something is owed and the floor is free; begin the reply once all is transcribed."""
        if not self._untranscribed:
            self._disarm(Deadline.TRANSCRIPT)
        if self._unanswered and self.agent is Agent.IDLE and self.user is User.SILENT:
            self._move_agent(AgentMove.THINK)
        if self.agent is Agent.THINKING and self._reply is None:
            if not self._unanswered:  # the turn held no words
                self._move_agent(AgentMove.FINISH)
            elif self._unanswered[-1].failed or not self._untranscribed:
                self._begin_reply()

    def _begin_reply(self) -> None:
        answers, self._unanswered = self._unanswered, []
        self._last_reply_id += 1
        self._reply = BegunReply(ReplyId(self._last_reply_id), answers)
        self._arm(Deadline.REPLY_LIFE, self.config.first_audio_timeout_ms)
        begin = Apologise if answers[-1].failed else StartReply
        self._do(begin(self._reply.reply_id, answers[-1].turn_id))

    def _stop_reply(self, reason: StopReason) -> list[Owed]:
        """Cut the reply short, if it was begun; returns what it was to answer."""
        self._move_agent(AgentMove.STOP)
        if (reply := self._close_reply()) is None:
            return []
        self._do(StopReply(reply.reply_id, reason, self.config.stop_fade_ms))
        return reply.answers

    # ---- small parts --------------------------------------------------------------------------

    def _advance(self, now_ms: int) -> None:
        if now_ms < self._now_ms:
            self._fault(FaultCode.CLOCK_WENT_BACK, f"the clock went back by {self._now_ms - now_ms} ms; ignored")
        self._now_ms = max(self._now_ms, now_ms)

    def _move_user(self, move: UserMove) -> None:
        self.user = after(USER_TABLE, self.user, move)

    def _move_agent(self, move: AgentMove) -> None:
        self.agent = after(AGENT_TABLE, self.agent, move)

    def _open_turn(self) -> OpenTurnRecord:
        assert self._turn is not None, "a user who is not silent has an open turn"
        return self._turn

    def _close_turn(self) -> OpenTurnRecord:
        turn = self._open_turn()
        self._turn = None
        self._disarm(Deadline.END_OF_TURN)
        self._disarm(Deadline.TURN_LENGTH)
        return turn

    def _close_reply(self) -> BegunReply | None:
        reply, self._reply = self._reply, None
        self._disarm(Deadline.REPLY_LIFE)
        return reply

    def _new_turn_id(self) -> TurnId:
        self._last_turn_id += 1
        return TurnId(self._last_turn_id)

    def _arm(self, kind: Deadline, wait_ms: int) -> None:
        self._deadlines[kind] = self._now_ms + wait_ms

    def _disarm(self, kind: Deadline) -> None:
        self._deadlines.pop(kind, None)

    def _do(self, action: Action) -> None:
        self._actions.append(action)

    def _fault(self, code: FaultCode, message: str, request_id: str = "") -> None:
        self._do(ReportFault(code, message, request_id))

    def _drain(self) -> list[Action]:
        actions, self._actions = self._actions, []
        return actions
