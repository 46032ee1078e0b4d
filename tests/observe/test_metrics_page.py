"""observe/metrics_page.py, and that metrics count what they are told."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from speakback.observe.load import Load
from speakback.observe.loop_lag import LagFigures
from speakback.observe.memory import Held
from speakback.observe.metrics import Metrics
from speakback.observe.metrics_page import PAGE_PATH, metrics_page
from speakback.observe.processor import CpuShares

ROOT = Path(__file__).resolve().parents[2]


def read(metrics: Metrics) -> dict[tuple[str, str], float]:
    """Samples by name and the last label."""
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {
        (sample.name, next(reversed(sample.labels.values()), "")): sample.value
        for family in families
        for sample in family.samples
    }


def test_the_page_is_what_the_metrics_are() -> None:
    assert (ROOT / PAGE_PATH).read_text(encoding="utf-8") == metrics_page()


def test_every_metric_of_ours_is_on_the_page() -> None:
    page = metrics_page()
    families = text_string_to_metric_families(Metrics().exposition().decode())
    names = {family.name + ("_total" if family.type == "counter" else "") for family in families}
    ours = {name for name in names if not name.endswith("_created")}  # the library's own addition
    assert ours
    assert {name for name in ours if f"`{name}`" not in page} == set()


def test_admission_is_counted() -> None:
    metrics = Metrics()
    metrics.admitted(came_back=False)
    metrics.admitted(came_back=True)
    metrics.refused("cpu")
    metrics.would_admit(False)
    metrics.joined(0.004)
    samples = read(metrics)
    assert samples["speakback_admitted_total", "new"] == 1
    assert samples["speakback_admitted_total", "resumed"] == 1
    assert samples["speakback_refused_total", "cpu"] == 1
    assert samples["speakback_admitting", ""] == 0
    assert samples["speakback_join_seconds_sum", ""] == 0.004


def test_a_close_code_that_a_client_made_up_gets_no_label_of_its_own() -> None:
    metrics = Metrics()
    for code in (1000, 1013, 4321, None):
        metrics.session_ended(code)
    samples = read(metrics)
    assert samples["speakback_sessions_ended_total", "1013"] == 1
    assert samples["speakback_sessions_ended_total", "other"] == 2
    assert ("speakback_sessions_ended_total", "4321") not in samples


def test_the_load_is_shown() -> None:
    metrics = Metrics()
    metrics.load_is(Load(1, LagFigures(1, 3, 20), 250, CpuShares(0.5, 0.25, None), 10, 100))
    samples = read(metrics)
    assert samples["speakback_loop_lag_recent_seconds", "0.99"] == 0.02
    assert samples["speakback_queue_wait_recent_seconds", ""] == 0.25
    assert samples["speakback_cpu_share", "loop"] == 0.5
    assert ("speakback_cpu_share", "machine") not in samples


def test_what_is_alive_no_more_is_not_shown() -> None:
    metrics = Metrics()
    metrics.alive(tasks={"read": 3, "write": 2}, sockets=3, objects=3, behind=1)
    metrics.alive(tasks={"write": 1}, sockets=1, objects=2, behind=0)
    samples = read(metrics)
    assert ("speakback_tasks", "read") not in samples
    assert samples["speakback_tasks", "write"] == 1
    assert samples["speakback_session_objects", ""] == 2


def test_what_conversations_hold_is_summed_and_falls_back() -> None:
    metrics = Metrics()
    metrics.sessions_hold([Held(heard=10, notices=1), Held(heard=5)])
    samples = read(metrics)
    assert samples["speakback_session_held_bytes", "heard"] == 15
    assert samples["speakback_session_held_most_bytes", ""] == 11
    metrics.sessions_hold([])
    samples = read(metrics)
    assert samples["speakback_session_held_bytes", "heard"] == 0
    assert samples["speakback_session_held_most_bytes", ""] == 0
