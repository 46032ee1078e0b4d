"""The events that let a client resume its conversation on another connection. Pure."""

from speakback.gateway.realtime.server_events import WireEvent
from speakback.gateway.resume.keeper import ResumeNews, TokenGiven
from speakback.session.snapshot import Snapshot
from speakback.timebase import EAR_HZ, samples_to_ms


def resumed_event(snapshot: Snapshot) -> WireEvent:
    """The conversation goes on here, from there."""
    return {
        "type": "speakback.resumed",
        "items": len(snapshot.items),
        "owes_reply": snapshot.owes_reply,
        "heard_ms": samples_to_ms(snapshot.heard_samples, EAR_HZ),
    }


def news_event(news: ResumeNews) -> WireEvent:
    """Whether, and by which token, the conversation can be resumed."""
    if isinstance(news, TokenGiven):
        return {"type": "speakback.resume_token", "token": news.token, "expires_in_s": news.expires_in_s}
    return {"type": "speakback.resume_unavailable", "reason": news.reason}
