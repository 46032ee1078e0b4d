"""The session's notices → the events of ours, for a client that asked for them. Pure."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TypeAlias

from speakback.gateway.realtime.session_object import WireObject
from speakback.gateway.realtime.session_view import OWN_EVENTS, SessionView
from speakback.session import notices as n

OwnNotice: TypeAlias = (
    n.LatencyMeasured
    | n.OverlapJudged
    | n.DraftsCounted
    | n.ProviderDecided
    | n.FloorChanged
    | n.PauseWeighed
    | n.ReplyPlanned
)
"""About the conversation, not of it."""

_ASKED_FOR_AS: Mapping[type[OwnNotice], str] = {
    n.LatencyMeasured: "latency",
    n.OverlapJudged: "overlap",
    n.DraftsCounted: "drafts",
    n.ProviderDecided: "provider",
    n.FloorChanged: "floor",
    n.PauseWeighed: "pauses",
    n.ReplyPlanned: "plan",
}


def own_events(notice: OwnNotice, view: SessionView, correlation_id: str) -> list[WireObject]:
    """The event of a notice; none for a client that did not ask for it."""
    name = _ASKED_FOR_AS[type(notice)]
    if name not in view.events:
        return []
    return [{"type": OWN_EVENTS[name], **_fields(notice), "correlation_id": correlation_id}]


def _fields(notice: OwnNotice) -> WireObject:
    match notice:
        case n.LatencyMeasured(latency):
            return asdict(latency)
        case n.DraftsCounted(book):
            return asdict(book)
        case n.ProviderDecided(decision):
            return asdict(decision)
        case n.FloorChanged(user, agent, holder, is_ducked, audio_ms):
            return {
                "user": user.value,
                "agent": agent.value,
                "holder": holder.value,
                "ducked": is_ducked,
                "audio_ms": audio_ms,
            }
        case _:
            return asdict(notice)
