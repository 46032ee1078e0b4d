"""Short ways to write timelines in tests: times in milliseconds."""

from speakback.evaluate.conduct import Conduct, Service
from speakback.evaluate.timeline import Act, Ipu, Kind, Timeline

B = Kind.BACKCHANNEL

GOOD = Conduct(
    callers=5,
    replies=300,
    replies_truncated=40,
    backchannels_heard=100,
    backchannels_that_stopped=4,
    interruptions=50,
    interruptions_yielded=49,
    yield_times_ms=(300,) * 49,
    turns_committed=300,
    turns_missed=1,
    drafts_started=400,
    drafts_promoted=250,
    wasted_tokens=1000,
    useful_tokens=9000,
    wasted_chars=100,
    useful_chars=20_000,
)
"""An agent that gives way to people and not to their backchannels."""

TRACED = Service(
    replies=10,
    replies_truncated=2,
    turns_committed=12,
    turns_missed=3,
    drafts_started=8,
    drafts_promoted=6,
    wasted_tokens=10,
    useful_tokens=100,
    wasted_chars=5,
    useful_chars=50,
)
"""What a server's record shows of an agent that leaves a quarter of the turns without an answer."""


def talk(user: list[Ipu], agent: list[Ipu], duration_ms: int = 60_000) -> Timeline:
    """A conversation of a minute."""
    return Timeline(duration_ms, user=tuple(user), agent=tuple(agent))


def ipu(start_ms: int, end_ms: int, kind: Kind = Kind.SPEECH, act: Act | None = None) -> Ipu:
    """One IPU."""
    return Ipu(start_ms, end_ms, kind, act)
