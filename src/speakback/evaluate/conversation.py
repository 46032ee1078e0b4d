"""A conversation as it is to be scored, from whatever source: its timeline, and what else is known of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from speakback.evaluate.conduct import Service
from speakback.evaluate.from_trace import timeline_of, turns_not_heard
from speakback.evaluate.guess import guess_backchannels
from speakback.evaluate.service import service_of
from speakback.evaluate.timeline import Timeline, ipus_from_voice
from speakback.turn.trace_format import RecordedTrace


class Source(Enum):
    """Where a conversation comes from."""

    TRACE = "trace"
    RECORDING = "recording"
    TIMELINE = "timeline"


NOT_KNOWN = {
    Source.TRACE: (
        "Of a trace are not known: the agent's pauses within a reply (so its pauses, IPUs, overlaps and interruptions "
        "are not measured, and the user's speech in such a pause may count as a collision), what the server wrongly "
        "took for noise or echo, and what was meant as an interruption."
    ),
    Source.RECORDING: (
        "Of a recording are not known: words and dialogue acts. Backchannels are guessed from durations (77 % of them "
        "are found, 75 % of the guesses are right), and what was meant as an interruption is not known."
    ),
}
"""What no score from that source can see. A timeline file may know all that there is."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation and what is known of it."""

    timeline: Timeline
    source: Source
    service: Service | None = None
    """None: only its intervals are known."""
    remarks: tuple[str, ...] = ()
    """What is wrong with it, or missing."""


def from_trace(trace: RecordedTrace) -> Conversation:
    """A session's trace. Raises `TimelineError` where nothing happened in it."""
    return Conversation(timeline_of(trace.steps), Source.TRACE, service_of(trace), tuple(_remarks(trace)))


def from_voice(
    duration_ms: int, user_voiced_ms: Iterable[tuple[int, int]], agent_voiced_ms: Iterable[tuple[int, int]]
) -> Conversation:
    """What a VAD heard on two tracks. Raises `TimelineError` where an interval lies outside."""
    timeline = Timeline(duration_ms, user=ipus_from_voice(user_voiced_ms), agent=ipus_from_voice(agent_voiced_ms))
    return Conversation(guess_backchannels(timeline), Source.RECORDING)


def _remarks(trace: RecordedTrace) -> Iterable[str]:
    if trace.end is None:
        yield "breaks off without its last line: its session goes on, or its server died"
    elif trace.end.truncated:
        yield f"ends before its session did: {trace.end.truncated}"
    if unheard := turns_not_heard(trace.steps):
        yield f"the client ended {unheard} of the user's turns itself: when they were spoken is not known"
