"""The latency ledger: when each step from the user's last sound to the agent's first one was reached.

Marks are points in the session's monotonic clock (`now_ms`); durations are derived from them and are
None where a mark was not reached. Nothing here is an estimate: what was not measured is None.
"""

from dataclasses import dataclass

from speakback.audio.artifacts import ArtifactReport
from speakback.providers.decisions import Decision


@dataclass(slots=True)
class TurnMarks:
    """Where one turn stands; the session writes a mark once, when the step is reached."""

    speech_ended_ms: int | None = None
    """The last voiced sample came in."""
    endpoint_due_ms: int | None = None
    """The silence that the endpointing policy wanted was over."""
    committed_ms: int | None = None
    transcribed_ms: int | None = None
    reply_started_ms: int | None = None
    """The language model was called."""
    first_token_ms: int | None = None
    first_clause_ms: int | None = None
    """The first clause went to the voice."""
    first_audio_ms: int | None = None
    """The voice gave its first audio."""
    first_sent_ms: int | None = None
    """The first audio was handed to the socket."""
    playback_acknowledged_ms: int | None = None
    """The client said that the first audio is playing (only with playback acknowledgements)."""

    def of_the_turn(self) -> "TurnMarks":
        """A copy with the marks of the user's turn only, for another reply to the same turn."""
        return TurnMarks(self.speech_ended_ms, self.endpoint_due_ms, self.committed_ms, self.transcribed_ms)

    def take_turn(self, turn: "TurnMarks") -> None:
        """Take over the marks of the user's turn: a draft was begun before they were all made."""
        self.speech_ended_ms, self.endpoint_due_ms = turn.speech_ended_ms, turn.endpoint_due_ms
        self.committed_ms, self.transcribed_ms = turn.committed_ms, turn.transcribed_ms


@dataclass(frozen=True, slots=True)
class TurnLatency:
    """One turn's ledger, closed. Durations in milliseconds; None: not measured."""

    item_id: str | None
    """The user's item; None for a reply that the client asked for."""
    response_id: str | None
    endpointing_wait_ms: int | None
    """Last voiced sample → the turn was held to be over: an intended wait."""
    transcription_ms: int | None
    """Turn over → final transcript: what of the transcription was not done during the wait."""
    first_token_ms: int | None
    """Language model called → its first token."""
    first_clause_ms: int | None
    """First token → the first clause was whole."""
    synthesis_ms: int | None
    """First clause → its first audio."""
    first_byte_ms: int | None
    """First audio made (and, for a draft, the transcript there) → handed to the socket."""
    playback_ms: int | None
    """Handed to the socket → the client said it plays."""
    ttfb_ms: int | None
    """Last voiced sample → first audio handed to the socket, at the server."""
    own_ms: int | None
    """The part of `ttfb_ms` that is neither a model's work nor an intended wait."""
    asr_confidence: float | None
    artifacts: ArtifactReport | None
    decisions: tuple[Decision, ...] = ()
    """What chains of providers decided since the record before: failovers, second requests, circuits."""
    drafted: bool = False
    """Whether the reply was begun as a draft: its stages then lie within the endpointing wait."""

    @property
    def stages(self) -> dict[str, int]:
        """Those of its stages that were measured, in ms, by name."""
        stages = {
            "endpointing_wait": self.endpointing_wait_ms,
            "transcription": self.transcription_ms,
            "first_token": self.first_token_ms,
            "first_clause": self.first_clause_ms,
            "synthesis": self.synthesis_ms,
            "first_byte": self.first_byte_ms,
            "own": self.own_ms,
        }
        return {name: duration_ms for name, duration_ms in stages.items() if duration_ms is not None}


def _between(start_ms: int | None, end_ms: int | None) -> int | None:
    return None if start_ms is None or end_ms is None else end_ms - start_ms


def _model_work_ms(marks: TurnMarks) -> int | None:
    """What of the models' work fell behind the transcript: a draft had done some or all of it by then."""
    if marks.reply_started_ms is None or marks.first_audio_ms is None:
        return None
    return max(marks.first_audio_ms - _not_before_transcript(marks, marks.reply_started_ms), 0)


def _not_before_transcript(marks: TurnMarks, mark_ms: int) -> int:
    """`mark_ms`, or the transcript where that came later, as it may in a draft: nothing could be sent before."""
    return mark_ms if marks.transcribed_ms is None else max(mark_ms, marks.transcribed_ms)


def _hand_over_ms(marks: TurnMarks) -> int | None:
    if marks.first_audio_ms is None or marks.first_sent_ms is None:
        return None
    return marks.first_sent_ms - _not_before_transcript(marks, marks.first_audio_ms)


def closed(
    marks: TurnMarks,
    *,
    item_id: str | None,
    response_id: str | None,
    asr_confidence: float | None,
    artifacts: ArtifactReport | None,
    decisions: tuple[Decision, ...] = (),
    drafted: bool = False,
) -> TurnLatency:
    """The ledger of a turn whose marks are all made."""
    ttfb_ms = _between(marks.speech_ended_ms, marks.first_sent_ms)
    accounted = (
        _between(marks.speech_ended_ms, marks.endpoint_due_ms),
        _between(marks.committed_ms, marks.transcribed_ms),
        _model_work_ms(marks),
    )
    known = [part for part in accounted if part is not None]
    return TurnLatency(
        item_id=item_id,
        response_id=response_id,
        endpointing_wait_ms=_between(marks.speech_ended_ms, marks.committed_ms),
        transcription_ms=_between(marks.committed_ms, marks.transcribed_ms),
        first_token_ms=_between(marks.reply_started_ms, marks.first_token_ms),
        first_clause_ms=_between(marks.first_token_ms, marks.first_clause_ms),
        synthesis_ms=_between(marks.first_clause_ms, marks.first_audio_ms),
        first_byte_ms=_hand_over_ms(marks),
        playback_ms=_between(marks.first_sent_ms, marks.playback_acknowledged_ms),
        ttfb_ms=ttfb_ms,
        own_ms=None if ttfb_ms is None or len(known) < len(accounted) else ttfb_ms - sum(known),
        asr_confidence=asr_confidence,
        artifacts=artifacts,
        decisions=decisions,
        drafted=drafted,
    )
