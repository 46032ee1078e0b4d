"""`speakback replay`: run the turn-taking of a recorded session again, as it was or under another strategy."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from speakback.turn.config import TurnConfig
    from speakback.turn.events import Event
    from speakback.turn.replay import Comparison, Moment
    from speakback.turn.strategies import Value
    from speakback.turn.trace_format import RecordedTrace, Step


def replay(
    path: Annotated[Path, typer.Argument(metavar="TRACE", help="A file from the folder that trace.directory names.")],
    strategy: Annotated[
        str | None, typer.Option(help="Compare with this strategy instead of checking the record.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one key of --strategy; repeatable.")
    ] = None,
) -> None:
    """Run a recorded session's turn-taking again.

    Without --strategy all actions must come out as recorded: exit code 0 if they do, 1 if not. With it: where that
    strategy first decides otherwise.
    """
    from speakback.turn.strategies import strategy as named
    from speakback.turn.trace_format import TraceError, read_trace

    if settings and strategy is None:
        raise typer.BadParameter("it changes a key of a strategy: name that with --strategy", param_hint="--set")
    try:
        with path.open("rb") as file:
            trace = read_trace(file, str(path))
    except OSError as problem:
        raise TraceError(f"{path}: cannot be read ({problem.strerror}).") from None
    config = None if strategy is None else named(strategy, dict(map(_override, settings or [])))
    for note in _notes(trace):
        typer.echo(note)
    if strategy is not None and config is not None:
        _compare(trace, strategy, config, " with ".join(filter(None, (strategy, ", ".join(settings or [])))))
    elif not _is_reproduced(trace):
        raise typer.Exit(1)
    if not trace.is_intact:
        raise typer.Exit(1)


def _override(setting: str) -> "tuple[str, Value]":
    """`key=value`, the value written as in TOML, or as a bare word."""
    key, equals, text = setting.partition("=")
    if not equals:
        raise typer.BadParameter(f"{setting!r} is not of the form KEY=VALUE", param_hint="--set")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return key, text
    return key, value if isinstance(value, int | float | str) else text


def _is_reproduced(trace: "RecordedTrace") -> bool:
    from speakback.turn.replay import first_difference

    difference = first_difference(trace)
    if difference is None:
        typer.echo(f"{_size(trace)}: identical")
        return True
    typer.echo(f"line {difference.line}, at {difference.expected.now_ms} ms, {_happening(difference.expected.event)}:")
    typer.echo(_indented("expected", _did(difference.expected)))
    typer.echo(_indented("got", _did(difference.got)))
    typer.echo(f"{_size(trace)}: not identical from line {difference.line} on")
    return False


def _compare(trace: "RecordedTrace", name: str, config: "TurnConfig", full_name: str) -> None:
    from speakback.turn.replay import compare

    comparison = compare(trace, config)
    if comparison.first is None:
        typer.echo(f"{_size(trace)}: {full_name} decides the same throughout")
        return
    typer.echo(f"{full_name} first decides otherwise {_where(comparison.first)}:")
    typer.echo(_indented("recorded", list(map(str, comparison.first.recorded))))
    typer.echo(_indented(name, list(map(str, comparison.first.other))))
    typer.echo("")
    _print_counts(comparison, name)
    typer.echo(
        f"\nThe counts are over {_size(trace)}. What follows the first difference is no longer what would have "
        "happened: the events are those of the recorded conversation."
    )


def _print_counts(comparison: "Comparison", name: str) -> None:
    kinds = sorted(comparison.recorded | comparison.other)
    width = max(map(len, kinds))
    typer.echo(f"{'':{width}}  {'recorded':>8}  {name:>8}")
    for kind in kinds:
        typer.echo(f"{kind:{width}}  {comparison.recorded[kind]:>8}  {comparison.other[kind]:>{max(8, len(name))}}")


def _notes(trace: "RecordedTrace") -> Iterator[str]:
    """What is to be known of the record itself."""
    from speakback.turn.strategies import STRATEGIES

    own = [name for name, config in STRATEGIES.items() if config == trace.header.strategy]
    yield f"trace {trace.header.trace}, recorded by Speakback {trace.header.speakback} under " + (
        own[0] if own else "a strategy with settings of its own"
    )
    if trace.end is None:
        yield "note: the file breaks off without its last line: its session goes on, or its server died"
    elif trace.end.truncated:
        yield f"note: the record ends before the session did: {trace.end.truncated}"
    if not trace.is_intact:
        yield "DAMAGED: the checksum in the last line does not fit the lines before; the file was changed since"


def _size(trace: "RecordedTrace") -> str:
    ticks = sum(step.event is None for step in trace.steps)
    actions = sum(len(step.actions) for step in trace.steps)
    return f"{len(trace.steps) - ticks} events, {ticks} ticks, {actions} actions"


def _where(moment: "Moment") -> str:
    return f"at {moment.now_ms} ms (line {moment.line}), {_happening(moment.event)}"


def _happening(event: "Event | TurnConfig | None") -> str:
    from speakback.turn.config import TurnConfig

    if isinstance(event, TurnConfig):
        return "on another configuration"
    return "when a deadline passed" if event is None else f"on {event}"


def _did(step: "Step") -> list[str]:
    return [*map(str, step.actions), f"next deadline: {step.due_ms}"]


def _indented(title: str, lines: list[str]) -> str:
    return "\n".join([f"  {title}:", *(f"    {line}" for line in lines or ["nothing"])])
