"""The agent's side: what is owed, the reply under way, and its draft."""

from speakback.turn.actions import (
    Apologise,
    DiscardDraft,
    EndConversation,
    Reprompt,
    SayGoodbye,
    StartDraft,
    StartReply,
    StopReason,
    StopReply,
)
from speakback.turn.judging import draft_allowed
from speakback.turn.records import BegunReply, Deadline, Draft, OpenTurnRecord, Owed
from speakback.turn.state import State
from speakback.turn.tables import Agent, AgentMove, User


def answer(state: State) -> None:
    """Think as soon as something is owed and the floor is free; begin the reply once all is transcribed."""
    await_transcripts(state)
    if state.unanswered and state.agent is Agent.IDLE and state.user is User.SILENT:
        state.move_agent(AgentMove.THINK)
    if state.agent is Agent.THINKING and state.reply is None:
        if not state.unanswered:  # the turn held no words
            state.move_agent(AgentMove.FINISH)
            discard_draft(state)
        elif state.unanswered[-1].failed or not state.untranscribed:
            answers, state.unanswered = state.unanswered, []
            begin_reply(state, answers)


def await_transcripts(state: State) -> None:
    """Wait no longer than until the oldest one is due: turns that follow it, each in time, must not put that off."""
    due_ms = min((waiting.due_ms for waiting in state.untranscribed.values()), default=None)
    if due_ms is None:
        state.disarm(Deadline.TRANSCRIPT)
    else:
        state.deadlines[Deadline.TRANSCRIPT] = due_ms


def begin_reply(state: State, answers: list[Owed]) -> None:
    state.disarm(Deadline.TOOL_RESULT)
    latest = answers[-1]
    draft = state.draft
    turns = [owed.turn_id for owed in answers]
    if draft is None or latest.failed or latest.repairs is not None or turns != [draft.turn_id]:
        discard_draft(state)
        reply_id = state.new_reply_id()
    else:
        state.draft, reply_id = None, draft.reply_id
    state.reply = BegunReply(reply_id, answers, interruptible=latest.interruptible)
    state.arm(Deadline.REPLY_LIFE, state.config.first_audio_timeout_ms)
    if latest.failed:
        state.do(Apologise(reply_id, latest.turn_id))
    else:
        state.do(StartReply(reply_id, latest.turn_id, latest.repair, latest.repairs))


def stop_reply(state: State, reason: StopReason) -> list[Owed]:
    """Cut the reply short, if it was begun; returns what it was to answer."""
    state.move_agent(AgentMove.STOP)
    if (reply := close_reply(state)) is None:
        return []
    state.do(StopReply(reply.reply_id, reason, state.config.stop_fade_ms))
    if reply.ends_conversation:
        after_goodbye(state, reason)
    return reply.answers


def close_reply(state: State) -> BegunReply | None:
    reply, state.reply = state.reply, None
    state.disarm(Deadline.REPLY_LIFE)
    return reply


def draft_reply(state: State, turn: OpenTurnRecord) -> None:
    """Prepare a reply in the pause, if nothing else is owed and the budget allows."""
    if state.draft is not None or not turn.has_words or turn.probability is None or not state.config.auto_reply:
        return
    if state.agent is not Agent.IDLE or state.unanswered or state.untranscribed or turn.interrupted is not None:
        return
    if draft_allowed(state.config.drafts, state.drafts, turn.probability, turn.drafted, state.policy_failed):
        state.draft = Draft(state.new_reply_id(), turn.turn_id)
        state.unsettled_drafts.add(state.draft.reply_id)
        turn.drafted += 1
        state.drafts = state.drafts.with_started()
        state.do(StartDraft(state.draft.reply_id, turn.turn_id, turn.pause))


def discard_draft(state: State) -> None:
    if state.draft is not None:
        draft, state.draft = state.draft, None
        state.do(DiscardDraft(draft.reply_id))


def speak_up(state: State) -> None:
    """The user did not answer: prompt, and in the end take leave."""
    assert state.prompted is not None
    state.prompted += 1
    gives_up = state.prompted > state.config.idle.reprompts
    state.move_agent(AgentMove.THINK)
    reply_id = state.new_reply_id()
    state.reply = BegunReply(reply_id, [], ends_conversation=gives_up)
    state.arm(Deadline.REPLY_LIFE, state.config.first_audio_timeout_ms)
    state.do(SayGoodbye(reply_id) if gives_up else Reprompt(reply_id))


def after_goodbye(state: State, reason: StopReason | None = None) -> None:
    """The conversation ends, unless somebody wants it to go on: then leave is taken anew, should it fall idle again."""
    prompted, most = state.prompted or 0, state.config.idle.reprompts
    if state.turn or state.unanswered or state.untranscribed or reason is StopReason.CLIENT_CANCELLED:
        state.prompted = min(prompted, most)
    elif prompted > most:
        state.do(EndConversation())


def watch_idle(state: State) -> None:
    """Wait for the user's answer while nobody speaks and nothing is owed."""
    is_idle = state.user is User.SILENT and state.agent is Agent.IDLE and not state.untranscribed
    if not is_idle or Deadline.TOOL_RESULT in state.deadlines or not _may_prompt(state):
        state.disarm(Deadline.IDLE)
    elif Deadline.IDLE not in state.deadlines:
        state.arm(Deadline.IDLE, state.config.idle.wait_ms)


def _may_prompt(state: State) -> bool:
    idle = state.config.idle
    return state.prompted is not None and state.prompted < idle.reprompts + (idle.goodbye and idle.reprompts > 0)
