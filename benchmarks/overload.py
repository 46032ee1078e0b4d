"""Ten times as many callers as there are places: who is let in notices nothing, who is not is told so quickly."""

from math import inf

from benchmarks.figures import Figure, Findings
from benchmarks.loaded import lines, loaded, p50, p99, scripted_server
from speakback.load.report import Report
from speakback.load.run import LoadOptions

PLACES = 40
TIMES = 10
SECONDS = 40.0
KNOCK_AGAIN_S = 1.0
"""Sooner than any Retry-After asks for."""
WORSE_PERCENT = 20.0
REFUSED_WITHIN_MS = 250.0


async def measure() -> Findings:
    """As many callers as there are places, then ten times as many, at a server with a place for each of the first."""
    said = await lines()
    async with scripted_server(max_sessions=PLACES) as server:
        alone = await loaded(server, LoadOptions(PLACES, SECONDS), said)
    options = LoadOptions(PLACES * TIMES, SECONDS, joins_a_second=inf, knock_again_s=KNOCK_AGAIN_S)
    async with scripted_server(max_sessions=PLACES) as server:
        crowded = await loaded(server, options, said)
    return findings(alone, crowded)


def findings(alone: Report, crowded: Report) -> Findings:
    """The admitted sessions' own percentiles, and how the others were turned away."""
    refused = crowded.sessions.refused
    whose = {"alone": alone, "let in of ten times as many": crowded}
    figures: list[Figure] = []
    for when, one in whose.items():
        for name, spread in (("TTFB", one.answers.ttfb), ("overhead", one.answers.overhead)):
            figures += [
                Figure(f"{name}, {PLACES} callers {when}, p50", p50(spread), "ms"),
                Figure(f"{name}, {PLACES} callers {when}, p99", p99(spread), "ms"),
            ]
    before_ms, after_ms = p99(alone.answers.ttfb), p99(crowded.answers.ttfb)
    worse = None if before_ms is None or after_ms is None else 100 * (after_ms / before_ms - 1)
    figures += [
        Figure("TTFB, p99 worse by", worse, "%", WORSE_PERCENT),
        Figure("sessions let in", crowded.sessions.joined, "", PLACES, at_least=True),
        Figure("of those, ended early", sum(crowded.sessions.ended_early.values()), "", 1),
        Figure("refusals", refused.knocks, ""),
        Figure("knock → refusal, p50", p50(refused.took_ms), "ms"),
        Figure("knock → refusal, p99", p99(refused.took_ms), "ms", REFUSED_WITHIN_MS),
        Figure("refusals without a Retry-After", refused.without_retry_after, "", 1),
        Figure("turns without an answer, crowded", crowded.answers.unanswered, "", 1),
    ]
    notes = [
        "Where the server has no headroom for as many as there are places, it lets fewer in, and the goal is missed.",
        f"Of the crowded server's {crowded.answers.asked} turns, {crowded.answers.overhead_unknown} came without a "
        "ledger: they are missing in its overhead.",
        f"All {PLACES * TIMES} callers knock at once, and those refused again about every {KNOCK_AGAIN_S:g} s.",
        *(f"{when}: void: {one.void}" for when, one in (("alone", alone), ("crowded", crowded)) if one.void),
    ]
    n = f"{PLACES} places, {PLACES * TIMES} callers, {SECONDS:.0f} s"
    return Findings("overload", n, tuple(figures), tuple(notes))
