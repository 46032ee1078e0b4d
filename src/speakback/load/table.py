"""A load run's report as a table for people."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from speakback.load.durations import Percentiles
from speakback.load.report import Report

_LEGEND = """\
TTFB: last voiced sample handed to the socket → first byte of the reply. Wait: of that, how long the server waited on
purpose to be sure that the turn was over. Overhead: of that, what was neither such a wait nor a provider's work; the
network both ways is in it. Barge-in: first voiced sample over the agent → last agent audio received. Gap: for how long
a client that plays at once, with a buffer of 60 ms, had nothing to play."""


def show(console: Console, found: Report) -> None:
    """Print durations, counts, and what went wrong."""
    console.print(_durations(found))
    for line in _lines(found):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(_LEGEND, style="dim", markup=False, highlight=False, soft_wrap=True)
    if found.void is not None:
        console.print(f"void: {found.void}", style="red", markup=False, soft_wrap=True)


def _durations(found: Report) -> Table:
    title = f"{found.sessions.joined} sessions, {found.seconds:.0f} s; durations in ms"
    table = Table("", "n", "p50", "p95", "p99", "worst", title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    rows = {
        "TTFB": found.answers.ttfb,
        "  endpointing wait": found.answers.wait,
        "  overhead": found.answers.overhead,
        "barge-in": found.barge_ins.last_byte,
        "gaps in replies": found.underruns.gaps,
        "refusal": found.sessions.refused.took_ms,
        "callers' own lateness": found.client.frames_late,
    }
    for name, spread in rows.items():
        table.add_row(name, *_cells(spread))
    return table


def _cells(spread: Percentiles | None) -> tuple[str, ...]:
    if spread is None:
        return ("0", "-", "-", "-", "-")
    return (str(spread.n), *(f"{value:.1f}" for value in (spread.p50, spread.p95, spread.p99, spread.worst)))


def _lines(found: Report) -> Iterator[str]:
    sessions, answers, barge_ins, underruns = found.sessions, found.answers, found.barge_ins, found.underruns
    yield f"sessions: {sessions.asked} asked for, {sessions.joined} opened, {sessions.held} held to the end"
    if sessions.refused.knocks:
        yield _refused(found)
    for reason, count in sessions.failed.items():
        yield f"not opened, {count} times: {reason}"
    for code, count in sessions.ended_early.items():
        yield f"ended early by the server or the line, {count} times: close code {code}"
    yield (
        f"turns: {answers.asked}, of which {answers.unanswered} unanswered "
        f"and {answers.answered_too_early} answered before they were over"
    )
    if answers.overhead_unknown:
        yield f"missing in the overhead: {answers.overhead_unknown} answered turns of which the server sent no ledger"
    yield (
        f"over the agent: {_n(barge_ins.last_byte)} barge-ins stopped it, {barge_ins.not_yielded} did not; "
        f"{barge_ins.stopped_by_backchannel} of {barge_ins.backchannels} backchannels did"
    )
    yield f"replies: {underruns.replies}, of which {underruns.replies_with} with gaps"
    for message, count in found.errors.items():
        yield f"error, {count} times: {message}"
    yield _server(found)
    yield f"callers: {found.client.cpu_cores:.2f} of a core"


def _refused(found: Report) -> str:
    refused = found.sessions.refused
    told = ", ".join(f"{value:g}" for value in refused.retry_after_s) or "-"
    missing = f", {refused.without_retry_after} without any" if refused.without_retry_after else ""
    times = f"{refused.callers} callers, {refused.knocks} times"
    return f"refused for want of room (503): {times}; Retry-After: {told} s{missing}"


def _server(found: Report) -> str:
    server = found.server
    if found.server_processes > 1:
        return (
            f"server: no figures, as its /metrics came from {found.server_processes} or more processes (workers, or a "
            "restart), whose readings cannot be compared (on this machine, --pid names one process)"
        )
    if server is None:
        return "server: its /metrics tell neither processor time nor memory (on this machine, --pid names its process)"
    text = f"server: {server.cpu_cores:.2f} of a core, {server.resident_bytes / 1e6:.0f} MB"
    if server.cpu_cores_a_session is not None and server.resident_bytes_a_session is not None:
        text += (
            f"; a session: {server.cpu_cores_a_session:.4f} of a core, {server.resident_bytes_a_session / 1e6:.2f} MB"
        )
    if server.loop_lag_p99_ms is not None:
        text += f"; its event loop late by {server.loop_lag_p99_ms:.1f} ms at p99"
    if server.join_p99_ms is not None:
        text += f"; opening a session took it {server.join_p99_ms:.1f} ms at p99"
    return text


def _n(spread: Percentiles | None) -> int:
    return 0 if spread is None else spread.n
