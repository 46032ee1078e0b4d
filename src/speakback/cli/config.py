"""`speakback config`: the effective settings and where each came from."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from speakback.cli.options import ConfigOption

if TYPE_CHECKING:
    from rich.table import Table

    from speakback.config import LoadedSettings, Origin


def config(
    path: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    example: Annotated[
        bool, typer.Option("--example", help="Print a speakback.toml with every key explained.")
    ] = False,
) -> None:
    """Show the effective settings and where each came from."""
    from rich.console import Console

    from speakback.config import load_settings
    from speakback.config.pages import example_file

    if example:
        typer.echo(example_file(), nl=False)
        return
    loaded = load_settings(path, os.environ)
    if as_json:
        rows = {
            name: {"value": value, "origin": loaded.origins[name].kind, "place": loaded.origins[name].place or None}
            for name, value in shown_values(loaded).items()
        }
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        Console().print(_table(loaded))


def shown_values(loaded: "LoadedSettings") -> Mapping[str, object]:
    """Every key's value as it may be shown, by dotted name: secrets masked, the rest fit for JSON."""
    from speakback.config.catalogue import KEYS

    return {
        name: _shown(getattr(getattr(loaded.settings, key.section), key.name), key.is_secret)
        for name, key in KEYS.items()
    }


def _shown(value: object, is_secret: bool) -> object:
    if is_secret:
        return "set, hidden" if value else "not set"
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _table(loaded: "LoadedSettings") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    table = Table("key", "value", "from", caption=f"file: {loaded.path or 'none'}")
    for name, value in shown_values(loaded).items():
        text = "not set" if value is None else value if isinstance(value, str) else json.dumps(value)
        style = "dim" if loaded.origins[name].kind == "default" else None
        table.add_row(name, escape(text), escape(_origin_text(loaded.origins[name])), style=style)
    return table


def _origin_text(origin: "Origin") -> str:
    return f"{origin.kind}: {origin.place}" if origin.place else origin.kind
