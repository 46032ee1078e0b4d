"""From what a caller noted to what became of each of its lines. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from speakback.load.plan import Kind
from speakback.load.record import CallerRecord, HeardReply, Spoken

MET_ITS_END_MS = 1000.0
"""A reply that was done within so long of the user's onset would have ended anyway, if it was not cut."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question or a cut-in, and the reply to it."""

    spoken: Spoken
    answer: HeardReply | None
    was_early: bool
    """A reply to it began before it was over."""
    ttfb_ms: float | None
    """Its last voiced sample handed over → first byte of the reply."""
    wait_ms: float | None
    """Of that, the endpointing wait, as the server told."""
    overhead_ms: float | None
    """Of that, what was neither an intended wait nor a provider's work; both ways through the network included."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """A line that began while a reply was being sent."""

    spoken: Spoken
    yielded: bool
    """Whether the agent broke off."""
    met_its_end: bool
    """Whether the reply was over at about that time by itself: it says nothing about barge-in."""
    last_byte_after_ms: float
    """First voiced sample handed over → last agent audio received."""


def turns(record: CallerRecord) -> list[Turn]:
    """What became of all that wanted an answer and was said to its end."""
    asked = [spoken for spoken in record.spoken if spoken.kind is not Kind.BACKCHANNEL and spoken.last_ms is not None]
    ends = [*(spoken.last_ms for spoken in asked), None][1:]
    return [_turn(record, spoken, until_ms) for spoken, until_ms in zip(asked, ends, strict=True)]


def overlaps(record: CallerRecord) -> list[Overlap]:
    """What became of all that was said over the agent, backchannels included."""
    found: list[Overlap] = []
    for spoken in record.spoken:
        reply = next((reply for reply in reversed(record.replies) if reply.goes_on_at(spoken.first_ms)), None)
        if reply is None:
            continue
        after_ms = max(reply.last_byte_ms - spoken.first_ms, 0.0)
        yielded = reply.status == "cancelled"
        found.append(Overlap(spoken, yielded, not yielded and after_ms < MET_ITS_END_MS, after_ms))
    return found


def _turn(record: CallerRecord, spoken: Spoken, until_ms: float | None) -> Turn:
    """`until_ms`: the caller's next line ends, and what begins from then on answers that one."""
    assert spoken.last_ms is not None
    answer = _first_within(record.replies, spoken.last_ms, until_ms)
    early = _first_within(record.replies, spoken.first_ms, spoken.last_ms)
    was_early = early is not None and not _is_of_before(early, spoken)
    if answer is None:
        return Turn(spoken, None, was_early, None, None, None)
    latency = answer.latency
    return Turn(
        spoken,
        answer,
        was_early,
        answer.first_byte_ms - spoken.last_ms,
        None if latency is None else latency.endpointing_wait_ms,
        _overhead_ms(record, answer),
    )


def _first_within(replies: Sequence[HeardReply], from_ms: float, until_ms: float | None) -> HeardReply | None:
    return next(
        (
            reply
            for reply in replies
            if reply.first_byte_ms > from_ms and (until_ms is None or reply.first_byte_ms <= until_ms)
        ),
        None,
    )


def _is_of_before(reply: HeardReply, spoken: Spoken) -> bool:
    """A late answer to the line before also begins while the next is said; the server names the turn it answers."""
    wait_ms = None if reply.latency is None else reply.latency.ttfb_ms
    return wait_ms is not None and reply.first_byte_ms - wait_ms < spoken.first_ms


def _overhead_ms(record: CallerRecord, answer: HeardReply) -> float | None:
    """The server's own share of its TTFB, and by how much the caller's is longer, both from one last voiced sample."""
    latency = answer.latency
    if latency is None or latency.item_id is None or latency.ttfb_ms is None or latency.own_ms is None:
        return None
    ended_ms = record.voice_ended_ms.get(latency.item_id)
    return None if ended_ms is None else answer.first_byte_ms - ended_ms - latency.ttfb_ms + latency.own_ms
