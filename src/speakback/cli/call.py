"""`speakback call`: play a recording to a server as a telephone caller would, and measure its replies."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from speakback.audio.pcm import Samples
    from speakback.caller.call_files import CallFiles
    from speakback.caller.call_log import TranscriptLine
    from speakback.caller.record import CallRecord
    from speakback.caller.timeline import Timeline

DEFAULT_URL = "ws://127.0.0.1:8765/v1/realtime"
QUIET_MS = 3000
"""The caller hangs up when nothing has been said for so long after the recording's end."""
ANSWER_WITHIN_S = 60.0
"""And so long after it in any case."""


def call(
    recording: Annotated[Path, typer.Argument(metavar="FILE", help="The recording: any audio file, at any rate.")],
    url: Annotated[str, typer.Option(help="Where the server is.")] = DEFAULT_URL,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="SPEAKBACK_API_KEY", help="Key for the server; better set by the variable.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder, or path without ending, for the stereo WAV and the timeline [default: out/FILE-call]."
        ),
    ] = None,
    polite: Annotated[
        bool, typer.Option("--polite", help="At each long pause of the recording, wait for the reply's end.")
    ] = False,
) -> None:
    """Play a recording to a server in real time and show what it answers, and how fast."""
    from rich.console import Console

    from speakback.caller.call_files import place_for, write_call
    from speakback.caller.record import timeline_of
    from speakback.caller.recording import load_recording
    from speakback.caller.speech_intervals import utterances

    audio = load_recording(recording)
    console = Console(stderr=as_json)
    parts = utterances(audio) if polite else [audio]
    record = asyncio.run(_held(url, api_key, parts, line_printer(console)))
    timeline = timeline_of(record)
    prefix = Path("out") / f"{recording.stem}-call" if out is None else place_for(out, f"{recording.stem}-call")
    files = write_call(prefix, record, timeline)
    if as_json:
        result = {**timeline.to_json(), "files": {"wav": str(files.wav), "timeline": str(files.timeline)}}
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        print_result(console, timeline, files)


async def _held(
    url: str, api_key: str | None, parts: "list[Samples]", on_line: "Callable[[TranscriptLine], None]"
) -> "CallRecord":
    from speakback.caller.caller import calling
    from speakback.caller.script import POLITE_GAP_MS, REPLY_WITHIN_S

    async with calling(url, api_key, on_line=on_line) as caller:
        for index, part in enumerate(parts):
            if index:
                await caller.until_answered(POLITE_GAP_MS, REPLY_WITHIN_S)
            await caller.say(part)
        await caller.until_quiet(QUIET_MS, ANSWER_WITHIN_S)
        return caller.record()


def line_printer(console: "Console") -> "Callable[[TranscriptLine], None]":
    """Prints the transcript as it comes."""
    from rich.markup import escape

    def show(line: "TranscriptLine") -> None:
        style = "cyan" if line.speaker == "user" else "green"
        mark = " [dim](interrupted)[/dim]" if line.interrupted else ""
        said = f"[dim]{line.at_ms / 1000:6.1f} s[/dim] [{style}]{line.speaker:>5}[/{style}]  {escape(line.text)}{mark}"
        console.print(said, highlight=False, soft_wrap=True)

    return show


def print_result(console: "Console", timeline: "Timeline", files: "CallFiles") -> None:
    """The latency table, what went wrong, and where the recording lies."""
    from rich.markup import escape

    from speakback.caller.table import latency_table

    if timeline.turns:
        console.print(latency_table(timeline.turns))
    else:
        console.print("The server gave no reply.", style="yellow")
    for error in timeline.errors:
        console.print(f"[red]error from the server:[/red] {escape(error)}", soft_wrap=True)
    for outage in timeline.outages:
        unheard = "the agent never went on" if outage.unheard_ms is None else f"{outage.unheard_ms:.0f} ms unheard"
        took_s, at_s = (outage.back_ms - outage.lost_ms) / 1000, outage.lost_ms / 1000
        console.print(f"[yellow]the line was lost at {at_s:.1f} s, for {took_s:.1f} s: {unheard}[/yellow]")
    if timeline.slipped_ms:
        console.print(
            f"[yellow]this machine fell {timeline.slipped_ms} ms behind: latencies are not to be trusted[/yellow]"
        )
    console.print(f"recording (user left, agent right): {escape(str(files.wav))}", highlight=False, soft_wrap=True)
    console.print(f"timeline: {escape(str(files.timeline))}", highlight=False, soft_wrap=True)
