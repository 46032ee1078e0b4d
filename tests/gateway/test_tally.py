"""gateway/tally.py, observe/metrics.py: what a session tells becomes what Prometheus reads."""

from prometheus_client.parser import text_string_to_metric_families

from speakback.gateway.tally import tally_into
from speakback.observe.metrics import Metrics
from speakback.providers.decisions import Decision, DecisionKind
from speakback.session import notices as n
from speakback.session.latency import TurnMarks, closed

MARKS = TurnMarks(
    speech_ended_ms=1000,
    endpoint_due_ms=1300,
    committed_ms=1302,
    transcribed_ms=1402,
    reply_started_ms=1402,
    first_token_ms=1502,
    first_clause_ms=1552,
    first_audio_ms=1602,
    first_sent_ms=1605,
)


def read(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """All samples by name and labels."""
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {
        (sample.name, tuple(sample.labels.values())): sample.value for family in families for sample in family.samples
    }


def measured(marks: TurnMarks) -> n.LatencyMeasured:
    return n.LatencyMeasured(closed(marks, item_id="i", response_id="r", asr_confidence=None, artifacts=None))


def test_an_answered_turn_is_counted_with_all_its_stages() -> None:
    metrics = Metrics()
    tally_into(metrics)(measured(MARKS))
    samples = read(metrics)
    assert samples["speakback_ttfb_seconds_count", ()] == 1
    assert samples["speakback_ttfb_seconds_sum", ()] == 0.605
    assert samples["speakback_stage_seconds_sum", ("endpointing_wait",)] == 0.302
    assert samples["speakback_stage_seconds_sum", ("synthesis",)] == 0.05


def test_what_was_not_measured_is_not_counted() -> None:
    metrics = Metrics()
    tally_into(metrics)(measured(TurnMarks(reply_started_ms=0, first_token_ms=80)))
    samples = read(metrics)
    assert samples["speakback_ttfb_seconds_count", ()] == 0
    assert ("speakback_stage_seconds_count", ("own",)) not in samples
    assert samples["speakback_stage_seconds_count", ("first_token",)] == 1


def test_faults_of_the_server_are_counted_and_those_of_clients_are_not() -> None:
    metrics = Metrics()
    tally = tally_into(metrics)
    tally(n.Fault("transcription_failed", "no", by_client=False))
    tally(n.Fault("invalid_value", "no", by_client=True))
    samples = read(metrics)
    assert samples["speakback_faults_total", ("transcription_failed",)] == 1
    assert ("speakback_faults_total", ("invalid_value",)) not in samples


def test_decisions_of_chains_are_counted() -> None:
    metrics = Metrics()
    decision = Decision("tts", DecisionKind.WENT_ON, "hibari", "the socket broke", instead_of="elevenlabs")
    tally_into(metrics)(n.ProviderDecided(decision))
    assert read(metrics)["speakback_provider_decisions_total", ("went_on", "hibari", "tts")] == 1


def test_what_became_of_pauses_is_counted() -> None:
    metrics = Metrics()
    tally = tally_into(metrics)
    for outcome in ("scored", "late", "scored"):
        tally(n.PauseWeighed("item_u", 1, outcome, None, 900))
    samples = read(metrics)
    assert samples["speakback_pauses_weighed_total", ("scored",)] == 2
    assert samples["speakback_pauses_weighed_total", ("late",)] == 1


def test_two_servers_of_a_process_count_apart() -> None:
    first, second = Metrics(), Metrics()
    first.sessions_are(3)
    assert read(first)["speakback_sessions", ()] == 3
    assert read(second)["speakback_sessions", ()] == 0
