"""`speakback live-check`: do the services, or their emulators, do what Speakback builds on?"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from speakback.cli.options import ConfigOption

if TYPE_CHECKING:
    from rich.table import Table

    from speakback.emulators.contracts.contract import Contract, Service
    from speakback.emulators.contracts.course import Result, Side
    from speakback.emulators.contracts.recording import Recording
    from speakback.emulators.contracts.targets import Target

EXIT_BROKEN = 1
"""The exit code when a contract does not hold."""


def live_check(
    out: Annotated[
        Path, typer.Option(help="Folder for what went over the wire, without secrets: one in it for each service.")
    ] = Path("out/live-check"),
    slow: Annotated[bool, typer.Option("--slow", help="Also stay idle for 25 s, with and without keep-alive.")] = False,
    audio: Annotated[bool, typer.Option("--audio", help="Keep the audio that came, too.")] = False,
    config: ConfigOption = None,
) -> None:
    """Hold the contracts with the services of which there are keys, and with their emulators for comparison.

    Without a key, with the emulator alone. Asks nothing, and says first what it will cost.
    """
    from speakback.config import load_settings
    from speakback.emulators.contracts.all import CONTRACTS
    from speakback.emulators.contracts.fixtures import FixtureError, folders
    from speakback.emulators.contracts.report import announced, concluded, verified
    from speakback.emulators.contracts.targets import targets
    from speakback.observe.logging import configure_logging

    settings = load_settings(config, os.environ).settings
    configure_logging("warning", settings.log.format)
    asked, day = targets(settings), date.today()
    to_run = [contract for contract in CONTRACTS if slow or not contract.is_slow]
    try:
        places = folders(out, [target.service for target in asked], day)
        for target in asked:
            typer.echo(announced(target, to_run))
        results = asyncio.run(
            _run(asked, places, voice_id=settings.elevenlabs.voice_id, runs_slow=slow, keeps_audio=audio)
        )
    except FixtureError as problem:
        raise typer.BadParameter(str(problem), param_hint="--out") from None
    _print(results)
    typer.echo(f"\nFor docs/providers.md:\n\n{verified(asked, results, day)}\n")
    typer.echo(f"What went over the wire: {', '.join(map(str, places.values()))}")
    for target in asked:
        typer.echo(concluded(target, results))
    if any(result.is_broken for result in results):
        raise typer.Exit(EXIT_BROKEN)


async def _run(
    asked: "Sequence[Target]",
    places: "Mapping[Service, Path]",
    *,
    voice_id: str,
    runs_slow: bool,
    keeps_audio: bool,
) -> "list[Result]":
    from speakback.emulators.contracts.all import CONTRACTS
    from speakback.emulators.contracts.clips import speech_wav
    from speakback.emulators.contracts.course import Course, Side
    from speakback.emulators.contracts.fixtures import save
    from speakback.emulators.contracts.reference import reference_apps, serving_contracts
    from speakback.emulators.contracts.report import outcome_of
    from speakback.emulators.contracts.site import Equipment
    from speakback.emulators.local_content import local_speaker

    def keep(contract: "Contract", side: "Side", recording: "Recording") -> None:
        save(places[contract.service], contract, side, recording)

    async with local_speaker() as speaker:
        clip = await speech_wav(speaker)
    results: list[Result] = []
    async with serving_contracts(reference_apps(voice_id)) as emulated:
        live = {target.service: {Side.LIVE: target.live} for target in asked if target.live is not None}
        course = Course(
            contracts=CONTRACTS,
            addresses={
                target.service: {**live.get(target.service, {}), Side.EMULATOR: emulated[target.service]}
                for target in asked
            },
            equipment=Equipment(voice_id=voice_id, speech_wav=clip),
            keep=keep,
            runs_slow=runs_slow,
            keeps_audio=keeps_audio,
        )
        async for result in course.run():
            typer.echo(f"  {result.contract.service} {result.contract.name}: {outcome_of(result)}")
            results.append(result)
    return results


def _print(results: "Sequence[Result]") -> None:
    """Every difference, then the table."""
    from rich.console import Console

    for result in results:
        for difference in result.differences:
            typer.echo(f"  {result.contract.service} {result.contract.name}: {difference}")
    Console().print(_table(results))


def _table(results: "Sequence[Result]") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    from speakback.emulators.contracts.course import Side
    from speakback.emulators.contracts.report import outcome_of

    table = Table("service", "contract", "ran against", "outcome", "differences")
    for result in results:
        is_live = Side.LIVE in result.outcomes
        table.add_row(
            result.contract.service,
            result.contract.name,
            "service, emulator" if is_live else "emulator only",
            escape(outcome_of(result)),
            str(len(result.differences)) if is_live else "–",
            style="red" if result.is_broken else None,
        )
    return table
