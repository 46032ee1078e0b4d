"""Speech over the agent: judged again whenever more is known, and the agent's voice follows the verdict."""

from speakback.turn.actions import (
    DuckReply,
    HoldReply,
    ReportVerdict,
    RestoreReply,
    ResumeReply,
    StopReason,
)
from speakback.turn.barge_in import LET_BE, BargeIn, Verdict
from speakback.turn.judging import Judgement, judge_overlap
from speakback.turn.records import Deadline, OpenTurnRecord, OverlapRecord
from speakback.turn.replying import stop_reply
from speakback.turn.state import State
from speakback.turn.tables import Agent, AgentMove, User


def weigh_overlap(state: State, turn: OpenTurnRecord, overlap: OverlapRecord) -> Judgement:
    """Judge the speech over the agent as things stand, and have the agent answer to it."""
    judgement = overlap_judgement(state, turn, overlap)
    if judgement.verdict not in (Verdict.OPEN, overlap.verdict):
        overlap.verdict = judgement.verdict
        state.do(ReportVerdict(turn.turn_id, judgement.verdict, state.now_ms - overlap.onset_ms))
    set_ducked(state, overlap, judgement.ducks)
    if judgement.next_look_ms is None:
        state.disarm(Deadline.OVERLAP)
    else:
        state.deadlines[Deadline.OVERLAP] = judgement.next_look_ms
    match judgement.verdict:
        case Verdict.HOLD:
            hold_reply(state)
        case Verdict.INTERRUPTION:
            give_way(state, turn)
        case verdict if verdict in LET_BE:
            let_agent_go_on(state)
    return judgement


def overlap_judgement(state: State, turn: OpenTurnRecord, overlap: OverlapRecord) -> Judgement:
    judgement = judge_overlap(
        state.config.overlap,
        turn,
        overlap,
        is_voiced=state.user is User.SPEAKING,
        now_ms=state.now_ms,
        report=state.policy_failed,
    )
    if state.config.barge_in is BargeIn.IMMEDIATE and judgement.verdict is not Verdict.ECHO:
        return Judgement(Verdict.INTERRUPTION, ducks=False, is_conclusive=True, next_look_ms=None)
    return judgement


def set_ducked(state: State, overlap: OverlapRecord, ducks: bool) -> None:
    reply = state.begun_reply()
    if state.agent is Agent.SPEAKING and ducks is not overlap.is_ducked:
        overlap.is_ducked = ducks
        state.do(DuckReply(reply.reply_id) if ducks else RestoreReply(reply.reply_id))


def hold_reply(state: State) -> None:
    if state.agent is Agent.SPEAKING:
        state.move_agent(AgentMove.HOLD)
        state.disarm(Deadline.REPLY_LIFE)
        state.do(HoldReply(state.begun_reply().reply_id))


def let_agent_go_on(state: State) -> None:
    """The agent keeps the floor: at its full level again, and from where it was held."""
    assert state.turn is not None
    assert state.turn.overlap is not None
    if state.agent is Agent.PAUSED:
        state.turn.overlap.is_ducked = False
        state.move_agent(AgentMove.GO_ON)
        state.arm(Deadline.REPLY_LIFE, state.config.stall_timeout_ms)
        state.do(ResumeReply(state.begun_reply().reply_id))
    else:
        set_ducked(state, state.turn.overlap, False)


def give_way(state: State, turn: OpenTurnRecord) -> None:
    """The user takes the floor."""
    turn.interrupted = state.begun_reply().reply_id
    settle_overlap(state, turn)
    stop_reply(state, StopReason.USER_SPOKE)


def note_echo(state: State, overlap: OverlapRecord, echo: float) -> None:
    """Take in how likely it is the agent's own voice. Someone who speaks up over an echo began only then, and once."""
    speaks_up = state.user is User.SPEAKING and overlap.verdict is Verdict.ECHO
    if speaks_up and echo < state.config.overlap.not_echo_below:
        overlap.begin_anew(max(overlap.onset_ms, state.now_ms - state.config.overlap.echo_told_ms))
        overlap.words, overlap.verdict = None, Verdict.OPEN
    overlap.echo = echo


def release_overlap(state: State) -> None:
    """The agent is not to be stopped any more: what is said over it is a turn that waits."""
    if state.turn is not None and state.turn.overlap is not None:
        let_agent_go_on(state)
        settle_overlap(state, state.turn)


def settle_overlap(state: State, turn: OpenTurnRecord) -> None:
    """From here on it is a turn like any other, or none."""
    turn.overlap = None
    state.disarm(Deadline.OVERLAP)
