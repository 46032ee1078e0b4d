"""The user's side: turns open, pause, go on, end and are dropped."""

from speakback.timebase import ReplyId, TurnId
from speakback.turn.actions import (
    AnnounceTurn,
    CommitReason,
    CommitTurn,
    ContinueTurn,
    DropReason,
    DropTurn,
    ExaminePause,
    FaultCode,
    OpenTurn,
    ReportVerdict,
    StopReason,
)
from speakback.turn.barge_in import LET_BE, BargeIn, Verdict
from speakback.turn.endpointing import SHORTEST_PAUSE_MS
from speakback.turn.judging import silence_needed_ms
from speakback.turn.overlapping import give_way, release_overlap, settle_overlap, weigh_overlap
from speakback.turn.records import Deadline, OpenTurnRecord, OverlapRecord, Owed, Untranscribed
from speakback.turn.replying import answer, await_transcripts, discard_draft, draft_reply, stop_reply
from speakback.turn.state import PAUSES_REMEMBERED, State
from speakback.turn.tables import Agent, AgentMove, User, UserMove
from speakback.turn.words import HeardWords, Repair, Unfinished

LONGEST_PAUSE_MS = 3000
"""A longer silence between two turns of the user is no pause within one."""
_DROPPED_AS = {
    Verdict.BACKCHANNEL: DropReason.BACKCHANNEL,
    Verdict.NOISE: DropReason.NOISE,
    Verdict.ECHO: DropReason.ECHO,
}


def speech_started(state: State, onset_ms: int, echo: float | None) -> None:
    if state.user is User.ENDING:
        speech_resumed(state, onset_ms, echo)
        return
    state.move_user(UserMove.START)
    state.turn = turn = OpenTurnRecord(state.new_turn_id(), onset_ms, end_ms=onset_ms)
    state.deadlines[Deadline.TURN_LENGTH] = onset_ms + state.config.max_turn_ms
    discard_draft(state)
    reply = state.reply
    audible_ms = None if reply is None else reply.audible_ms
    if audible_ms is None:
        may_stop = state.config.barge_in is not BargeIn.NEVER and (reply is None or reply.interruptible)
        if state.agent is Agent.THINKING and may_stop:
            learn_pause(state, state.last_end_ms, onset_ms)
            state.unanswered[:0] = stop_reply(state, StopReason.USER_SPOKE)
    else:
        speak_over(state, turn, onset_ms, echo)
    state.do(OpenTurn(turn.turn_id, onset_ms))
    announce(state)
    judge(state)


def speak_over(state: State, turn: OpenTurnRecord, onset_ms: int, echo: float | None) -> None:
    """From `onset_ms` on the user speaks over the reply, if it can be heard, and stopped."""
    reply = state.reply
    if reply is None or reply.audible_ms is None or not reply.interruptible or state.config.barge_in is BargeIn.NEVER:
        return
    turn.overlap = OverlapRecord(onset_ms, onset_ms - reply.audible_ms, echo=echo, goes_on=turn.onset_ms < onset_ms)


def reply_audible(state: State) -> None:
    """The agent begins to be heard; over the user only where the client asked for it."""
    state.move_agent(AgentMove.SPEAK)
    state.begun_reply().audible_ms = state.now_ms
    state.arm(Deadline.REPLY_LIFE, state.config.stall_timeout_ms)
    if state.turn is not None and state.user is User.SPEAKING:
        speak_over(state, state.turn, state.now_ms, None)
        judge(state)


def speech_resumed(state: State, onset_ms: int, echo: float | None) -> None:
    turn = state.open_turn()
    state.move_user(UserMove.RESUME)
    state.disarm(Deadline.END_OF_TURN)
    discard_draft(state)
    state.do(ContinueTurn(turn.turn_id))
    if turn.overlap is None:
        learn_pause(state, turn.end_ms, onset_ms)
        speak_over(state, turn, onset_ms, echo)
        judge(state)
    else:
        turn.overlap.words, turn.overlap.echo = None, echo
        if state.agent is not Agent.PAUSED:  # an agent that was made to wait is not made to wait anew
            turn.overlap.begin_anew(onset_ms)
        judge(state)


def speech_stopped(state: State, end_ms: int) -> None:
    state.move_user(UserMove.PAUSE)
    turn = state.open_turn()
    turn.end_ms = min(max(end_ms, turn.onset_ms), state.now_ms)
    turn.pause += 1
    turn.probability, turn.unfinished, turn.is_read, turn.has_words = None, Unfinished.NO, False, False
    state.do(ExaminePause(turn.turn_id, turn.pause, turn.end_ms))
    judge(state)


def silence_observed(state: State, silence_ms: int) -> None:
    due_ms = state.deadlines.get(Deadline.END_OF_TURN)
    if due_ms is not None and state.open_turn().end_ms + silence_ms >= due_ms:
        end_turn(state, CommitReason.ENDPOINT)


def learn_pause(state: State, end_ms: int | None, onset_ms: int) -> None:
    if end_ms is not None and SHORTEST_PAUSE_MS <= onset_ms - end_ms <= LONGEST_PAUSE_MS:
        state.learned_pauses_ms = (*state.learned_pauses_ms, onset_ms - end_ms)[-PAUSES_REMEMBERED:]


def announce(state: State) -> None:
    """Tell of the open turn, unless the agent can be heard: clients take it for the order to silence it."""
    turn = state.turn
    if turn is None or turn.is_announced or state.agent in (Agent.SPEAKING, Agent.PAUSED):
        return
    turn.is_announced = True
    state.do(AnnounceTurn(turn.turn_id))


def judge(state: State) -> None:
    """Ask the policies again, because more is known or time has passed."""
    turn = state.turn
    if turn is None:
        return
    if turn.overlap is not None:
        judgement = weigh_overlap(state, turn, turn.overlap)
        if judgement.verdict is not Verdict.INTERRUPTION:
            if judgement.verdict in LET_BE and judgement.is_conclusive and state.user is User.ENDING:
                _let_be(state, turn.overlap, judgement.verdict)
            return
        announce(state)
    if state.user is User.ENDING:
        judge_pause(state, turn)


def _let_be(state: State, overlap: OverlapRecord, verdict: Verdict) -> None:
    """Speech that does not take the floor is forgotten; but a remark is answered when the agent has finished."""
    if overlap.goes_on or (verdict is Verdict.BACKCHANNEL and overlap.words is HeardWords.REMARK):
        end_turn(state, CommitReason.ENDPOINT)
    else:
        drop_turn(state, _DROPPED_AS[verdict])


def judge_pause(state: State, turn: OpenTurnRecord) -> None:
    """Arm the end of the turn by what is known of the pause, or end the turn if it is due; draft meanwhile."""
    wait_ms = silence_needed_ms(state.config.endpointing, turn, state.learned_pauses_ms, state.policy_failed)
    if turn.end_ms + wait_ms <= state.now_ms:
        end_turn(state, CommitReason.ENDPOINT)
        return
    state.deadlines[Deadline.END_OF_TURN] = turn.end_ms + wait_ms
    draft_reply(state, turn)


def end_turn(state: State, reason: CommitReason) -> None:
    still_voiced = state.user is User.SPEAKING
    turn = close_turn(state, UserMove.END)
    commit_turn(state, turn.turn_id, state.now_ms if still_voiced else turn.end_ms, reason, turn.interrupted)
    if state.config.auto_reply and reason is not CommitReason.CLIENT:
        state.unanswered.append(Owed(turn.turn_id))
    else:
        discard_draft(state)
    answer(state)


def drop_turn(state: State, reason: DropReason) -> None:
    if state.turn is not None:
        discard_draft(state)
        state.do(DropTurn(close_turn(state, UserMove.DROP).turn_id, reason))


def close_turn(state: State, move: UserMove) -> OpenTurnRecord:
    turn = state.open_turn()
    release_overlap(state)
    state.move_user(move)
    state.turn = None
    state.disarm(Deadline.END_OF_TURN)
    state.disarm(Deadline.TURN_LENGTH)
    return turn


def commit_turn(state: State, turn_id: TurnId, end_ms: int, reason: CommitReason, interrupted: ReplyId | None) -> None:
    state.untranscribed[turn_id] = Untranscribed(state.now_ms + state.config.transcript_timeout_ms, interrupted)
    state.last_end_ms = end_ms
    await_transcripts(state)
    state.do(CommitTurn(turn_id, end_ms, reason))


def input_committed(state: State, has_audio: bool, request_id: str) -> None:
    if state.turn is not None:
        if state.agent is Agent.PAUSED:
            _take_floor(state, state.turn)
        end_turn(state, CommitReason.CLIENT)
    elif has_audio:
        commit_turn(state, state.new_turn_id(), state.now_ms, CommitReason.CLIENT, None)
    else:
        state.fault(FaultCode.NO_SPEECH, "there is no audio to commit: append some first", request_id)


def _take_floor(state: State, turn: OpenTurnRecord) -> None:
    """The client's word is the verdict: what held the agent is a turn."""
    overlap = state.open_overlap()
    overlap.verdict = Verdict.INTERRUPTION
    state.do(ReportVerdict(turn.turn_id, Verdict.INTERRUPTION, state.now_ms - overlap.onset_ms))
    give_way(state, turn)
    announce(state)


def turn_transcribed(state: State, turn_id: TurnId, has_words: bool, repair: Repair) -> None:
    interrupted = state.untranscribed.pop(turn_id).interrupted
    repair = repair if has_words else Repair.RESUME
    if interrupted is not None and repair is not Repair.DROP:
        for owed in state.unanswered:
            if owed.turn_id == turn_id:
                owed.repair, owed.repairs = repair, interrupted
    if has_words:
        state.user_is_there()
    else:
        state.do(DropTurn(turn_id, DropReason.NO_WORDS))
        state.unanswered = [owed for owed in state.unanswered if owed.turn_id != turn_id or owed.repairs is not None]
    answer(state)


def transcripts_failed(state: State, turn_ids: set[TurnId]) -> None:
    """A request of the client waits for all transcripts, so it fails with any."""
    for turn_id in turn_ids:
        del state.untranscribed[turn_id]
    for owed in state.unanswered:
        owed.failed = owed.failed or owed.turn_id is None or owed.turn_id in turn_ids
    answer(state)


def turn_outlives_reply(state: State) -> None:
    """Speech that began over the agent and goes on behind its end is a turn like any other, if it is no echo."""
    turn = state.turn
    if turn is None:
        return
    if turn.overlap is not None:
        was_echo = turn.overlap.verdict is Verdict.ECHO and not turn.overlap.goes_on
        settle_overlap(state, turn)
        if was_echo:
            drop_turn(state, DropReason.ECHO)
    announce(state)
    judge(state)


def turn_too_long(state: State) -> None:
    overlap = state.open_turn().overlap
    if overlap is not None and not overlap.goes_on:  # it was let be all the while
        drop_turn(state, _DROPPED_AS.get(overlap.verdict, DropReason.NOISE))
        return
    limit = f"the turn was ended at its greatest length of {state.config.max_turn_ms} ms"
    state.fault(FaultCode.TURN_TOO_LONG, limit)
    end_turn(state, CommitReason.TOO_LONG)
