"""What a benchmark found: figures with their goals, as a table and as JSON."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.conditions import Conditions
from speakback.caller.spread import spread


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `goal` is the value that it must stay below (or reach, if `at_least`); None: none is set."""

    what: str
    value: float | None
    """None: not measured."""
    unit: str
    goal: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none, or nothing was measured."""
        if self.goal is None or self.value is None:
            return None
        return self.value >= self.goal if self.at_least else self.value < self.goal


@dataclass(frozen=True, slots=True)
class Findings:
    """The result of one benchmark."""

    name: str
    n: str
    """How many of what."""
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    """How it was measured, and what to know about it."""

    def to_json(self) -> dict[str, object]:
        """The findings as JSON values."""
        return {**asdict(self), "met": {figure.what: figure.met for figure in self.figures if figure.goal is not None}}


def spread_figures(
    what: str,
    values: Iterable[float | None],
    *,
    mean_goal: float | None = None,
    median_goal: float | None = None,
    p95_goal: float | None = None,
) -> tuple[Figure, ...]:
    """Mean, median and p95 of what was measured, in milliseconds, with their goals."""
    found = spread(values)
    return (
        Figure(f"{what}, mean", None if found is None else found.mean, "ms", mean_goal),
        Figure(f"{what}, median", None if found is None else found.median, "ms", median_goal),
        Figure(f"{what}, p95", None if found is None else found.p95, "ms", p95_goal),
    )


def median_figure(what: str, values: Iterable[float | None], goal: float | None = None) -> Figure:
    """The median of what was measured, in milliseconds."""
    found = spread(values)
    return Figure(f"{what}, median", None if found is None else found.median, "ms", goal)


def show(console: Console, findings: Findings, where: Conditions) -> None:
    """Print the table and all that belongs to it."""
    table = Table("", "measured", "goal", "met", title=f"{findings.name}: n = {findings.n}", title_justify="left")
    for figure in findings.figures:
        met = {True: "[green]yes[/green]", False: "[red]no[/red]", None: ""}[figure.met]
        table.add_row(figure.what, _measured(figure), _goal(figure), met)
    console.print(table)
    for note in (*findings.notes, str(where)):
        console.print(note, style="dim", markup=False, highlight=False, soft_wrap=True)
    console.print()


def _measured(figure: Figure) -> str:
    return "not measured" if figure.value is None else f"{figure.value:.{_digits(figure)}f} {figure.unit}"


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    return f"{'at least' if figure.at_least else 'below'} {figure.goal:g} {figure.unit}"


def _digits(figure: Figure) -> int:
    return {"ms": 1, "%": 1, "GB": 2, "MB": 1, "cores": 4}.get(figure.unit, 0)
