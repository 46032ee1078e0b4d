"""`speakback weights`: fetch model files before they are needed, or list them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from speakback.cli.options import ConfigOption
from speakback.weights import GROUPS, REGISTRY, resolve


class BarProgress:
    """Draws each download as a bar on the console; where there is no terminal, prints one line for each."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._current: TaskID | None = None

    def begin(self, label: str, total_bytes: int) -> None:
        if self._bars.console.is_terminal:
            if self._current is not None and not self._bars.tasks[self._bars.task_ids.index(self._current)].finished:
                self._bars.remove_task(self._current)  # the hub gave up; another place is tried
            self._current = self._bars.add_task(label, total=total_bytes)
        else:
            self._bars.console.print(f"fetching {label}: {total_bytes / 1e6:.1f} MB")

    def reached(self, done_bytes: int) -> None:
        if self._current is not None:
            self._bars.update(self._current, completed=done_bytes)

    def note(self, text: str) -> None:
        self._bars.console.print(text, style="dim", soft_wrap=True)


def fetch(ids: Sequence[str], console: Console, directory: Path | None = None) -> None:
    """Bring the weights of each id (or group of ids) into the cache. Raises `WeightsError`."""
    wanted = dict.fromkeys(weights_id for name in ids for weights_id in GROUPS.get(name, (name,)))
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bars:
        progress = BarProgress(bars)
        for weights_id in wanted:
            found = resolve(weights_id, directory=directory, progress=progress)
            console.print(f"{weights_id}: {found}", soft_wrap=True, highlight=False)


def weights(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Ids, or a group: default, demo, tests. None: what the settings need.")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="List what is known and fetch nothing.")] = False,
    config: ConfigOption = None,
) -> None:
    """Fetch model weights into the cache and say where they lie."""
    from speakback.config import load_settings
    from speakback.providers.registry import needed_weights

    console = Console()
    if show:
        console.print(_table())
        return
    settings = load_settings(config, os.environ).settings
    fetch(ids or needed_weights(settings), console, settings.weights.directory)


def _table() -> Table:
    table = Table("id", "what", "MB", "licence", "groups")
    for entry in REGISTRY.values():
        groups = [name for name, ids in GROUPS.items() if entry.id in ids]
        table.add_row(entry.id, entry.what, f"{entry.size_bytes / 1e6:.1f}", entry.licence, ", ".join(groups))
    return table
