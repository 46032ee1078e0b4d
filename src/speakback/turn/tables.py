"""Who is doing what, and every legal way for that to change.

RULES
=====
1. Everything that may change the state of a conversation stands in the two tables of this file.
2. This file knows states and moves only: no events, no actions, no policies, no time.

Theory of operation
===================
A conversation is two small machines side by side. The *user* is silent, speaking, or ending (silent
for a moment within a turn that is not over yet). The *agent* is idle, thinking (a reply is being made
and nothing of it can be heard yet), speaking, or paused (a reply is in hand and its output is held).

A machine changes by a *move*. `core.py` turns events, deadlines and the verdicts of policies into
moves; a move that the table does not list for the present state is refused with `IllegalMove`, and
nothing changes. The two machines never move each other: where one must answer the other (the user
speaks, so the agent stops) the core makes two moves and returns the actions of both.

Who holds the floor is not a third machine. It is a function of the two (`floor`), so it can never
disagree with them. Every combination of the two states is legal: people overlap.

The diagram in `docs/turn-taking.md` is drawn from these tables (`python -m speakback.turn.diagram`).
"""

from enum import Enum
from typing import TypeVar


class User(Enum):
    """What the user is doing."""

    __hash__ = object.__hash__  # by identity: there is one of each, and the default hashes the name anew

    SILENT = "silent"
    SPEAKING = "speaking"
    ENDING = "ending"


class Agent(Enum):
    """What the agent is doing."""

    __hash__ = object.__hash__

    IDLE = "idle"
    THINKING = "thinking"
    SPEAKING = "speaking"
    PAUSED = "paused"


class Floor(Enum):
    """Who holds the floor."""

    NOBODY = "nobody"
    USER = "user"
    AGENT = "agent"
    BOTH = "both"


class UserMove(Enum):
    """Ways for the user's state to change."""

    __hash__ = object.__hash__

    START = "start"
    """Voice after silence: a turn opens."""
    PAUSE = "pause"
    """The voice falls silent: the turn may be over."""
    RESUME = "resume"
    """The voice comes back: the turn was not over."""
    END = "end"
    """The turn is over, by endpointing, by the client's word, or at its greatest length."""
    DROP = "drop"
    """The client throws away what was heard of the turn."""


class AgentMove(Enum):
    """Ways for the agent's state to change."""

    __hash__ = object.__hash__

    THINK = "think"
    """A reply is owed and begins to be made."""
    SPEAK = "speak"
    """The first audio of the reply went out."""
    HOLD = "hold"
    """The reply's output is held while it is decided whether the user means to interrupt."""
    GO_ON = "go on"
    """The held output goes on."""
    FINISH = "finish"
    """The reply is over: played to its end, or ended without audio (text, a tool call)."""
    STOP = "stop"
    """The reply is cut short: the user spoke, the client cancelled, or it failed."""


USER_TABLE: dict[tuple[User, UserMove], User] = {
    (User.SILENT, UserMove.START): User.SPEAKING,
    (User.SPEAKING, UserMove.PAUSE): User.ENDING,
    (User.SPEAKING, UserMove.END): User.SILENT,
    (User.SPEAKING, UserMove.DROP): User.SILENT,
    (User.ENDING, UserMove.RESUME): User.SPEAKING,
    (User.ENDING, UserMove.END): User.SILENT,
    (User.ENDING, UserMove.DROP): User.SILENT,
}

AGENT_TABLE: dict[tuple[Agent, AgentMove], Agent] = {
    (Agent.IDLE, AgentMove.THINK): Agent.THINKING,
    (Agent.THINKING, AgentMove.SPEAK): Agent.SPEAKING,
    (Agent.THINKING, AgentMove.FINISH): Agent.IDLE,
    (Agent.THINKING, AgentMove.STOP): Agent.IDLE,
    (Agent.SPEAKING, AgentMove.HOLD): Agent.PAUSED,
    (Agent.SPEAKING, AgentMove.FINISH): Agent.IDLE,
    (Agent.SPEAKING, AgentMove.STOP): Agent.IDLE,
    (Agent.PAUSED, AgentMove.GO_ON): Agent.SPEAKING,
    (Agent.PAUSED, AgentMove.FINISH): Agent.IDLE,
    (Agent.PAUSED, AgentMove.STOP): Agent.IDLE,
}

_S = TypeVar("_S", User, Agent)
_M = TypeVar("_M", UserMove, AgentMove)


class IllegalMove(Exception):
    """The table lists no such move for the present state; nothing has changed."""


def after(table: dict[tuple[_S, _M], _S], state: _S, move: _M) -> _S:
    """The state that `move` leads to from `state`. Raises `IllegalMove`."""
    try:
        return table[state, move]
    except KeyError:
        raise IllegalMove(f"{type(state).__name__.lower()} is {state.value}: it cannot {move.value}") from None


def floor(user: User, agent: Agent) -> Floor:
    """Who holds the floor. A pausing user still holds it; a thinking or paused agent does not."""
    user_holds = user is not User.SILENT
    agent_holds = agent is Agent.SPEAKING
    if user_holds and agent_holds:
        return Floor.BOTH
    if user_holds:
        return Floor.USER
    return Floor.AGENT if agent_holds else Floor.NOBODY
