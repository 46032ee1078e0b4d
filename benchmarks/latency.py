"""TTFB and TTFA at the caller over three calls of eight turns, and what they are made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.calls import held, spoken_scripts
from benchmarks.figures import Figure, Findings, median_figure, spread_figures
from benchmarks.lines import CONVERSATIONS, polite
from benchmarks.transport import own_share_ms, transport_ms
from benchmarks.word_errors import plain_words, word_errors
from speakback.caller.record import CallRecord, timeline_of
from speakback.caller.server_process import server_process
from speakback.caller.table import SERVER_STAGES
from speakback.caller.timeline import Turn

MEAN_TTFB_MS, P95_TTFB_MS = 900.0, 1200.0
OWN_MS = 10.0
CLEAN_PERCENT = 95.0


@dataclass(frozen=True, slots=True)
class _Call:
    record: CallRecord
    turns: tuple[Turn, ...]
    errors: tuple[str, ...]
    slipped_ms: int
    said: str
    heard: str


async def measure() -> Findings:
    """Hold the calls, one after the other, with one server."""
    scripts = await spoken_scripts([polite(texts) for texts in CONVERSATIONS])
    calls: list[_Call] = []
    async with server_process() as server:
        for script in scripts:
            record = await held(server, script)
            timeline = timeline_of(record)
            said = " ".join(line.line.text for line in script)
            heard = " ".join(turn.text for turn in timeline.user_turns if turn.text)
            calls.append(_Call(record, timeline.turns, timeline.errors, timeline.slipped_ms, said, heard))
    return _findings(calls, sum(len(script) for script in scripts))


def _findings(calls: Sequence[_Call], lines: int) -> Findings:
    turns = [(turn, call.record) for call in calls for turn in call.turns]
    answers = [turn for turn, _ in turns if turn.ttfb_ms is not None]
    ttfbs, ttfas = [turn.ttfb_ms for turn in answers], [turn.ttfa_ms for turn in answers]
    clean = _clean_percent([turn for turn, _ in turns])
    figures = (
        *spread_figures("TTFB", ttfbs, mean_goal=MEAN_TTFB_MS, p95_goal=P95_TTFB_MS),
        *spread_figures("TTFA", ttfas),
        *(median_figure(f"{stage.head}: {stage.meaning}", map(stage.of, answers)) for stage in SERVER_STAGES),
        median_figure("transport (see below)", (transport_ms(turn, record) for turn, record in turns)),
        median_figure(
            "the gateway's own share, transport included",
            (own_share_ms(turn, record) for turn, record in turns),
            OWN_MS,
        ),
        Figure("replies without artifacts", clean, "%", CLEAN_PERCENT, at_least=True),
        Figure("word error rate of what the server heard", _word_error_percent(calls), "%"),
    )
    errors = [error for call in calls for error in call.errors]
    slipped_ms = sum(call.slipped_ms for call in calls)
    notes = (
        f"{lines} lines were said and {len(turns)} replies came; with more of them, a line was taken for two turns.",
        "Transport: first byte received, less when the packet that made the server's VAD sure was handed over (dated "
        "back by the VAD's silence, as the server does), less the server's own TTFB (benchmarks/transport.py).",
        *(
            [f"the caller fell {slipped_ms} ms behind real time: the figures are not to be trusted"]
            if slipped_ms
            else []
        ),
        *(f"error from the server: {error}" for error in errors),
    )
    return Findings("latency", f"{len(answers)} answered turns in {len(calls)} calls", figures, notes)


def _clean_percent(turns: Sequence[Turn]) -> float | None:
    reports = [turn.server.artifacts for turn in turns if turn.server is not None and turn.server.artifacts is not None]
    return 100 * sum(report.clean for report in reports) / len(reports) if reports else None


def _word_error_percent(calls: Sequence[_Call]) -> float:
    pairs = [(plain_words(call.said), plain_words(call.heard)) for call in calls]
    return 100 * sum(word_errors(said, heard) for said, heard in pairs) / sum(len(said) for said, _ in pairs)
