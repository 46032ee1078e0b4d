"""`speakback simulate`: let strategies talk with simulated callers in virtual time, and compare them with people."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from speakback.lab.figures import StrategyFigures

DEFAULT_STRATEGIES = "half-duplex,rapid-duplex,overlap-aware"


def simulate(
    strategies: Annotated[
        str, typer.Option("--strategy", help="Names of strategies, with commas between them.")
    ] = DEFAULT_STRATEGIES,
    hours: Annotated[float, typer.Option(min=0.01, max=1000, help="Hours of conversation for each.")] = 10.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed: the same callers, for every strategy.")] = 1,
    aucs: Annotated[
        str,
        typer.Option(
            "--auc",
            help="How well ends of turns are told from pauses (area under the ROC curve); several by commas.",
        ),
    ] = "0.88",
    providers: Annotated[str, typer.Option(help="Latencies: hosted, or local (this project's engines).")] = "hosted",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")] = False,
) -> None:
    """Compare turn-taking strategies on simulated callers, in virtual time."""
    from rich.console import Console

    from speakback.lab.figures import figures_of
    from speakback.lab.latencies import LATENCIES
    from speakback.lab.simulate import Setting
    from speakback.lab.simulate import simulate as hold
    from speakback.turn.strategies import STRATEGIES, strategy

    if providers not in LATENCIES:
        raise typer.BadParameter(f"{providers!r} is none of {', '.join(LATENCIES)}", param_hint="--providers")
    configs = {name: strategy(name) for name in _listed(strategies)}
    if not configs:
        raise typer.BadParameter(f"name one of {', '.join(STRATEGIES)}, or several", param_hint="--strategy")
    console = Console(stderr=as_json)
    results: list[dict[str, object]] = []
    for auc in _aucs(aucs):
        setting = Setting(hours, seed, auc, LATENCIES[providers])
        found = [figures_of(name, hold(config, setting), seed) for name, config in configs.items()]
        results.append({"auc": auc, "strategies": [one.to_json() for one in found]})
        if not as_json:
            title = f"{hours:g} h each, seed {seed}, end-of-turn AUC {auc:g}, {providers} latencies"
            console.print(_table(title, found))
            _print_notes(found)
    if as_json:
        typer.echo(json.dumps({"hours": hours, "seed": seed, "providers": providers, "results": results}, indent=2))


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _aucs(text: str) -> list[float]:
    try:
        values = [float(part) for part in _listed(text)] or [float(text)]
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number, or several", param_hint="--auc") from None
    if not all(0.5 <= value < 1 for value in values):
        raise typer.BadParameter("an AUC lies between 0.5 (chance) and 1", param_hint="--auc")
    return values


def _table(title: str, found: "list[StrategyFigures]") -> "Table":
    from speakback.cli.figures_table import figures_table

    table = figures_table(title, {one.strategy: (one.figures, one.counts) for one in found})
    table.add_row("times real time, one core", *(f"{one.times_real_time:,.0f}" for one in found))
    return table


def _print_notes(found: "list[StrategyFigures]") -> None:
    from speakback.cli.figures_table import LEGEND

    for one in found:
        for note in one.notes:
            typer.echo(f"{one.strategy}: {note}")
    typer.echo(LEGEND)
