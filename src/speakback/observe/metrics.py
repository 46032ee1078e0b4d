"""What an operator can count and draw: Prometheus metrics of one server. They hold neither speech nor secrets.

docs/metrics.md lists them (`metrics_page.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from speakback.observe.collectors import ProcessFigures, QuickHistogram
from speakback.observe.load import Load
from speakback.observe.memory import Held

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Borders of the histograms of turns: fine where people notice."""
MOMENTS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Borders of the histograms of what should take no time."""
CLOSE_CODES = frozenset({1000, 1001, 1006, 1008, 1009, 1011, 1012, 1013})
"""Close codes that are counted each; a client may send any other."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a page says of a metric."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


class Metrics:
    """The metrics of one server, in a registry of its own, so that several servers of a process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(ProcessFigures())
        self.described: list[Description] = []
        """Every metric of ours, in order."""
        self._make_sessions()
        self._make_turns()
        self._make_work()
        self._make_machinery()
        self._make_living()

    def exposition(self) -> bytes:
        """All of it, in Prometheus' text format (`CONTENT_TYPE`). Reads files: not for the event loop."""
        return generate_latest(self._registry)

    # ---- sessions -----------------------------------------------------------------------------

    def sessions_are(self, count: int) -> None:
        """So many conversations are held now."""
        self._sessions.set(count)

    def would_admit(self, admits: bool) -> None:
        """Whether a new conversation would be let in now."""
        self._admitting.set(admits)

    def admitted(self, *, came_back: bool) -> None:
        """A client was given a seat."""
        self._admitted.labels("resumed" if came_back else "new").inc()

    def refused(self, reason: str) -> None:
        """A client was turned away for want of room; `reason` is one of `admission.Full`."""
        self._refused.labels(reason).inc()

    def joined(self, duration_s: float) -> None:
        """To open a session kept the event loop for so long."""
        self._join.observe(duration_s)

    def session_ended(self, close_code: int | None) -> None:
        """A session ended with that code; None: without any."""
        self._ended.labels(str(close_code) if close_code in CLOSE_CODES else "other").inc()

    def _make_sessions(self) -> None:
        self._sessions = self._gauge("speakback_sessions", "Conversations held now.")
        self._admitting = self._gauge("speakback_admitting", "1 while a new conversation would be let in, else 0.")
        self._admitted = self._counter(
            "speakback_admitted", "Conversations let in, new or resumed (those that came back).", "kind"
        )
        self._refused = self._counter("speakback_refused", "Clients turned away for want of room, by reason.", "reason")
        self._join = self._histogram(
            "speakback_join_seconds", "For how long opening a session kept the event loop from all else.", MOMENTS
        )
        self._ended = self._counter("speakback_sessions_ended", "Sessions that ended, by WebSocket close code.", "code")
        self._resumptions = self._counter(
            "speakback_resumptions",
            "Clients that came with a resume token: resumed, refused (not known, used, expired, not theirs), or "
            "unavailable (the store failed).",
            "outcome",
        )
        self._store_failures = self._counter(
            "speakback_resume_store_failures", "Times that a conversation could not be kept for resumption."
        )

    def resumption_asked(self, outcome: str) -> None:
        """A client came with a resume token: `resumed`, `refused` or `unavailable`."""
        self._resumptions.labels(outcome).inc()

    def resume_store_failed(self) -> None:
        """A conversation could not be kept for resumption."""
        self._store_failures.inc()

    # ---- turns --------------------------------------------------------------------------------

    def turn_was_answered(self, ttfb_ms: int) -> None:
        """The first audio of a reply to a user's turn went out."""
        self._ttfb.observe(ttfb_ms / 1000)

    def stage_took(self, stage: str, duration_ms: int) -> None:
        """A part of that time."""
        self._stages.labels(stage).observe(duration_ms / 1000)

    def overlap_was_judged(self, verdict: str, after_ms: int) -> None:
        """Speech over the agent was taken for something, so long after its onset."""
        self._verdicts.labels(verdict).observe(after_ms / 1000)

    def provider_decided(self, role: str, kind: str, provider: str) -> None:
        """A chain of providers decided something."""
        self._decisions.labels(role, kind, provider).inc()

    def faulted(self, code: str) -> None:
        """The server told a client of a fault of its own."""
        self._faults.labels(code).inc()

    def _make_turns(self) -> None:
        self._ttfb = self._histogram(
            "speakback_ttfb_seconds",
            "From the user's last voiced sample to the first audio of the reply, at the server.",
            SECONDS,
        )
        self._stages = self._histogram(
            "speakback_stage_seconds", "Parts of the time to the first audio.", SECONDS, "stage"
        )
        self._verdicts = self._histogram(
            "speakback_overlap_verdict_seconds",
            "From the onset of speech over the agent to what it was taken for; an interruption stops the agent then.",
            SECONDS,
            "verdict",
        )
        self._decisions = self._counter(
            "speakback_provider_decisions",
            "What chains of providers decided: failovers, second requests, circuits opened and closed.",
            "role",
            "kind",
            "provider",
        )
        self._faults = self._counter("speakback_faults", "Faults of the server, by code.", "code")

    # ---- heavy work ---------------------------------------------------------------------------

    def work_was_queued(self, role: str, change: int) -> None:
        """So many calls more, or less, wait for a worker."""
        self._queued_work.labels(role).inc(change)

    def work_waited(self, role: str, urgency: str, waited_s: float) -> None:
        """A call of a model began after so long."""
        self._work_waits.labels(role, urgency).observe(waited_s)

    def work_was_shed(self, role: str, urgency: str) -> None:
        """A call of a model was not made, for want of room or of time."""
        self._shed_work.labels(role, urgency).inc()

    def pause_was_weighed(self, outcome: str) -> None:
        """What became of the question whether the sound of a pause ends the turn."""
        self._pauses.labels(outcome).inc()

    def _make_work(self) -> None:
        self._queued_work = self._gauge(
            "speakback_work_waiting", "Calls of local models that wait for a worker.", "role"
        )
        self._work_waits = self._histogram(
            "speakback_work_wait_seconds",
            "For how long calls of local models waited, by what they were for.",
            MOMENTS,
            "role",
            "urgency",
        )
        self._shed_work = self._counter(
            "speakback_work_shed",
            "Calls of local models that were not made, for want of room or of time.",
            "role",
            "urgency",
        )
        self._pauses = self._counter(
            "speakback_pauses_weighed",
            "Pauses of users, by what became of their end-of-turn score: scored; moot; late, busy or failed (silence "
            "decided); or, not asked for, policy, short or words.",
            "outcome",
        )

    # ---- the event loop and the load ----------------------------------------------------------

    def loop_was_late(self, lag_s: float) -> None:
        """At one moment the event loop was that late."""
        self._lag.observe(lag_s)

    def loop_stalled(self) -> None:
        """The event loop did not answer for longer than it may."""
        self._stalls.inc()

    def load_is(self, load: Load) -> None:
        """The load was measured."""
        self._recent_lag.labels("0.5").set(load.lag.p50_ms / 1000)
        self._recent_lag.labels("0.9").set(load.lag.p90_ms / 1000)
        self._recent_lag.labels("0.99").set(load.lag.p99_ms / 1000)
        self._queue_wait.set(load.queue_wait_ms / 1000)
        self._cpu.labels("loop").set(load.cpu.loop)
        self._cpu.labels("process").set(load.cpu.process)
        if load.cpu.machine is not None:
            self._cpu.labels("machine").set(load.cpu.machine)

    def _make_machinery(self) -> None:
        name, meaning = (
            "speakback_loop_lag_seconds",
            "By how much the event loop was late, asked every 20 ms; at rest less often.",
        )
        self._lag = QuickHistogram(name, meaning, MOMENTS)
        self._registry.register(self._lag)
        self.described.append(Description(name, "histogram", (), meaning))
        self._recent_lag = self._gauge(
            "speakback_loop_lag_recent_seconds", "The same over the last 10 s, as quantiles.", "quantile"
        )
        self._stalls = self._counter("speakback_loop_stalls", "Times the event loop did not answer for 100 ms or more.")
        self._queue_wait = self._gauge(
            "speakback_queue_wait_recent_seconds", "How long calls wait for a worker, in the pool where it is longest."
        )
        self._cpu = self._gauge(
            "speakback_cpu_share",
            "Processor time over the last 3 s, 0 to 1: of the event loop's thread (of one core), of the process and "
            "of the machine (of the cores that this process may use).",
            "of",
        )

    # ---- what is alive ------------------------------------------------------------------------

    def alive(self, *, tasks: Mapping[str, int], sockets: int, objects: int, behind: int) -> None:
        """So much is alive now: tasks by kind, clients' sockets, conversations in memory, clients that are behind."""
        self._behind.set(behind)
        self._tasks.clear()
        for kind, count in tasks.items():
            self._tasks.labels(kind).set(count)
        self._sockets.set(sockets)
        self._objects.set(objects)

    def left_behind(self, kind: str) -> None:
        """A session ended and something of it lived on."""
        self._left_behind.labels(kind).inc()

    def sessions_hold(self, holdings: Sequence[Held]) -> None:
        """What the buffers of each conversation hold now."""
        for part in fields(Held):
            self._held.labels(part.name).set(sum(getattr(held, part.name) for held in holdings))
        self._most_held.set(max((held.total for held in holdings), default=0))

    def _make_living(self) -> None:
        self._tasks = self._gauge("speakback_tasks", "Tasks that are alive on the event loop, by kind.", "kind")
        self._sockets = self._gauge("speakback_client_sockets", "Sockets of clients that are open.")
        self._behind = self._gauge("speakback_clients_behind", "Clients that read too slowly now.")
        self._objects = self._gauge(
            "speakback_session_objects",
            "Conversations in memory; more than `speakback_sessions` for long is a leak.",
        )
        self._left_behind = self._counter(
            "speakback_left_behind", "Tasks and sockets that outlived their session: a defect, logged.", "kind"
        )
        self._held = self._gauge(
            "speakback_session_held_bytes",
            "What the buffers of all conversations hold: audio heard and spoken, history, notices that wait.",
            "what",
        )
        self._most_held = self._gauge(
            "speakback_session_held_most_bytes", "The same of the one conversation that holds most."
        )

    # ---- within -------------------------------------------------------------------------------

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        self.described.append(Description(name, "gauge", labels, meaning))
        return Gauge(name, meaning, labels, registry=self._registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        self.described.append(Description(f"{name}_total", "counter", labels, meaning))
        return Counter(name, meaning, labels, registry=self._registry)

    def _histogram(self, name: str, meaning: str, buckets: Sequence[float], *labels: str) -> Histogram:
        self.described.append(Description(name, "histogram", labels, meaning))
        return Histogram(name, meaning, labels, buckets=buckets, registry=self._registry)
