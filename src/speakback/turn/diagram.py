"""The state diagrams of `docs/turn-taking.md`, drawn from the tables: `python -m speakback.turn.diagram`."""

import sys
from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from speakback.turn.tables import AGENT_TABLE, USER_TABLE, Agent, User

_State = TypeVar("_State", bound=Enum)
_Move = TypeVar("_Move", bound=Enum)


def mermaid(table: Mapping[tuple[_State, _Move], _State], first: _State) -> str:
    """A Mermaid state diagram of `table`, which begins in `first`; moves between the same two states share an arrow."""
    moves: dict[tuple[_State, _State], list[str]] = {}
    for (before, move), then in table.items():
        moves.setdefault((before, then), []).append(move.value)
    lines = ["stateDiagram-v2", f"    [*] --> {first.value}"]
    for (before, then), names in moves.items():
        lines.append(f"    {before.value} --> {then.value}: {', '.join(names)}")
    return "\n".join(lines)


def page_part() -> str:
    """Both diagrams as they stand in the page, the user's first."""
    diagrams = {"user": mermaid(USER_TABLE, User.SILENT), "agent": mermaid(AGENT_TABLE, Agent.IDLE)}
    return "\n".join(f"The {who}:\n\n```mermaid\n{diagram}\n```\n" for who, diagram in diagrams.items())


def main() -> None:
    """Print both diagrams."""
    sys.stdout.write(page_part())


if __name__ == "__main__":  # pragma: no cover
    main()
