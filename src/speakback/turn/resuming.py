"""A break in the connection: what of the state outlives it, and how another core takes that up.

A debt is one reply, whatever it answers. So of what is owed and transcribed the latest is kept, and with it what became
of the reply that was cut short; turns that wait for their transcripts are kept each.
"""

from dataclasses import replace

from speakback.timebase import TurnId
from speakback.turn.left_open import BEFORE_THE_BREAK, AwaitedTurn, Debt, Heard, LeftOpen
from speakback.turn.records import Deadline, Owed, Untranscribed
from speakback.turn.replying import answer
from speakback.turn.staleness import UnknownId
from speakback.turn.state import State
from speakback.turn.words import Repair

NO_TURN = TurnId(0)
"""In whose place a rest is said: the turn that the reply answered has its answer, as far as it was heard."""


def left_open(state: State, heard: Heard) -> LeftOpen:
    """What another core has to take up; `heard` is what the user has heard of the reply under way, if there is one."""
    owed = _owed_of_reply(state, heard) + state.unanswered
    settled = [one for one in owed if one.turn_id is None or one.turn_id not in state.untranscribed]
    is_owed = {one.turn_id for one in owed}
    awaited = (
        AwaitedTurn(turn_id, turn_id in is_owed, waiting.interrupted is not None)
        for turn_id, waiting in state.untranscribed.items()
    )
    return LeftOpen(
        debt=_debt(settled[-1]) if settled else None,
        awaited=tuple(awaited),
        agent_has_spoken=state.prompted is not None or heard is not Heard.NOTHING,
        waits_for_tool=Deadline.TOOL_RESULT in state.deadlines,
    )


def _owed_of_reply(state: State, heard: Heard) -> list[Owed]:
    reply = state.reply
    if reply is None or heard is Heard.ALL or (heard is Heard.SOME and reply.ends_conversation):
        return []
    if heard is Heard.NOTHING:
        return reply.answers
    return [Owed(NO_TURN, interruptible=reply.interruptible, repair=Repair.RESUME, repairs=reply.reply_id)]


def _debt(owed: Owed) -> Debt:
    repair = Repair.DROP if owed.repairs is None else owed.repair
    return Debt(owed.turn_id, owed.failed, owed.interruptible, repair)


def resume(state: State, what: LeftOpen) -> None:
    """Take up what was left open; a debt is no more where a reply has begun since, to all that was said.

    Raises `UnknownId`, and then takes nothing, where a turn's id does not count on.
    """
    turn_ids = [turn.turn_id for turn in what.awaited]
    if what.debt is not None and what.debt.turn_id is not None:
        turn_ids.insert(0, what.debt.turn_id)
    if turn_ids != list(range(state.last_turn_id + 1, state.last_turn_id + 1 + len(turn_ids))):
        raise UnknownId(f"turns {turn_ids} behind turn {state.last_turn_id}")
    state.last_turn_id += len(turn_ids)
    if what.agent_has_spoken:
        state.prompted = state.prompted or 0
    owed = [] if what.debt is None or state.reply is not None else [_taken_up(state, what.debt)]
    for turn in what.awaited:
        due_ms = state.now_ms + state.config.transcript_timeout_ms
        state.untranscribed[turn.turn_id] = Untranscribed(due_ms, BEFORE_THE_BREAK if turn.interrupted else None)
        if turn.is_owed:
            owed.append(Owed(turn.turn_id))
    state.unanswered[:0] = owed  # older than all that was said since
    if what.waits_for_tool and state.reply is None:
        state.arm(Deadline.TOOL_RESULT, state.config.tool_timeout_ms)
    answer(state)


def _taken_up(state: State, debt: Debt) -> Owed:
    """The debt, which the user's words since hold up: a listener's word among them, or "go on", lets a rest come."""
    if debt.repair is Repair.DROP:
        return Owed(debt.turn_id, debt.failed, debt.interruptible)
    if state.turn is not None and state.turn.interrupted is None:
        state.turn.interrupted = BEFORE_THE_BREAK
    for turn_id, waiting in state.untranscribed.items():
        if waiting.interrupted is None:
            state.untranscribed[turn_id] = replace(waiting, interrupted=BEFORE_THE_BREAK)
    return Owed(debt.turn_id, debt.failed, debt.interruptible, debt.repair, BEFORE_THE_BREAK)
