import pytest
from prometheus_client.parser import text_string_to_metric_families

from speakback.observe.metrics import Metrics
from speakback.providers import waits
from speakback.providers.urgency import Urgency
from speakback.providers.waits import JAMMED_S, RECENT_S, WorkWaits


def sampled(metrics: Metrics, name: str, **labels: str) -> float:
    (value,) = [
        sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return value


def test_an_operator_sees_what_waits_how_long_and_what_was_shed() -> None:
    metrics = Metrics()
    told = WorkWaits(metrics)
    for change in (1, 1, -1):
        told.work_queued("tts", change)
    told.work_began("tts", Urgency.FIRST_CLAUSE, 0.3)
    told.work_shed("stt", Urgency.PARTIAL, 0.1)
    assert sampled(metrics, "speakback_work_waiting", role="tts") == 1
    assert sampled(metrics, "speakback_work_wait_seconds_sum", role="tts", urgency="first_clause") == 0.3
    assert sampled(metrics, "speakback_work_shed_total", role="stt", urgency="partial") == 1


def test_the_recent_wait_is_that_of_the_slowest_pool_for_what_somebody_waits_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 100.0
    monkeypatch.setattr(waits, "monotonic", lambda: now_s)
    told = WorkWaits(Metrics())
    assert told.recent_ms() == 0.0
    told.work_began("stt", Urgency.PARTIAL, 9.0)
    assert told.recent_ms() == 0.0
    for number in range(11):
        told.work_began("end_of_turn", Urgency.PAUSE, number / 1000)
        told.work_began("stt", Urgency.COMMITTED, number / 10)
    assert told.recent_ms() == pytest.approx(900)
    now_s += RECENT_S + 0.1
    assert told.recent_ms() == 0.0


def test_what_was_shed_refused_or_overdue_counts_as_having_waited() -> None:
    told = WorkWaits(Metrics())
    told.work_shed("stt", Urgency.PARTIAL, 9.0)
    assert told.recent_ms() == 0.0, "nobody waited for it"
    told.work_shed("end_of_turn", Urgency.PAUSE, 0.7)
    assert told.recent_ms() == pytest.approx(700)


def test_a_pool_that_hangs_is_seen_though_no_call_begins_any_more() -> None:
    told = WorkWaits(Metrics())
    oldest_s = 0.0
    told.pool_made("stt", lambda: oldest_s)
    told.pool_made("tts", lambda: 0.0)
    told.work_began("stt", Urgency.COMMITTED, 0.1)
    oldest_s = JAMMED_S
    assert told.recent_ms() == pytest.approx(100), "one call that waits a moment is no jam"
    oldest_s = JAMMED_S + 0.5
    assert told.recent_ms() == pytest.approx(1000 * oldest_s)
