"""What a service says of its rate limits in the headers of an answer. Pure; header names are in lower case."""

import math
import re
from collections.abc import Mapping

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")


def duration_s(text: str) -> float | None:
    """A duration as Go writes it ("500ms", "6s", "1m26.4s", "1h2m3s") in seconds; None where it is none."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """What `retry-after-ms` or `retry-after` ask for. A date is not taken: the clocks of two machines differ."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = _count(headers.get(name))
        if value is not None:
            return value * unit_s
    return None


def limit_and_remaining(headers: Mapping[str, str], name: str) -> tuple[float, float] | None:
    """`x-ratelimit-limit-NAME` and `x-ratelimit-remaining-NAME`; None where they are missing or nonsense."""
    limit = _count(headers.get(f"x-ratelimit-limit-{name}"))
    remaining = _count(headers.get(f"x-ratelimit-remaining-{name}"))
    return (limit, remaining) if limit and remaining is not None else None


def _count(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
