"""What a run came to, as its clients heard it. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from speakback.load.answers import Overlap, Turn, overlaps, turns
from speakback.load.durations import Percentiles, percentiles
from speakback.load.plan import Kind
from speakback.load.record import CallerRecord
from speakback.load.server_use import Reading

FRAMES_LATE_P99_MS = 10.0
"""A run in which more than one frame in a hundred was later than this is void: its delays may be the callers' own."""
FRAME_LATE_MS = 250.0
"""And so is one in which any frame was as late as this."""
_ERRORS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Window:
    """The measured part of a run, in ms of its clock: after all had come, until they began to leave."""

    start_ms: float
    end_ms: float

    def holds(self, at_ms: float) -> bool:
        return self.start_ms <= at_ms < self.end_ms


@dataclass(frozen=True, slots=True)
class Client:
    """How well the callers themselves kept time."""

    frames_late: Percentiles | None
    loop_late: Percentiles | None
    cpu_cores: float


@dataclass(frozen=True, slots=True)
class Refusals:
    """Callers that were turned away for want of room (503)."""

    callers: int
    """That never got in."""
    knocks: int
    took_ms: Percentiles | None
    """Knock → refusal."""
    retry_after_s: tuple[float, ...]
    """All values that were told."""
    without_retry_after: int


@dataclass(frozen=True, slots=True)
class Sessions:
    """What became of the callers."""

    asked: int
    joined: int
    held: int
    """Until the caller hung up."""
    refused: Refusals
    failed: Mapping[str, int]
    """Why callers did not get in for another reason, and how many."""
    ended_early: Mapping[str, int]
    """Sessions that the server ended or lost, by close code."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Of the questions and cut-ins within the window; durations in ms."""

    asked: int
    unanswered: int
    answered_too_early: int
    """The reply began before the question was over."""
    ttfb: Percentiles | None
    wait: Percentiles | None
    overhead: Percentiles | None
    overhead_unknown: int
    """Answered turns that are missing in it: the server leaves `speakback.latency` out for a client that is behind."""


@dataclass(frozen=True, slots=True)
class BargeIns:
    """What was said over the agent within the window; durations in ms."""

    last_byte: Percentiles | None
    """First voiced sample handed over → last agent audio received; where the agent broke off."""
    not_yielded: int
    backchannels: int
    stopped_by_backchannel: int


@dataclass(frozen=True, slots=True)
class Underruns:
    """Agent audio that came too late for a client that plays at once with a buffer of 60 ms."""

    replies: int
    replies_with: int
    gaps: Percentiles | None


@dataclass(frozen=True, slots=True)
class Server:
    """What the server's process used; per session where there were any."""

    cpu_cores: float
    cpu_cores_a_session: float | None
    resident_before_bytes: int
    resident_bytes: int
    resident_bytes_a_session: float | None
    loop_lag_p99_ms: float | None
    """Within the window. None: it is not told."""
    join_p99_ms: float | None
    """How long the opening of one session kept its event loop."""


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. `void` says why nothing of it counts; None: it counts."""

    void: str | None
    seconds: float
    sessions: Sessions
    answers: Answers
    barge_ins: BargeIns
    underruns: Underruns
    errors: Mapping[str, int]
    """What the server complained of or did wrong, and how often; the commonest."""
    server: Server | None
    """None: the server did not tell, or several processes did."""
    server_processes: int
    """So many told at least, by when they started: what one of them used says nothing of the whole."""
    client: Client

    def to_json(self) -> dict[str, object]:
        """The report as JSON values."""
        return asdict(self)


def report(
    records: Sequence[CallerRecord],
    window: Window,
    client: Client,
    readings: tuple[Reading | None, Reading | None, Reading | None] = (None, None, None),
) -> Report:
    """`readings`: before the first session, at the window's start, at its end."""
    sessions = _sessions(records)
    return Report(
        void=_void(sessions, client),
        seconds=(window.end_ms - window.start_ms) / 1000,
        sessions=sessions,
        answers=_answers([turn for one in records for turn in turns(one) if window.holds(turn.spoken.first_ms)]),
        barge_ins=_barge_ins([over for one in records for over in overlaps(one) if window.holds(over.spoken.first_ms)]),
        underruns=_underruns(records, window),
        errors=_errors(records),
        server=_server(readings, sessions.joined),
        server_processes=_processes(readings),
        client=client,
    )


def _void(sessions: Sessions, client: Client) -> str | None:
    if not sessions.joined:
        return "no session was opened."
    if not sessions.held:
        return "every session ended before its caller hung up."
    late = client.frames_late
    if late is not None and late.p99 > FRAMES_LATE_P99_MS:
        return (
            f"the callers themselves were late: 1 % of their frames by more than {late.p99:.0f} ms "
            f"(at most {FRAMES_LATE_P99_MS:.0f} ms is borne). Use fewer sessions, or another machine for the callers."
        )
    if late is not None and late.worst > FRAME_LATE_MS:
        return (
            f"the callers themselves stood still for {late.worst:.0f} ms (at most {FRAME_LATE_MS:.0f} ms is borne). "
            "Run it again when this machine is less busy."
        )
    return None


def _sessions(records: Sequence[CallerRecord]) -> Sessions:
    knocks = [knock for one in records for knock in one.turned_away]
    told = sorted({knock.retry_after_s for knock in knocks if knock.retry_after_s is not None})
    joined = [one for one in records if one.joined_ms is not None]
    return Sessions(
        asked=len(records),
        joined=len(joined),
        held=sum(one.ended is None for one in joined),
        refused=Refusals(
            callers=sum(bool(one.turned_away) and one.joined_ms is None for one in records),
            knocks=len(knocks),
            took_ms=percentiles(knock.took_ms for knock in knocks),
            retry_after_s=tuple(told),
            without_retry_after=sum(knock.retry_after_s is None for knock in knocks),
        ),
        failed=dict(Counter(one.failure for one in records if one.failure is not None)),
        ended_early=dict(Counter(str(one.ended.code) for one in joined if one.ended is not None)),
    )


def _answers(found: Sequence[Turn]) -> Answers:
    return Answers(
        asked=len(found),
        unanswered=sum(turn.answer is None and not turn.was_early for turn in found),
        answered_too_early=sum(turn.was_early for turn in found),
        ttfb=percentiles(turn.ttfb_ms for turn in found),
        wait=percentiles(turn.wait_ms for turn in found),
        overhead=percentiles(turn.overhead_ms for turn in found),
        overhead_unknown=sum(turn.answer is not None and turn.overhead_ms is None for turn in found),
    )


def _barge_ins(found: Sequence[Overlap]) -> BargeIns:
    bids = [over for over in found if over.spoken.kind is not Kind.BACKCHANNEL and not over.met_its_end]
    murmurs = [over for over in found if over.spoken.kind is Kind.BACKCHANNEL]
    return BargeIns(
        last_byte=percentiles(over.last_byte_after_ms for over in bids if over.yielded),
        not_yielded=sum(not over.yielded for over in bids),
        backchannels=len(murmurs),
        stopped_by_backchannel=sum(over.yielded for over in murmurs),
    )


def _underruns(records: Sequence[CallerRecord], window: Window) -> Underruns:
    heard = [reply for one in records for reply in one.replies if window.holds(reply.first_byte_ms)]
    return Underruns(
        replies=len(heard),
        replies_with=sum(bool(reply.gaps_ms) for reply in heard),
        gaps=percentiles(gap_ms for reply in heard for gap_ms in reply.gaps_ms),
    )


def _errors(records: Sequence[CallerRecord]) -> Mapping[str, int]:
    errors = Counter(message for one in records for message in one.errors)
    if gaps := sum(one.gaps_in_sequence for one in records):
        errors["binary messages of the server were missing or out of order"] = gaps
    if congested := sum(one.congested_frames > 0 for one in records):
        errors["the server took a caller's audio more slowly than it was sent"] = congested
    return dict(errors.most_common(_ERRORS_SHOWN))


def _processes(readings: Sequence[Reading | None]) -> int:
    return len({reading.started_s for reading in readings if reading is not None})


def _server(readings: tuple[Reading | None, Reading | None, Reading | None], sessions: int) -> Server | None:
    before, start, end = readings
    if before is None or start is None or end is None or end.at_s <= start.at_s or _processes(readings) > 1:
        return None
    cores = (end.cpu_s - start.cpu_s) / (end.at_s - start.at_s)
    grown_bytes = end.resident_bytes - before.resident_bytes
    return Server(
        cpu_cores=cores,
        cpu_cores_a_session=cores / sessions if sessions else None,
        resident_before_bytes=before.resident_bytes,
        resident_bytes=end.resident_bytes,
        resident_bytes_a_session=grown_bytes / sessions if sessions else None,
        loop_lag_p99_ms=end.loop_lag.since(start.loop_lag).quantile_ms(0.99),
        join_p99_ms=start.join.since(before.join).quantile_ms(0.99),
    )
