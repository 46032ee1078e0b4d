"""`speakback doctor`: what is here, what is missing, and how fast each stage runs on this machine."""

import asyncio
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from speakback.cli.options import ConfigOption

if TYPE_CHECKING:
    from rich.table import Table

    from speakback.cli.checkup import Finding
    from speakback.config import Settings

EXIT_UNWELL = 1
"""The exit code when something that is needed is missing or does not work."""


def doctor(
    config: ConfigOption = None,
    url: Annotated[
        str | None, typer.Option(help="Also call the server there and say how long it takes to open a session.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(envvar="SPEAKBACK_API_KEY", help="Key for that server.", show_default=False)
    ] = None,
) -> None:
    """Say what is installed and configured, and time each stage once."""
    from rich.console import Console

    from speakback.cli import checkup
    from speakback.config import load_settings
    from speakback.observe.logging import configure_logging

    settings = load_settings(config, os.environ).settings
    configure_logging("warning", settings.log.format)
    console = Console()
    groups = {
        "machine": checkup.machine(),
        "packages": checkup.packages(settings),
        "providers": checkup.providers(settings),
        "weights": checkup.weights(settings),
    }
    found = [finding for findings in groups.values() for finding in findings]
    for title, findings in groups.items():
        console.print(_table(title, findings))
    if not any(finding.remedy for finding in found):
        timed = asyncio.run(_timed(settings))
        console.print(_table("stages, each timed once", timed))
        found += timed
    if url is not None:
        answer = asyncio.run(_called(url, api_key))
        console.print(_table("server", [answer]))
        found.append(answer)
    remedies = [finding for finding in found if finding.remedy]
    for finding in remedies:
        typer.secho(f"{finding.what}: {finding.value}: {finding.remedy}", fg=typer.colors.RED, err=True)
    if remedies:
        raise typer.Exit(EXIT_UNWELL)


async def _timed(settings: "Settings") -> "list[Finding]":
    from speakback.cli.checkup import Finding
    from speakback.cli.stage_times import stage_times
    from speakback.providers.errors import ProviderError
    from speakback.providers.registry import build_engines
    from speakback.weights import WeightsError

    try:
        engines = await build_engines(settings)
    except (ProviderError, WeightsError) as problem:
        return [Finding("engines", "could not be loaded", str(problem))]
    try:
        return await stage_times(engines, settings.stt.language)
    finally:
        await engines.aclose()


async def _called(url: str, api_key: str | None) -> "Finding":
    import time

    from speakback.caller.caller import calling
    from speakback.caller.errors import CallError
    from speakback.cli.checkup import Finding

    started_s = time.perf_counter()
    try:
        async with calling(url, api_key):
            return Finding(url, f"session open after {(time.perf_counter() - started_s) * 1000:.0f} ms")
    except CallError as problem:
        return Finding("server", "cannot be called", str(problem))


def _table(title: str, findings: "Sequence[Finding]") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_header=False)
    for finding in findings:
        table.add_row(finding.what, escape(finding.value), style="red" if finding.remedy else None)
    return table
