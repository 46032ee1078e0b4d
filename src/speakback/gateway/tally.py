"""From what a session tells its client to what an operator counts."""

from collections.abc import Callable

from speakback.observe.metrics import Metrics
from speakback.session import notices as n


def tally_into(metrics: Metrics) -> Callable[[n.Notice], None]:
    """Counts every notice of a session."""

    def tally(notice: n.Notice) -> None:
        match notice:
            case n.LatencyMeasured(latency):
                if latency.ttfb_ms is not None:
                    metrics.turn_was_answered(latency.ttfb_ms)
                for stage, duration_ms in latency.stages.items():
                    metrics.stage_took(stage, duration_ms)
            case n.OverlapJudged(verdict=verdict, after_ms=after_ms):
                metrics.overlap_was_judged(verdict, after_ms)
            case n.ProviderDecided(decision):
                metrics.provider_decided(decision.role, decision.kind.value, decision.provider)
            case n.PauseWeighed(outcome=outcome):
                metrics.pause_was_weighed(outcome)
            case n.Fault(code=code, by_client=False):
                metrics.faulted(code)
            case _:
                pass

    return tally
