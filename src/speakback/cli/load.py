"""`speakback load`: many callers at once, in real time, and what they hear of a server."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from speakback.cli.call import DEFAULT_URL

if TYPE_CHECKING:
    from speakback.load.report import Report
    from speakback.load.run import LoadOptions, Phase
    from speakback.load.server_use import ServerUse
    from speakback.load.wire import Address

EXIT_VOID = 1
"""The exit code when the run does not count; what it found is shown all the same."""
_NEWS = {
    "JOINING": "{sessions} callers come …",
    "TALKING": "they talk for {seconds:g} s …",
    "LEAVING": "they hear their last replies …",
}
"""By the name of the phase."""


def load(
    url: Annotated[str, typer.Option(help="Where the server is.")] = DEFAULT_URL,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="SPEAKBACK_API_KEY", help="Key for the server; better set by the variable.", show_default=False
        ),
    ] = None,
    sessions: Annotated[int, typer.Option(min=1, max=5000, help="Callers at once.")] = 10,
    seconds: Annotated[float, typer.Option(min=1, help="How long is measured, once all callers have come.")] = 30.0,
    barge_in: Annotated[float, typer.Option(min=0, max=1, help="Share of lines said over the agent.")] = 0.3,
    reply_s: Annotated[
        float, typer.Option(min=0, help="How long a caller that lets the agent finish leaves it to answer.")
    ] = 11.0,
    voice: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Recordings that the callers speak from, cut at their long pauses; may be given several times "
            "[default: lines spoken by the local voice].",
            show_default=False,
        ),
    ] = None,
    joins: Annotated[float, typer.Option(min=0.1, help="Callers that come in a second.")] = 20.0,
    knock_again: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="Callers that are refused for want of room try again about so often [default: they give up].",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed: the same callers.")] = 1,
    pid: Annotated[
        int | None,
        typer.Option(help="The server's process, if it is on this machine and its /metrics do not tell.",
                     show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")] = False,
) -> None:  # fmt: skip
    """Load a server with callers that speak, listen and interrupt in real time, and show what they hear of it.

    A run in which the callers themselves were late is void and ends with exit code 1.
    """
    from rich.console import Console

    from speakback.cli.serve import loop_factory
    from speakback.load.plan import Habits
    from speakback.load.run import LoadOptions, Phase
    from speakback.load.server_use import FromMetrics, FromProc
    from speakback.load.table import show
    from speakback.load.wire import address_of

    address = address_of(url, api_key)
    options = LoadOptions(
        sessions=sessions,
        seconds=seconds,
        habits=Habits(barge_in_share=barge_in, reply_ms=round(reply_s * 1000)),
        seed=seed,
        joins_a_second=joins,
        knock_again_s=knock_again,
    )
    use = FromMetrics(address) if pid is None else FromProc(pid)
    console = Console()

    def tell(phase: Phase) -> None:
        if not as_json:
            console.print(_NEWS[phase.name].format(sessions=sessions, seconds=seconds), style="dim", highlight=False)

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        found = runner.run(_held(address, options, voice or [], use, tell))
    if as_json:
        typer.echo(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        show(console, found)
    if found.void is not None:
        typer.echo(f"speakback: this run is void: {found.void}", err=True)
        raise typer.Exit(EXIT_VOID)


async def _held(
    address: "Address",
    options: "LoadOptions",
    voices: list[Path],
    use: "ServerUse",
    on_phase: "Callable[[Phase], None]",
) -> "Report":
    from speakback.load.repertoire import recordings, repertoire
    from speakback.load.run import run_load
    from speakback.providers.adapters.hibari import Hibari

    voice = await asyncio.to_thread(Hibari)
    try:
        lines = await repertoire(voice, await asyncio.to_thread(recordings, voices))
    finally:
        await voice.aclose()
    return await run_load(address, options, lines, use, on_phase)
