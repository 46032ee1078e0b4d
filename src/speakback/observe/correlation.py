"""The correlation id: one name for a conversation on every log line, event, provider request and record."""

import re
import uuid
from collections.abc import Mapping

CORRELATION_HEADER = "X-Correlation-ID"

_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace_id>[0-9a-f]{32})-(?P<parent_id>[0-9a-f]{16})-[0-9a-f]{2}(?P<more>-.*)?"
)
"""W3C Trace Context, section 3.2; later versions may append fields."""


def correlation_id_from(headers: Mapping[str, str]) -> str:
    """The caller's id if it sent a valid one, else a new one (32 hexadecimal digits).

    `X-Correlation-ID` is taken first, then the trace id of `traceparent`. What is malformed counts as not sent: an
    id ends up in logs and headers, so nothing else gets in. Header names are compared without regard to case.
    """
    by_name = {name.lower(): value for name, value in headers.items()}
    sent = by_name.get(CORRELATION_HEADER.lower(), "")
    if _CORRELATION_ID.fullmatch(sent):
        return sent
    return _trace_id(by_name.get("traceparent", "")) or uuid.uuid4().hex


def _trace_id(traceparent: str) -> str | None:
    match = _TRACEPARENT.fullmatch(traceparent.strip())
    if match is None or match["version"] == "ff" or (match["version"] == "00" and match["more"]):
        return None
    if not match["trace_id"].strip("0") or not match["parent_id"].strip("0"):
        return None
    return match["trace_id"]
