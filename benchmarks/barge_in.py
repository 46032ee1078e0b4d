"""How long the agent goes on sending when the user interrupts it."""

from dataclasses import dataclass

from benchmarks.calls import held, spoken_scripts
from benchmarks.figures import Figure, Findings, spread_figures
from benchmarks.lines import CUT_IN_AFTER_MS, INTERRUPTIONS, impatient
from speakback.caller.record import timeline_of
from speakback.caller.server_process import server_process
from speakback.caller.timeline import Timeline

MEDIAN_MS = 400.0


@dataclass(frozen=True, slots=True)
class BargeIn:
    """Both from the moment when the user's first voiced sample was handed to the socket."""

    last_byte_ms: float
    """To the last agent audio received."""
    heard_ms: float
    """To the end of what a client that falls silent when told played of it."""


async def measure() -> Findings:
    """Interrupt each reply of one call."""
    (script,) = await spoken_scripts([impatient(INTERRUPTIONS)])
    async with server_process() as server:
        timeline = timeline_of(await held(server, script))
    found = barge_ins(timeline)
    missed = len(script) - 1 - len(found)
    figures = (
        *spread_figures(
            "first voiced sample → last agent audio received",
            (one.last_byte_ms for one in found),
            median_goal=MEDIAN_MS,
        ),
        *spread_figures("first voiced sample → agent silent at the caller", (one.heard_ms for one in found)),
        Figure("interruptions that met no agent audio any more", missed, ""),
    )
    notes = (
        f"Strategy rapid-duplex; the user speaks when the reply has been heard for {CUT_IN_AFTER_MS} ms.",
        *(f"error from the server: {error}" for error in timeline.errors),
    )
    return Findings("barge_in", f"{len(found)} interruptions", figures, notes)


def barge_ins(timeline: Timeline) -> list[BargeIn]:
    """The replies that the user's speech ended while they were being sent."""
    found: list[BargeIn] = []
    for turn in timeline.turns:
        reply = turn.reply
        if reply.reason != "turn_detected" or reply.first_byte_ms is None or reply.last_byte_ms is None:
            continue
        over_it = [
            speech.first_handed_ms
            for speech in timeline.user_speech
            if reply.first_byte_ms < speech.first_handed_ms < reply.last_byte_ms
        ]
        if over_it and reply.speech:
            heard_ms = reply.speech[-1].end_ms - over_it[0]
            found.append(BargeIn(reply.last_byte_ms - over_it[0], heard_ms))
    return found
