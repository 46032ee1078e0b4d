"""`speakback demo`: a scripted caller with a voice of its own talks with a server of its own."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from speakback.cli.call import line_printer, print_result
from speakback.cli.options import ConfigOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from speakback.caller.call_log import TranscriptLine
    from speakback.caller.record import CallRecord


def demo(
    out: Annotated[Path, typer.Option(help="Folder, or path without ending, for the recording.")] = Path("out/demo"),
    config: ConfigOption = None,
) -> None:
    """Start a server, hold a conversation of six turns with it, and show how fast it answered."""
    import os

    from rich.console import Console

    from speakback.caller.call_files import place_for, write_call
    from speakback.caller.record import timeline_of
    from speakback.config import load_settings

    # A mistake in them is told here, not by the server's own process.
    settings = load_settings(config, os.environ).settings
    environ = {} if config is None else {"SPEAKBACK_CONFIG": str(config)}
    console = Console()
    record = asyncio.run(_held(console, environ, settings.weights.directory, line_printer(console)))
    timeline = timeline_of(record)
    print_result(console, timeline, write_call(place_for(out, "demo"), record, timeline))


async def _held(
    console: "Console",
    environ: "Mapping[str, str]",
    weights_directory: Path | None,
    on_line: "Callable[[TranscriptLine], None]",
) -> "CallRecord":
    from speakback.caller.caller import calling
    from speakback.caller.demo_script import DEMO_SCRIPT
    from speakback.caller.script import follow, spoken
    from speakback.caller.server_process import server_process
    from speakback.providers.adapters.piper import Piper

    console.print("starting a server and the caller's voice …", style="dim")
    voice = Piper(directory=weights_directory)
    try:
        lines = await spoken(voice, DEMO_SCRIPT)
    finally:
        await voice.aclose()
    server_of_ours = server_process(environ, with_own_settings=True)
    async with server_of_ours as server, calling(server.url, server.api_key, on_line=on_line) as caller:
        await follow(caller, lines)
        return caller.record()
