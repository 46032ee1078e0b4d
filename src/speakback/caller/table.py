"""A call's latencies as a table for people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich import box
from rich.markup import escape
from rich.table import Table

from speakback.audio.artifacts import ArtifactReport
from speakback.caller.spread import spread
from speakback.caller.timeline import Turn

_LONGEST_TEXT = 28


@dataclass(frozen=True, slots=True)
class Stage:
    """A column of milliseconds, and what it means."""

    head: str
    meaning: str
    of: Callable[[Turn], float | None]


def _server(name: str) -> Callable[[Turn], float | None]:
    def value(turn: Turn) -> float | None:
        found: int | None = None if turn.server is None else getattr(turn.server, name)
        return found

    return value


CLIENT_STAGES = (
    Stage("TTFB", "last voiced sample sent → first audio byte received, at the caller", lambda turn: turn.ttfb_ms),
    Stage("TTFA", "the same → first audible sample", lambda turn: turn.ttfa_ms),
)
SERVER_STAGES = (
    Stage("wait", "last voiced sample → the turn was held to be over (intended)", _server("endpointing_wait_ms")),
    Stage("words", "turn over → final transcript", _server("transcription_ms")),
    Stage("token", "model called → first token", _server("first_token_ms")),
    Stage("clause", "first token → first clause", _server("first_clause_ms")),
    Stage("voice", "first clause → first audio made", _server("synthesis_ms")),
    Stage("send", "first audio made → handed to the socket", _server("first_byte_ms")),
    Stage("play", "handed to the socket → the caller said that it plays", _server("playback_ms")),
    Stage("own", "the server's TTFB less models and intended wait", _server("own_ms")),
)
STAGES = CLIENT_STAGES + SERVER_STAGES


def latency_table(turns: Sequence[Turn]) -> Table:
    """A row for each reply, and their medians and means."""
    table = Table(
        title="latency in ms",
        title_justify="left",
        caption=legend(STAGES),
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        show_footer=True,
        collapse_padding=True,
        padding=0,  # the box itself has a space between columns
    )
    table.add_column("#", "", justify="right", no_wrap=True)
    # The only column that gives way on a narrow terminal.
    table.add_column("heard", "median\nmean", min_width=8)
    for stage in STAGES:
        column = spread(stage.of(turn) for turn in turns)
        footer = "-\n-" if column is None else f"{column.median:.0f}\n{column.mean:.0f}"
        table.add_column(stage.head, footer, justify="right", no_wrap=True)
    table.add_column("sure", "", justify="right", no_wrap=True)
    table.add_column("faults", "", no_wrap=True)
    for number, turn in enumerate(turns, 1):
        table.add_row(
            str(number),
            escape(shortened((turn.heard and turn.heard.text) or "-")),
            *(shown(stage.of(turn)) for stage in STAGES),
            _percent(None if turn.server is None else turn.server.asr_confidence),
            faults(None if turn.server is None else turn.server.artifacts),
        )
    return table


def legend(stages: Sequence[Stage]) -> str:
    """What the columns mean, a line each."""
    return "\n".join(f"{stage.head}: {stage.meaning}" for stage in stages)


def shown(value: float | None) -> str:
    """Whole milliseconds; a dash where nothing was measured."""
    return "-" if value is None else f"{value:.0f}"


def shortened(text: str) -> str:
    """As much of a text as fits a cell."""
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1].rstrip() + "…"


def faults(report: ArtifactReport | None) -> str:
    """What is wrong with a reply's audio, in words."""
    if report is None:
        return "-"
    counted = {
        "late": report.late_frames,
        "missing": report.missing_frames,
        "clipped": report.clipped_samples,
        "jumps": report.border_jumps,
        "silent ms": report.unexpected_silence_ms,
    }
    found = [f"{count} {name}" for name, count in counted.items() if count]
    found += ["cut off"] if report.cut_off else []
    found += ["length"] if report.length_fits is False else []
    return ", ".join(found) or "none"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
