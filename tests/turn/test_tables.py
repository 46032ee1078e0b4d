"""The two tables: what is legal moves, what is not is refused and changes nothing."""

from itertools import product

import pytest

from speakback.turn.tables import (
    AGENT_TABLE,
    USER_TABLE,
    Agent,
    AgentMove,
    Floor,
    IllegalMove,
    User,
    UserMove,
    after,
    floor,
)


@pytest.mark.parametrize(("state", "move"), list(product(User, UserMove)))
def test_each_user_move_follows_the_table_or_is_refused(state: User, move: UserMove) -> None:
    if (state, move) in USER_TABLE:
        assert after(USER_TABLE, state, move) is USER_TABLE[state, move]
    else:
        with pytest.raises(IllegalMove, match=f"user is {state.value}: it cannot {move.value}"):
            after(USER_TABLE, state, move)


@pytest.mark.parametrize(("state", "move"), list(product(Agent, AgentMove)))
def test_each_agent_move_follows_the_table_or_is_refused(state: Agent, move: AgentMove) -> None:
    if (state, move) in AGENT_TABLE:
        assert after(AGENT_TABLE, state, move) is AGENT_TABLE[state, move]
    else:
        with pytest.raises(IllegalMove, match=f"agent is {state.value}: it cannot {move.value}"):
            after(AGENT_TABLE, state, move)


def test_every_state_can_be_reached_and_left() -> None:
    assert {before for before, _ in USER_TABLE} == set(USER_TABLE.values()) == set(User)
    assert {before for before, _ in AGENT_TABLE} == set(AGENT_TABLE.values()) == set(Agent)


def test_every_move_is_of_use() -> None:
    assert {move for _, move in USER_TABLE} == set(UserMove)
    assert {move for _, move in AGENT_TABLE} == set(AgentMove)


@pytest.mark.parametrize(
    ("user", "agent", "holder"),
    [
        (User.SILENT, Agent.IDLE, Floor.NOBODY),
        (User.SILENT, Agent.THINKING, Floor.NOBODY),
        (User.SILENT, Agent.SPEAKING, Floor.AGENT),
        (User.SILENT, Agent.PAUSED, Floor.NOBODY),
        (User.SPEAKING, Agent.IDLE, Floor.USER),
        (User.SPEAKING, Agent.THINKING, Floor.USER),
        (User.SPEAKING, Agent.SPEAKING, Floor.BOTH),
        (User.SPEAKING, Agent.PAUSED, Floor.USER),
        (User.ENDING, Agent.IDLE, Floor.USER),
        (User.ENDING, Agent.THINKING, Floor.USER),
        (User.ENDING, Agent.SPEAKING, Floor.BOTH),
        (User.ENDING, Agent.PAUSED, Floor.USER),
    ],
)
def test_the_floor_is_a_function_of_the_two_states(user: User, agent: Agent, holder: Floor) -> None:
    assert floor(user, agent) is holder
