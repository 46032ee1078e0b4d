"""What an operator can count and draw: Prometheus metrics of one server. They hold neither speech nor secrets."""

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Borders of the histograms: fine where people notice."""


class Metrics:
    """The metrics of one server, in a registry of its own, so that several servers of a process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._sessions = Gauge("speakback_sessions", "Conversations held now.", registry=self._registry)
        self._ttfb = Histogram(
            "speakback_ttfb_seconds",
            "From the user's last voiced sample to the first audio of the reply, at the server.",
            buckets=SECONDS,
            registry=self._registry,
        )
        self._stages = Histogram(
            "speakback_stage_seconds",
            "Parts of the time to the first audio.",
            ("stage",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._decisions = Counter(
            "speakback_provider_decisions",
            "What chains of providers decided: failovers, second requests, circuits opened and closed.",
            ("role", "kind", "provider"),
            registry=self._registry,
        )
        self._faults = Counter("speakback_faults", "Faults of the server, by code.", ("code",), registry=self._registry)

    def sessions_are(self, count: int) -> None:
        """So many conversations are held now."""
        self._sessions.set(count)

    def turn_was_answered(self, ttfb_ms: int) -> None:
        """The first audio of a reply to a user's turn went out."""
        self._ttfb.observe(ttfb_ms / 1000)

    def stage_took(self, stage: str, duration_ms: int) -> None:
        """A part of that time."""
        self._stages.labels(stage).observe(duration_ms / 1000)

    def provider_decided(self, role: str, kind: str, provider: str) -> None:
        """A chain of providers decided something."""
        self._decisions.labels(role, kind, provider).inc()

    def faulted(self, code: str) -> None:
        """The server told a client of a fault of its own."""
        self._faults.labels(code).inc()

    def exposition(self) -> bytes:
        """All of it, in Prometheus' text format (`CONTENT_TYPE`)."""
        return generate_latest(self._registry)
