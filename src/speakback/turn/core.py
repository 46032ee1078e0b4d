"""The turn-taking core: events in, actions out, one deadline to wait for. No I/O, no clock, no tasks.

    core.handle(event, now_ms) -> actions     something happened
    core.tick(now_ms)          -> actions     the deadline passed
    core.next_deadline()       -> int | None  arm one timer for it, again after every call

Perform all actions of a call, in order, before the next call. What each event and deadline leads to stands here;
how it is done, in the modules it calls, each of which knows only those before it:

    tables       the states and their legal moves
    state        what is remembered between events
    staleness    which events come too late
    replying     the agent's side: what is owed, the reply, its draft
    overlapping  speech over the agent, by the verdicts of `barge_in`
    listening    the user's side: turns, and their ends by the policies of `endpointing`
    resuming     what a break of the connection leaves open, and how another core takes it up

Liveness: what is owed stays in `State.unanswered` until a reply takes it over, and comes back if that reply
fails or is interrupted unheard; while the agent is not idle or the user not silent, a deadline is armed.
"""

from speakback.turn.actions import Action, CommitReason, DropReason, FaultCode, StopReason
from speakback.turn.barge_in import BargeIn
from speakback.turn.config import TurnConfig
from speakback.turn.drafts import DraftBook
from speakback.turn.events import (
    ConversationResumed,
    DraftSettled,
    EchoJudged,
    EndOfTurnScored,
    EndOfTurnUnscored,
    Event,
    InputCleared,
    InputCommitted,
    OverlapHeard,
    PauseTranscribed,
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
from speakback.turn.left_open import Heard, LeftOpen
from speakback.turn.listening import (
    drop_turn,
    end_turn,
    input_committed,
    judge,
    reply_audible,
    silence_observed,
    speech_started,
    speech_stopped,
    transcripts_failed,
    turn_outlives_reply,
    turn_too_long,
    turn_transcribed,
)
from speakback.turn.overlapping import note_echo, release_overlap
from speakback.turn.records import Deadline, Owed
from speakback.turn.replying import after_goodbye, answer, close_reply, discard_draft, speak_up, stop_reply, watch_idle
from speakback.turn.resuming import left_open, resume
from speakback.turn.staleness import UnknownId, is_stale
from speakback.turn.state import State
from speakback.turn.tables import Agent, AgentMove, IllegalMove, User


class TurnCore:
    """One conversation's turn-taking.

    `learned_pauses_ms` are this user's latest pauses within turns, from an earlier part of the conversation.
    """

    def __init__(self, config: TurnConfig, learned_pauses_ms: tuple[int, ...] = ()) -> None:
        self._state = State(config, learned_pauses_ms)

    @property
    def config(self) -> TurnConfig:
        """The strategy in force."""
        return self._state.config

    @property
    def user(self) -> User:
        """What the user is doing."""
        return self._state.user

    @property
    def agent(self) -> Agent:
        """What the agent is doing."""
        return self._state.agent

    @property
    def learned_pauses_ms(self) -> tuple[int, ...]:
        """This user's latest pauses within turns, oldest first."""
        return self._state.learned_pauses_ms

    @property
    def drafts(self) -> DraftBook:
        """What the drafts came to so far."""
        return self._state.drafts

    @property
    def is_owed(self) -> bool:
        """Whether somebody waits: the user for an answer, or the agent for the client's answer to a tool call."""
        state = self._state
        return bool(state.unanswered or state.untranscribed) or Deadline.TOOL_RESULT in state.deadlines

    def left_open(self, heard: Heard) -> LeftOpen:
        """What another core has to take up (`ConversationResumed`) should the connection break now.

        `heard` is what the user has heard of the reply under way; where there is none it means nothing.
        """
        return left_open(self._state, heard)

    # ---- the contract -------------------------------------------------------------------------

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """Take in what happened at `now_ms`; perform the returned actions. Never raises for a bad event."""
        self._state.advance(now_ms)
        try:
            if not is_stale(self._state, event):
                self._dispatch(event)
        except IllegalMove as problem:
            self._state.fault(FaultCode.OUT_OF_ORDER, f"{type(event).__name__} came out of order: {problem}")
        except UnknownId as problem:
            self._state.fault(FaultCode.UNKNOWN_ID, f"{type(event).__name__} names {problem}, which was never begun")
        return self._drained()

    def tick(self, now_ms: int) -> list[Action]:
        """Do what is due by `now_ms`, earliest first; perform the returned actions. Early calls do nothing."""
        self._state.advance(now_ms)
        while (due := self.next_deadline()) is not None and due <= self._state.now_ms:
            kind = min(self._state.deadlines, key=self._state.deadlines.__getitem__)
            del self._state.deadlines[kind]
            self._on_deadline(kind)
        return self._drained()

    def next_deadline(self) -> int | None:
        """When `tick` is next needed, in the clock of `now_ms`; None while nothing is waited for."""
        return min(self._state.deadlines.values(), default=None)

    def configure(self, config: TurnConfig, now_ms: int) -> list[Action]:
        """Go on under another configuration; an open pause or overlap is judged anew by it."""
        self._state.advance(now_ms)
        self._state.config = config
        if config.barge_in is BargeIn.NEVER:
            release_overlap(self._state)
        judge(self._state)
        return self._drained()

    def _dispatch(self, event: Event) -> None:
        match event:
            case SpeechStarted(onset_ms, echo):
                speech_started(self._state, min(onset_ms, self._state.now_ms), echo)
            case SpeechStopped(end_ms):
                speech_stopped(self._state, end_ms)
            case SilenceObserved(silence_ms):
                silence_observed(self._state, silence_ms)
            case EndOfTurnScored(probability=probability, unfinished=unfinished):
                turn = self._state.open_turn()
                turn.probability, turn.unfinished = probability, unfinished
                judge(self._state)
            case EndOfTurnUnscored():
                pass  # the deadline that needs no score is armed already
            case PauseTranscribed(has_words=has_words):
                turn = self._state.open_turn()
                turn.is_read, turn.has_words = True, has_words
                judge(self._state)
            case OverlapHeard(words=words):
                self._state.open_overlap().words = words
                judge(self._state)
            case EchoJudged(echo=echo):
                note_echo(self._state, self._state.open_overlap(), echo)
                judge(self._state)
            case TurnTranscribed(turn_id, has_words, repair):
                turn_transcribed(self._state, turn_id, has_words, repair)
            case TranscriptionFailed(turn_id):
                transcripts_failed(self._state, {turn_id})
            case InputCommitted(has_audio, request_id):
                input_committed(self._state, has_audio, request_id)
            case InputCleared():
                drop_turn(self._state, DropReason.CLEARED)
                answer(self._state)
            case ReplyRequested(request_id, interruptible):
                self._reply_requested(request_id, interruptible)
            case ReplyCancelled(request_id):
                self._reply_cancelled(request_id)
            case ReplyAudible():
                reply_audible(self._state)
            case ReplyProgressed():
                if self._state.agent is not Agent.PAUSED:
                    self._state.arm(Deadline.REPLY_LIFE, self._state.config.stall_timeout_ms)
            case ReplyFinished(called_tool=called_tool):
                self._reply_finished(called_tool)
            case ReplyFailed():
                self._reply_failed()
            case ConversationResumed(what):
                resume(self._state, what)
            case DraftSettled(reply_id, promoted, tokens, characters):  # pragma: no branch
                self._state.unsettled_drafts.remove(reply_id)
                self._state.drafts = self._state.drafts.with_settled(
                    promoted=promoted, tokens=tokens, characters=characters
                )

    def _reply_requested(self, request_id: str, interruptible: bool) -> None:
        if self._state.agent is not Agent.IDLE:
            self._state.fault(FaultCode.REPLY_ACTIVE, "a reply is active: cancel it or wait for its end", request_id)
            return
        self._state.disarm(Deadline.TOOL_RESULT)
        self._state.user_is_there()
        discard_draft(self._state)
        self._state.unanswered.append(Owed(None, interruptible=interruptible))
        self._state.move_agent(AgentMove.THINK)
        answer(self._state)

    def _reply_cancelled(self, request_id: str) -> None:
        if self._state.agent is Agent.IDLE:
            self._state.fault(FaultCode.NO_REPLY_ACTIVE, "there is no reply to cancel", request_id)
            return
        if self._state.reply is None:
            self._state.unanswered.clear()  # what the reply that was not begun yet would have answered
            discard_draft(self._state)
        stop_reply(self._state, StopReason.CLIENT_CANCELLED)
        turn_outlives_reply(self._state)
        answer(self._state)

    def _reply_finished(self, called_tool: bool) -> None:
        self._state.move_agent(AgentMove.FINISH)
        reply = close_reply(self._state)
        assert reply is not None
        self._state.prompted = self._state.prompted or 0
        if called_tool:
            self._state.arm(Deadline.TOOL_RESULT, self._state.config.tool_timeout_ms)
        if reply.ends_conversation:
            after_goodbye(self._state)
        turn_outlives_reply(self._state)
        answer(self._state)

    def _reply_failed(self) -> None:
        answers = stop_reply(self._state, StopReason.FAILED)
        if answers and not answers[-1].failed:  # an apology that fails is not apologised for, and a prompt owes nothing
            answers[-1].failed = True
            self._state.unanswered.insert(0, answers[-1])
        turn_outlives_reply(self._state)
        answer(self._state)

    def _on_deadline(self, kind: Deadline) -> None:
        match kind:
            case Deadline.END_OF_TURN:
                end_turn(self._state, CommitReason.ENDPOINT)
            case Deadline.OVERLAP:
                judge(self._state)
            case Deadline.TURN_LENGTH:
                turn_too_long(self._state)
            case Deadline.TRANSCRIPT:
                self._state.fault(FaultCode.TRANSCRIPT_OVERDUE, "no transcript came in time after the turn's end")
                transcripts_failed(self._state, set(self._state.untranscribed))
            case Deadline.REPLY_LIFE:
                self._state.fault(FaultCode.REPLY_STALLED, "the reply showed no sign of life in time")
                self._reply_failed()
            case Deadline.TOOL_RESULT:
                self._state.fault(FaultCode.TOOL_OVERDUE, "no reply was asked for in time after a tool call")
                self._state.unanswered.append(Owed(None, failed=True))
                answer(self._state)
            case Deadline.IDLE:  # pragma: no branch
                speak_up(self._state)

    def _drained(self) -> list[Action]:
        watch_idle(self._state)
        actions, self._state.actions = self._state.actions, []
        return actions
