"""The diagrams: every move of the tables is drawn, and the page holds the drawing of today."""

from pathlib import Path

import pytest

from speakback.turn.diagram import main, mermaid, page_part
from speakback.turn.tables import AGENT_TABLE, USER_TABLE, Agent, User

PAGE = Path(__file__).parents[2] / "docs" / "turn-taking.md"
BEGIN = "<!-- drawn by `python -m speakback.turn.diagram`; do not edit by hand -->\n"
END = "<!-- end of the drawing -->"


def test_a_table_is_drawn_from_its_first_state() -> None:
    assert mermaid(USER_TABLE, User.SILENT).splitlines() == [
        "stateDiagram-v2",
        "    [*] --> silent",
        "    silent --> speaking: start",
        "    speaking --> ending: pause",
        "    speaking --> silent: end, drop",
        "    ending --> speaking: resume",
        "    ending --> silent: end, drop",
    ]


def test_every_move_is_drawn() -> None:
    drawing = mermaid(AGENT_TABLE, Agent.IDLE)
    for (before, move), then in AGENT_TABLE.items():
        [arrow] = [line for line in drawing.splitlines() if line.startswith(f"    {before.value} --> {then.value}: ")]
        assert move.value in arrow


def test_the_page_is_current() -> None:
    drawn = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert drawn.strip() == page_part().strip(), "put the output of `python -m speakback.turn.diagram` in the page"


def test_the_command_prints_what_the_page_holds(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    assert capsys.readouterr().out == page_part()
