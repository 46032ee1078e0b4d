"""What a provider may raise. A session turns it into a spoken apology and an `error` event."""

from enum import Enum


class Failure(Enum):
    """Why it failed, as far as it changes what can be done."""

    REFUSED_KEY = "refused key"
    FORBIDDEN = "forbidden"
    """The key, its plan or its region may not use this."""
    QUOTA = "quota"
    UNKNOWN_MODEL = "unknown model"
    UNKNOWN_VOICE = "unknown voice"
    BAD_REQUEST = "bad request"
    RATE_LIMITED = "rate limited"
    BUSY = "busy"
    """The service is overloaded or failed within."""
    SHED = "shed"
    """We had no room or no time for it: it was not done, which says nothing of the provider (`workers.py`)."""
    UNREACHABLE = "unreachable"
    BROKE_OFF = "broke off"
    LATE = "late"
    BAD_ANSWER = "bad answer"
    """It answered in a form that it should not, or with nothing."""
    INTERNAL = "internal"
    """A fault of ours, or of a local engine."""


LASTING = frozenset(
    {Failure.REFUSED_KEY, Failure.FORBIDDEN, Failure.QUOTA, Failure.UNKNOWN_MODEL, Failure.UNKNOWN_VOICE}
)
"""Asking again soon changes nothing: somebody must do something first."""


class ProviderError(Exception):
    """A model or service failed; `role` is stt, llm, tts or end_of_turn, `provider` its configured name.

    The message is for an operator: it says what failed and what to do, and holds neither speech
    content nor secrets. `retry_after_s` is what the service asked for; None: it did not say.
    """

    def __init__(
        self,
        role: str,
        provider: str,
        message: str,
        *,
        failure: Failure = Failure.INTERNAL,
        region: str | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        where = f" in {region}" if region else ""
        which = f" (request {request_id})" if request_id else ""
        super().__init__(f"{role} provider {provider!r}{where}: {message}{which}")
        self.role = role
        self.provider = provider
        self.failure = failure
        self.retry_after_s = retry_after_s
