"""What a service that speaks OpenAI's HTTP means when it refuses: the kind of failure, and advice in our own words.

Pure. A service's own message may quote the prompt, the organisation or the key: only what is known of it is taken.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from speakback.providers.errors import Failure
from speakback.providers.rate_headers import duration_s, retry_after_s

_BY_CODE: Mapping[str, tuple[Failure, str]] = MappingProxyType(
    {
        "capacity_exceeded": (Failure.BUSY, "the service tier is out of capacity; try again, or use another tier"),
        "insufficient_quota": (Failure.QUOTA, "the account's credit is used up; look at its billing"),
        "invalid_api_key": (Failure.REFUSED_KEY, "the key was refused; check the API key"),
        "json_validate_failed": (Failure.BAD_ANSWER, "the model wrote JSON that is not valid"),
        "model_decommissioned": (Failure.UNKNOWN_MODEL, "the model was switched off; choose another"),
        "model_not_found": (Failure.UNKNOWN_MODEL, "there is no such model, or the key may not use it"),
        "tool_use_failed": (Failure.BAD_ANSWER, "the model wrote a tool call that is not valid"),
        "unknown_url": (Failure.BAD_REQUEST, "there is no such address; check the base URL"),
    }
)
_BY_STATUS: Mapping[int, tuple[Failure, str]] = MappingProxyType(
    {
        400: (
            Failure.BAD_REQUEST,
            "the request was refused; check the model, and whether it takes what is asked of it",
        ),
        401: (Failure.REFUSED_KEY, "the key was refused; check the API key"),
        402: (Failure.QUOTA, "the account must be paid for; look at its billing"),
        403: (Failure.FORBIDDEN, "the key or this network may not use the model; check the key's rights"),
        404: (Failure.UNKNOWN_MODEL, "there is no such model or address; check the model and the base URL"),
        408: (Failure.LATE, "the service waited too long for the request"),
        413: (Failure.BAD_REQUEST, "the request is too large for this service"),
        424: (Failure.BUSY, "something the service depends on failed"),
        429: (Failure.RATE_LIMITED, "the service's rate or spending limit is reached"),
        498: (Failure.BUSY, "the service tier is out of capacity; try again, or use another tier"),
        499: (Failure.BROKE_OFF, "the service took the request for cancelled"),
    }
)
_TOO_LARGE_FOR_THE_RATE = "one request is more than the rate limit allows at all; shorten the conversation or the reply"
_WINDOWS: Mapping[str, str] = MappingProxyType(
    {
        "RPM": "requests per minute",
        "RPD": "requests per day",
        "TPM": "tokens per minute",
        "TPD": "tokens per day",
        "ITPM": "input tokens per minute",
        "OTPM": "output tokens per minute",
        "ASH": "seconds of audio per hour",
        "ASPH": "seconds of audio per hour",
        "ASD": "seconds of audio per day",
    }
)
_NAMED_WINDOW = re.compile(rf"\(({'|'.join(_WINDOWS)})\)")
_TRY_AGAIN = re.compile(r"try again in ((?:[\d.]+(?:ms|[hms]))+)")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a service refused. `words` are ours and fit for an operator."""

    failure: Failure
    words: str
    retry_after_s: float | None
    request_id: str | None


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> Refusal:
    """An HTTP answer of 400 or more. The body may be anything: behind an edge server it is not JSON."""
    answer = _json_object(body)
    failure, words = _meaning(status, _error_of(answer))
    return Refusal(failure, f"HTTP {status}: {words}", _wait_s(headers, _error_of(answer)), request_id(headers, answer))


def refused_in_stream(error: object, headers: Mapping[str, str]) -> Refusal:
    """An `error` that came where a part of the answer should be, the status being 200 already."""
    fields = error if isinstance(error, Mapping) else {}
    status = fields.get("status_code")
    known = isinstance(status, int) and status in _BY_STATUS
    if known or fields.get("code") in _BY_CODE or fields.get("code") == "rate_limit_exceeded":
        failure, words = _meaning(status if isinstance(status, int) else 429, fields)
    else:
        failure, words = Failure.BROKE_OFF, "an error of the service"
    return Refusal(failure, f"the reply broke off: {words}", _wait_s({}, fields), request_id(headers, {}))


def request_id(headers: Mapping[str, str], answer: Mapping[str, object]) -> str | None:
    """What the service calls the request, from its headers (names in lower case) or its answer."""
    own = answer.get("x_groq")
    named = headers.get("x-request-id") or (own.get("id") if isinstance(own, Mapping) else None)
    return named if isinstance(named, str) and _REQUEST_ID.fullmatch(named) else None


def _meaning(status: int, error: Mapping[str, object]) -> tuple[Failure, str]:
    code = error.get("code")
    if code == "rate_limit_exceeded" and status == 413:
        return Failure.RATE_LIMITED, _TOO_LARGE_FOR_THE_RATE + _window(error)
    if code == "rate_limit_exceeded":
        return Failure.RATE_LIMITED, _BY_STATUS[429][1] + _window(error)
    if isinstance(code, str) and code in _BY_CODE:
        return _BY_CODE[code]
    if status >= 500:
        return Failure.BUSY, "the service failed; try again"
    return _BY_STATUS.get(status, (Failure.BAD_REQUEST, "the request was refused"))


def _window(error: Mapping[str, object]) -> str:
    named = _NAMED_WINDOW.search(str(error.get("message")))
    return f" ({_WINDOWS[named[1]]})" if named else ""


def _wait_s(headers: Mapping[str, str], error: Mapping[str, object]) -> float | None:
    asked = retry_after_s(headers)
    if asked is not None:
        return asked
    told = _TRY_AGAIN.search(str(error.get("message")))
    return duration_s(told[1].rstrip(".")) if told else None


def _json_object(body: bytes) -> Mapping[str, object]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _error_of(answer: Mapping[str, object]) -> Mapping[str, object]:
    error = answer.get("error")
    return error if isinstance(error, dict) else {}
