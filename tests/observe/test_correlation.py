"""Correlation ids: what a caller may bring, and what is made otherwise."""

import re

import pytest

from speakback.observe.correlation import correlation_id_from

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN_ID = "00f067aa0ba902b7"


@pytest.mark.parametrize("sent", ["a", "call-7:b.c_d", "x" * 128])
def test_a_valid_id_is_kept(sent: str) -> None:
    assert correlation_id_from({"x-correlation-id": sent, "traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01"}) == sent


@pytest.mark.parametrize("sent", ["", "x" * 129, "a b", "a\n", "a\r\nSet-Cookie: b", "é", "{}"])
def test_a_malformed_id_counts_as_not_sent(sent: str) -> None:
    made = correlation_id_from({"X-Correlation-ID": sent})
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert correlation_id_from({"X-Correlation-ID": sent, "Traceparent": f"00-{TRACE_ID}-{SPAN_ID}-00"}) == TRACE_ID


@pytest.mark.parametrize("traceparent", [f"00-{TRACE_ID}-{SPAN_ID}-01", f"cc-{TRACE_ID}-{SPAN_ID}-01-later"])
def test_the_trace_id_serves(traceparent: str) -> None:
    assert correlation_id_from({"traceparent": traceparent}) == TRACE_ID


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        TRACE_ID,
        f"00-{TRACE_ID}-{SPAN_ID}",
        f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID}-{SPAN_ID}-01-more",
    ],
)
def test_a_malformed_traceparent_counts_as_not_sent(traceparent: str) -> None:
    assert correlation_id_from({"traceparent": traceparent}) != TRACE_ID


def test_new_ids_differ() -> None:
    assert len({correlation_id_from({}) for _ in range(50)}) == 50
