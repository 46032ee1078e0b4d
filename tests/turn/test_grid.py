"""Of the twelve pairs of states one cannot be reached: a held reply while the user is silent.

The argument: the agent is held only while speech over it is judged, which belongs to the open turn. A turn is closed
in one place, which lets the agent go on first; and while the turn is open, the judging ends only together with the
reply or as the reply is stopped. So *held* implies *an open turn that is judged*. This walks every history of the
events that bear on it, up to the given length, and checks that step in each state it finds.
"""

from collections.abc import Iterator
from copy import deepcopy
from itertools import product

import pytest

from speakback.timebase import ReplyId, TurnId
from speakback.turn.barge_in import BargeIn
from speakback.turn.core import TurnCore
from speakback.turn.events import (
    EchoJudged,
    Event,
    InputCleared,
    InputCommitted,
    OverlapHeard,
    ReplyAudible,
    ReplyCancelled,
    ReplyFailed,
    ReplyFinished,
    ReplyRequested,
    SpeechStarted,
    SpeechStopped,
    TurnTranscribed,
)
from speakback.turn.strategies import STRATEGIES
from speakback.turn.tables import Agent, User
from speakback.turn.words import HeardWords

LENGTH = 7
ALL = set(product(User, Agent))
HELD = {(User.SPEAKING, Agent.PAUSED), (User.ENDING, Agent.PAUSED)}
BOTH_SPEAK = {(User.SPEAKING, Agent.SPEAKING)}
UNREACHED = {
    BargeIn.GRADED: set[tuple[User, Agent]](),
    BargeIn.NEVER: HELD,
    BargeIn.IMMEDIATE: HELD | BOTH_SPEAK,
}
"""By replies that may be stopped, beside the pair that no strategy reaches."""


def steps(core: TurnCore, now_ms: int) -> Iterator[Event | None]:
    """Whatever may happen next; None: the next deadline passes."""
    state = core._state
    turn_id, reply_id = TurnId(state.last_turn_id), ReplyId(state.last_reply_id)
    yield from (None, SpeechStarted(now_ms), SpeechStopped(now_ms), InputCommitted(True), InputCleared())
    yield from (ReplyRequested(), ReplyCancelled())
    if state.reply is not None:
        yield from (ReplyAudible(reply_id), ReplyFinished(reply_id), ReplyFailed(reply_id))
    if state.untranscribed:
        yield from (TurnTranscribed(min(state.untranscribed), has_words) for has_words in (True, False))
    if state.turn is not None and state.turn.overlap is not None:
        yield from (OverlapHeard(turn_id, HeardWords.BACKCHANNEL), OverlapHeard(turn_id, HeardWords.CONTENT))
        yield from (EchoJudged(turn_id, 0.9), EchoJudged(turn_id, 0.1))


def situation(core: TurnCore, now_ms: int) -> str:
    """All that bears on what may follow, with times relative to the present and without the ids."""
    state = core._state
    turn, overlap = state.turn, state.turn.overlap if state.turn else None
    return repr(
        (
            (state.user, state.agent, state.draft is None, state.prompted),
            sorted((kind.name, due_ms - now_ms) for kind, due_ms in state.deadlines.items()),
            turn and (turn.end_ms - now_ms, turn.interrupted is None, turn.is_announced),
            overlap and (overlap.onset_ms - now_ms, overlap.words, overlap.echo, overlap.verdict, overlap.is_ducked),
            state.reply and (len(state.reply.answers), state.reply.audible_ms and state.reply.audible_ms - now_ms),
            [(owed.turn_id is None, owed.failed, owed.repair) for owed in state.unanswered],
            len(state.untranscribed),
        )
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_held_reply_always_has_a_turn_that_is_judged(name: str) -> None:
    config = STRATEGIES[name]
    speaking = TurnCore(config)
    speaking.handle(ReplyRequested(), 0)
    speaking.handle(ReplyAudible(ReplyId(1)), 0)
    frontier, seen, found = [(speaking, 0)], set[str](), {(User.SILENT, Agent.SPEAKING)}
    for _ in range(LENGTH):
        further = []
        for core, now_ms in frontier:
            for event in steps(core, now_ms):
                then, then_ms = deepcopy(core, {id(config): config}), now_ms
                if event is not None:
                    then.handle(event, now_ms)
                elif (due_ms := core.next_deadline()) is not None:
                    then_ms = max(due_ms, now_ms)
                    then.tick(then_ms)
                turn = then._state.turn
                assert then.agent is not Agent.PAUSED or (turn is not None and turn.overlap is not None)
                found.add((then.user, then.agent))
                if (key := situation(then, then_ms)) not in seen:
                    seen.add(key)
                    further.append((then, then_ms))
        frontier = further
    silent_while_held = {(User.SILENT, Agent.PAUSED)}
    assert found == ALL - silent_while_held - UNREACHED[config.barge_in]
