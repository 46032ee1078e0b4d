"""What a conversation leaves open when its connection breaks, and takes up again when it goes on. Pure records."""

from dataclasses import dataclass
from enum import Enum

from speakback.timebase import ReplyId, TurnId
from speakback.turn.words import Repair

BEFORE_THE_BREAK = ReplyId(0)
"""The reply that was cut short when, or before, the connection broke: the one whose rest may still be wanted."""


class Heard(Enum):
    """What the user had heard of the reply under way."""

    NOTHING = "nothing"
    SOME = "some"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Debt:
    """The reply that the agent owes. What it owed before that one goes with it, as ever."""

    turn_id: TurnId | None
    """The user turn that it answers, or in whose place it says the rest; None: the client asked for it."""
    failed: bool = False
    """Whether it came to nothing once: only an apology is left."""
    interruptible: bool = True
    repair: Repair = Repair.DROP
    """What it makes of the reply that was cut short before."""


@dataclass(frozen=True, slots=True)
class AwaitedTurn:
    """A user turn that is over, and whose transcript is not there."""

    turn_id: TurnId
    is_owed: bool
    """Whether it is to be answered unasked."""
    interrupted: bool
    """Whether it cut a reply short."""


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """All that turn-taking has to take up again. The turns' ids are in the order of the turns: `debt` first."""

    debt: Debt | None = None
    awaited: tuple[AwaitedTurn, ...] = ()
    agent_has_spoken: bool = False
    waits_for_tool: bool = False
    """Whether the client was asked to run a tool, and has not asked for the reply to its result."""

    @property
    def owes_reply(self) -> bool:
        """Whether the agent goes on by itself."""
        return self.debt is not None or any(turn.is_owed for turn in self.awaited)


def renumbered(left_open: LeftOpen, last_turn_id: TurnId) -> LeftOpen:
    """The same for a core that has had that many turns: ids count on from there."""
    debt = left_open.debt
    next_id = last_turn_id + 1
    if debt is not None and debt.turn_id is not None:
        debt = Debt(TurnId(next_id), debt.failed, debt.interruptible, debt.repair)
        next_id += 1
    awaited = tuple(
        AwaitedTurn(TurnId(turn_id), turn.is_owed, turn.interrupted)
        for turn_id, turn in enumerate(left_open.awaited, start=next_id)
    )
    return LeftOpen(debt, awaited, left_open.agent_has_spoken, left_open.waits_for_tool)
