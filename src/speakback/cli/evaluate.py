"""`speakback evaluate`: score conversations that were held, from their traces, recordings or timelines."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from speakback.cli.options import ConfigOption

if TYPE_CHECKING:
    from speakback.evaluate.conversation import Conversation
    from speakback.evaluate.figures import Findings


def evaluate(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            help="Traces or timelines (.jsonl), and stereo recordings: the user left, the agent right.",
            show_default=False,
        ),
    ] = None,
    tracks: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="USER AGENT", help="A recording as two mono files instead.", show_default=False),
    ] = None,
    agent_is_left: Annotated[bool, typer.Option("--agent-left", help="In recordings, the agent is left.")] = False,
    config: ConfigOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the subsamples and intervals.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")] = False,
) -> None:
    """Score how human the timing of conversations is that were held: all files together, as one set."""
    import os

    from speakback.cli.conversation_files import conversation_on, conversations_in
    from speakback.config import load_settings
    from speakback.evaluate.figures import findings

    if not files and tracks is None:
        raise typer.BadParameter("name a trace, a recording or a file of timelines", param_hint="FILE")
    weights = load_settings(config, os.environ).settings.weights.directory
    read = {str(path): conversations_in(path, weights, agent_is_left=agent_is_left) for path in files or []}
    if tracks is not None:
        read[f"{tracks[0]} {tracks[1]}"] = [conversation_on(*tracks, weights)]
    conversations = [one for several in read.values() for one in several]
    found = findings(
        [one.timeline for one in conversations], [one.service for one in conversations], callers=0, seed=seed
    )
    notes = [*found.notes, *_notes(read)]
    if as_json:
        typer.echo(json.dumps(_form(read, seed, found, notes), indent=2, ensure_ascii=False))
    else:
        _print(conversations, found, notes)


def _notes(read: "dict[str, list[Conversation]]") -> list[str]:
    """What is not known from such sources, and what is wrong with each."""
    from speakback.evaluate.conversation import NOT_KNOWN

    conversations = [one for several in read.values() for one in several]
    notes = [text for source, text in NOT_KNOWN.items() if any(one.source is source for one in conversations)]
    traced = sum(one.service is not None for one in conversations)
    if 0 < traced < len(conversations):
        notes.append(
            f"Turns missed, replies and drafts are of {traced} of {len(conversations)} conversations: the traced."
        )
    return [*notes, *(f"{name}: {text}." for name, several in read.items() for one in several for text in one.remarks)]


def _form(read: "dict[str, list[Conversation]]", seed: int, found: "Findings", notes: list[str]) -> dict[str, object]:
    sources = [
        {
            "file": name,
            "source": several[0].source.value,
            "conversations": len(several),
            "duration_ms": sum(one.timeline.duration_ms for one in several),
        }
        for name, several in read.items()
    ]
    return {"sources": sources, "seed": seed, **asdict(found), "notes": notes}


def _print(conversations: "list[Conversation]", found: "Findings", notes: list[str]) -> None:
    from rich.console import Console

    from speakback.cli.figures_table import LEGEND, figures_table

    minutes = sum(one.timeline.duration_ms for one in conversations) / 60_000
    count = "1 conversation" if len(conversations) == 1 else f"{len(conversations)} conversations"
    Console().print(figures_table(f"{count}, {minutes:.1f} minutes", {"agent": (found.figures, found.counts)}))
    for note in [*notes, LEGEND]:
        typer.echo(note)
