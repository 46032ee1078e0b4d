"""What the service's errors mean: error frames, close codes, refused upgrades and HTTP bodies as `ProviderError`.

The service's own words are not repeated: they may quote a key or what was to be said. Its identifiers are.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from speakback.providers.adapters.elevenlabs.wire import ErrorFrame
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.link.failures import LinkError, LinkLost, LinkRefused

_CODES: Mapping[str, Failure] = {
    "invalid_api_key": Failure.REFUSED_KEY,
    "authentication_required": Failure.REFUSED_KEY,
    "unauthorized": Failure.REFUSED_KEY,
    "quota_exceeded": Failure.QUOTA,
    "insufficient_credits": Failure.QUOTA,
    "payment_required": Failure.QUOTA,
    "detected_unusual_activity": Failure.FORBIDDEN,
    "subscription_required": Failure.FORBIDDEN,
    "output_format_not_allowed": Failure.FORBIDDEN,
    "missing_permissions": Failure.FORBIDDEN,
    "voice_id_does_not_exist": Failure.UNKNOWN_VOICE,
    "voice_not_found": Failure.UNKNOWN_VOICE,
    "unsupported_model": Failure.UNKNOWN_MODEL,
    "model_not_found": Failure.UNKNOWN_MODEL,
    "unsupported_language": Failure.BAD_REQUEST,
    "text_too_long": Failure.BAD_REQUEST,
    "max_character_limit_exceeded": Failure.BAD_REQUEST,
    "concurrent_limit_exceeded": Failure.RATE_LIMITED,
    "too_many_concurrent_requests": Failure.RATE_LIMITED,
    "rate_limit_exceeded": Failure.RATE_LIMITED,
    "system_busy": Failure.BUSY,
    "max_active_conversations": Failure.BROKE_OFF,
    "too_many_contexts": Failure.BROKE_OFF,
    "context_closing": Failure.BROKE_OFF,
    "input_timeout_exceeded": Failure.BROKE_OFF,
}
_STATUSES: Mapping[int, Failure] = {
    400: Failure.BAD_REQUEST,
    401: Failure.REFUSED_KEY,
    402: Failure.QUOTA,
    403: Failure.FORBIDDEN,
    404: Failure.FORBIDDEN,
    408: Failure.LATE,
    422: Failure.BAD_REQUEST,
    429: Failure.RATE_LIMITED,
}
ADVICE: Mapping[Failure, str] = {
    Failure.REFUSED_KEY: "the key was refused; check the API key, and that it belongs to this region",
    Failure.FORBIDDEN: "the key, its plan or its workspace may not use this; check the plan, the format and the model",
    Failure.QUOTA: "the credits are used up, or a bill is open; look at the account",
    Failure.UNKNOWN_VOICE: "there is no such voice for this key; check the voice id and the region",
    Failure.UNKNOWN_MODEL: "this model is not served here; check the model",
    Failure.BAD_REQUEST: "the request was refused; check language, output format and voice settings",
    Failure.RATE_LIMITED: "too many requests at once or per time for this plan",
    Failure.BUSY: "the service is overloaded or failed within",
    Failure.BROKE_OFF: "the connection broke off",
    Failure.LATE: "the service took too long",
    Failure.UNREACHABLE: "the service cannot be reached; check the base URL and the network",
}
"""What to do about each."""
_IDENTIFIER = re.compile(r"[a-z0-9_]{1,60}")
_REQUEST_ID = re.compile(r"[\w.:-]{1,80}", re.ASCII)

RETRYABLE = frozenset({Failure.BROKE_OFF, Failure.BUSY, Failure.LATE, Failure.BAD_ANSWER, Failure.UNREACHABLE})
"""The same again on another connection may succeed."""


@dataclass(frozen=True, slots=True)
class Where:
    """Whom a failure is about."""

    provider: str
    region: str
    request_id: str | None = None

    def error(self, failure: Failure, reason: str, *, retry_after_s: float | None = None) -> ProviderError:
        """The failure in our words."""
        return ProviderError(
            "tts",
            self.provider,
            reason,
            failure=failure,
            region=self.region,
            request_id=self.request_id,
            retry_after_s=retry_after_s,
        )


def of_frame(frame: ErrorFrame, where: Where) -> ProviderError:
    """An error frame: the service closes the socket behind it."""
    failure = _CODES.get(frame.code, Failure.BUSY)
    named = Where(where.provider, where.region, _request_id(frame.request_id) or where.request_id)
    return named.error(failure, f"{ADVICE[failure]}{_told(frame.code)}")


def of_link(error: LinkError, where: Where) -> ProviderError:
    """A socket that could not be opened, or is gone."""
    if isinstance(error, LinkRefused):
        return of_http(error.status, error.body, error.headers, where)
    failure = Failure.BROKE_OFF if isinstance(error, LinkLost) else Failure.UNREACHABLE
    return where.error(failure, f"{ADVICE[failure]}: {error}")


def of_http(status: int, body: bytes, headers: Mapping[str, str], where: Where) -> ProviderError:
    """An HTTP answer that is an error; `headers` in lower case. Judged by its identifiers, then by its status."""
    detail = _detail(body)
    codes = [text for text in (detail.get("code"), detail.get("status")) if isinstance(text, str)]
    known = [code for code in codes if code in _CODES]
    # "unauthorized" stands beside more exact identifiers: the quota comes as a 401, too.
    code = next((one for one in known if one != "unauthorized"), known[0] if known else "")
    failure = _CODES.get(code) or _STATUSES.get(status) or (Failure.BUSY if status >= 500 else Failure.BAD_ANSWER)
    reason = ADVICE.get(failure, "it answered with something that is not of its protocol")
    if status == 404 and not code:
        reason += ", or the base URL"
    request_id = _request_id(detail.get("request_id")) or request_id_of(headers) or where.request_id
    told = _told(code or next(iter(codes), ""), detail.get("param"))
    return Where(where.provider, where.region, request_id).error(
        failure, f"HTTP {status}: {reason}{told}", retry_after_s=_seconds(headers.get("retry-after"))
    )


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """By what the service's support finds a request."""
    return _request_id(headers.get("request-id")) or _request_id(headers.get("x-trace-id"))


def _detail(body: bytes) -> dict[str, object]:
    """`detail` is an object, or (for what failed validation) a list of places; else there is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    detail = value.get("detail") if isinstance(value, dict) else None
    if isinstance(detail, list):
        places = [str(one["loc"][-1]) for one in detail if isinstance(one, dict) and _is_place(one.get("loc"))]
        return {"code": "validation", "param": places[0] if places else None}
    if isinstance(detail, str):
        return {"status": detail}
    return detail if isinstance(detail, dict) else {}


def _is_place(value: object) -> bool:
    return isinstance(value, list) and len(value) > 0


def _told(code: object, param: object = None) -> str:
    parts = [text for text in (code, param) if isinstance(text, str) and _IDENTIFIER.fullmatch(text)]
    return f" [{', '.join(parts)}]" if parts else ""


def _request_id(value: object) -> str | None:
    return value if isinstance(value, str) and _REQUEST_ID.fullmatch(value) else None


def _seconds(value: str | None) -> float | None:
    return float(value) if value is not None and re.fullmatch(r"\d{1,5}(\.\d+)?", value) else None
