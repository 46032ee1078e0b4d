"""What the caller has been told so far, in order. Pure; every moment is passed in."""

from dataclasses import dataclass, field

from speakback.caller import server_events as se
from speakback.caller.timeline import CallEvent, ServerLatency, Speaker, UserTurn

NOTED = (
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "conversation.item.truncated",
    "response.created",
    "response.done",
    "response.output_audio.done",
)
"""Events whose moments go into the timeline; text and audio stand elsewhere in it."""
RESUMED = "speakback.resumed"


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """Something was said, as far as the server told it."""

    at_ms: float
    speaker: Speaker
    text: str
    interrupted: bool = False


@dataclass(slots=True)
class ReplyRecord:
    """One reply as it comes in."""

    response_id: str
    item_id: str | None = None
    text: str = ""
    """What was heard of it, by the server's account; while it goes on, what was told."""
    told: str = ""
    """All of its transcript that came in."""
    status: str | None = None
    reason: str | None = None
    first_byte_ms: float | None = None
    last_byte_ms: float | None = None
    latency: ServerLatency | None = None


@dataclass(slots=True)
class _Heard:
    start_audio_ms: int | None = None
    end_audio_ms: int | None = None
    text: str | None = None
    settled: bool = False


@dataclass(slots=True)
class CallLog:
    """The server's account of the call, for one session."""

    replies: dict[str, ReplyRecord] = field(default_factory=dict)
    events: list[CallEvent] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    correlation_id: str | None = None
    """The server's name for the conversation, also on its log lines; None: it gave none."""
    drafts: se.DraftsTold | None = None
    """The latest account of the drafts; None: it gave none, or was not asked to."""
    last_news_ms: float = 0.0
    """When the last event came in."""
    owes_reply: bool = False
    """The server said that the agent goes on by itself, and it has not begun to."""
    _heard: dict[str, _Heard] = field(default_factory=dict)

    @property
    def user_turns(self) -> tuple[UserTurn, ...]:
        """The user's turns so far, as the server heard them."""
        return tuple(UserTurn(item, h.start_audio_ms, h.end_audio_ms, h.text) for item, h in self._heard.items())

    @property
    def current_reply(self) -> ReplyRecord | None:
        """The reply that is under way."""
        last = next(reversed(self.replies.values()), None)
        return last if last is not None and last.status is None else None

    @property
    def is_busy(self) -> bool:
        """Whether the server still hears a turn, transcribes one, or replies."""
        is_heard = any(not heard.settled for heard in self._heard.values())
        return self.owes_reply or self.current_reply is not None or is_heard

    def take(self, event: se.ServerEvent, at_ms: float) -> TranscriptLine | None:
        """Note an event; a line of the transcript if one is complete by it."""
        self.last_news_ms = at_ms
        if event.type in NOTED:
            self.events.append(CallEvent(at_ms, event.type))
        match event:
            case se.SpeechStarted():
                self._turn(event.item_id).start_audio_ms = event.audio_start_ms
            case se.SpeechStopped():
                self._turn(event.item_id).end_audio_ms = event.audio_end_ms
            case se.Transcribed() | se.TranscriptionFailed() | se.ItemDeleted():
                return self._settled(event, at_ms)
            case se.ReplyStarted():
                self.owes_reply = False
                self.replies[event.response.id] = ReplyRecord(event.response.id)
            case se.AudioDelta():
                reply = self._reply(event.response_id)
                reply.item_id = event.item_id
                reply.first_byte_ms = at_ms if reply.first_byte_ms is None else reply.first_byte_ms
                reply.last_byte_ms = at_ms
            case se.TranscriptDelta():
                reply = self._reply(event.response_id)
                reply.text += event.delta
                reply.told += event.delta
            case se.ReplyDone():
                return self._done(event, at_ms)
            case se.LatencyTold(latency=latency) if latency.response_id is not None:
                self._reply(latency.response_id).latency = latency
            case se.DraftsTold():
                self.drafts = event
            case se.ServerError():
                self.errors.append(event.error.message)
                self.events.append(CallEvent(at_ms, "error", event.error.message))
            case _:
                pass
        return None

    def resumed(self, owes_reply: bool, at_ms: float) -> None:
        """The conversation went on on another line: what the old one was to tell is not told any more."""
        reply = self.current_reply
        if reply is not None:
            reply.status, reply.reason = "incomplete", "line_lost"
        for heard in self._heard.values():
            heard.settled = True
        self.owes_reply = owes_reply
        self.last_news_ms = at_ms
        self.events.append(CallEvent(at_ms, RESUMED))

    def _settled(
        self, event: se.Transcribed | se.TranscriptionFailed | se.ItemDeleted, at_ms: float
    ) -> TranscriptLine | None:
        heard = self._heard.get(event.item_id)
        if heard is None:
            return None
        heard.settled = True
        if not isinstance(event, se.Transcribed):
            return None
        heard.text = event.transcript
        return TranscriptLine(at_ms, "user", event.transcript) if event.transcript else None

    def _done(self, event: se.ReplyDone, at_ms: float) -> TranscriptLine | None:
        reply = self._reply(event.response.id)
        details = event.response.status_details
        reply.status = event.response.status
        reply.reason = None if details is None else details.reason
        reply.text = event.text() or reply.text
        return TranscriptLine(at_ms, "agent", reply.text, reply.status == "cancelled") if reply.text else None

    def _turn(self, item_id: str) -> _Heard:
        return self._heard.setdefault(item_id, _Heard())

    def _reply(self, response_id: str) -> ReplyRecord:
        return self.replies.setdefault(response_id, ReplyRecord(response_id))
