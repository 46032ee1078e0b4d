"""How things are written: JSON, server-sent events, ids, durations."""

import json
from math import ceil
from random import Random
from uuid import UUID

REQUEST_ID = "x-request-id"
DONE = b"data: [DONE]\n\n"
_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"


def json_text(value: object) -> str:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def event(value: object, name: str | None = None) -> bytes:
    """One server-sent event."""
    line = f"event: {name}\n" if name else ""
    return f"{line}data: {json_text(value)}\n\n".encode()


def request_id(rng: Random) -> str:
    """Such as `req_01k6x0q3t9ej8a4t6z2v0c5b7m`."""
    return "req_01" + "".join(rng.choices(_BASE32, k=24))


def completion_id(rng: Random) -> str:
    """Such as `chatcmpl-` and a UUID."""
    return f"chatcmpl-{UUID(int=rng.getrandbits(128), version=4)}"


def go_duration(seconds: float) -> str:
    """As Go writes durations, rounded up to whole milliseconds: `6s`, `1.57s`, `500ms`, `1m26.4s`, `1h0m0s`."""
    whole_ms = ceil(round(seconds * 1000, 6))
    if 0 < whole_ms < 1000:
        return f"{whole_ms}ms"
    minutes, rest_ms = divmod(whole_ms, 60_000)
    hours, minutes_left = divmod(minutes, 60)
    text = f"{rest_ms / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    if minutes:
        text = f"{minutes_left}m{text}"
    return f"{hours}h{text}" if hours else text
