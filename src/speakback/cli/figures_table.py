"""Figures beside those of people, as a table. Shared by the verbs that score."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from speakback.evaluate.figures import Figure

LEGEND = "In brackets: 95 % bootstrap intervals over conversations. –: too few events, or not known."


def figures_table(title: str, columns: "Mapping[str, tuple[Mapping[str, Figure], Mapping[str, int]]]") -> "Table":
    """A column for each agent, its figures and its counts of events, and one for people. All have the same rows."""
    from rich.table import Table

    table = Table("", *columns, "people", title=title, title_justify="left")
    agents = list(columns.values())
    for name, figure in agents[0][0].items():
        shown = (_shown(figures[name]) for figures, _ in agents)
        table.add_row(name, *shown, "" if figure.human is None else _number(figure.human))
    table.add_section()
    for name in agents[0][1]:
        table.add_row(name, *(str(counts[name]) for _, counts in agents))
    return table


def _shown(figure: "Figure") -> str:
    if figure.value is None:
        return "–"
    if figure.low is None or figure.high is None:
        return _number(figure.value)
    return f"{_number(figure.value)} [{_number(figure.low)}, {_number(figure.high)}]"


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"
