"""observe/collectors.py: what is counted quickly reads like any other histogram."""

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from speakback.observe.collectors import QuickHistogram

BUCKETS = (0.001, 0.01, 1.0)
VALUES = (0.0, 0.0005, 0.001, 0.0011, 0.5, 1.0, 7.0)


def read(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families(generate_latest(registry).decode())
    samples = [sample for family in families if family.type == "histogram" for sample in family.samples]
    return {(each.name, each.labels.get("le", "")): each.value for each in samples if "_created" not in each.name}


def test_it_counts_as_the_librarys_own_does() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    quick = QuickHistogram("lag_seconds", "How late.", BUCKETS)
    ours.register(quick)
    slow = Histogram("lag_seconds", "How late.", buckets=BUCKETS, registry=theirs)
    for value in VALUES:
        quick.observe(value)
        slow.observe(value)
    assert read(ours) == read(theirs)
    assert read(ours)["lag_seconds_count", ""] == len(VALUES)
