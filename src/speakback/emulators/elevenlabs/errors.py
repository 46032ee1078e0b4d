"""What goes wrong, in the service's own words: error frames of sockets, and bodies of refused requests."""

import json
from dataclasses import dataclass, replace

CLOSE_REASON_BYTES = 123
"""A WebSocket close frame has no room for more."""
UNNAMED = "invalid_request"
"""Stands for error ids that nobody has seen.  # unverified -"""


@dataclass(frozen=True, slots=True)
class SocketError:
    """Sent as a frame, then as the reason of the close."""

    error: str
    message: str
    code: int = 1008

    def frame(self, has_param: bool) -> str:
        """As JSON; the dialogue sockets add `"param": null`."""
        body: dict[str, object] = {"message": self.message, "error": self.error, "code": self.code}
        if has_param:
            body["param"] = None
        return json.dumps(body)

    @property
    def close_reason(self) -> bytes:
        """The message, cut as the service cuts it; never in the midst of a character."""
        cut = self.message.encode()[:CLOSE_REASON_BYTES]
        return cut.decode(errors="ignore").encode()


INVALID_KEY = SocketError("invalid_api_key", "Invalid API key")
NO_KEY = SocketError(
    "authentication_required",
    "None of the authentication methods (xi-api-key, authorization header, single-use token) were found.",
)
"""The real message goes on; nobody has quoted the rest."""
SOMETHING_WENT_WRONG = SocketError(
    "internal_error", "We are sorry, something went wrong. You are not charged for this request."
)
"""The text was captured, the id was not."""
SETTINGS_CHANGED = SocketError(
    UNNAMED,
    "voice_settings field must be provided in the first message and then either be not provided or not change.",
)
TOO_MANY_CONTEXTS = SocketError(
    "max_active_conversations",
    "Maximum simultaneous contexts per WebSocket connection exceeded (5). "
    "Please close an existing context before opening a new one.",
)
TOO_MANY_DIALOGUES = SocketError(
    "too_many_contexts",
    "Maximum simultaneous contexts per connection exceeded (5). Close an existing context first.",
)
CONTEXT_CLOSING = SocketError("context_closing", "The context is closing and takes no more messages.")
NO_VOICES = SocketError(UNNAMED, "voices must be set in the first message.")
NO_CONTEXT_ID = SocketError(UNNAMED, "context_id is required.")
KEEP_ALIVE_UNREGISTERED = SocketError(UNNAMED, "keep_alive requires a registered context.")


def changed(field: str) -> SocketError:
    """A field that was repeated with another value on a text-to-speech socket."""
    return replace(SETTINGS_CHANGED, message=SETTINGS_CHANGED.message.replace("voice_settings", field))


def only_first(field: str) -> SocketError:
    """A field that was sent again on a dialogue socket."""
    return SocketError(UNNAMED, f"{field} can only be set in the first message.")


def unknown_voice(voice_id: str) -> SocketError:
    return SocketError("voice_id_does_not_exist", f"A voice with voice_id {voice_id} does not exist.")


def input_timeout(timeout_s: float) -> SocketError:
    return SocketError(
        "input_timeout_exceeded",
        f"Have not received a new text input within the timeout of {timeout_s} seconds. Streaming input terminated. "
        "Please make sure to either feed the input in the timely manner, or to send the end of input text "
        '(empty string "") when done.',
    )


def malformed(why: str, code: int) -> SocketError:
    """A message that cannot be read."""
    return SocketError(UNNAMED, why, code)


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a request, or the upgrade to a socket, is refused."""

    http_status: int
    type: str
    code: str
    status: str
    """The legacy identifier."""
    message: str
    param: str | None = None

    def body(self, request_id: str) -> dict[str, object]:
        """In the service's one shape for everything but 422."""
        detail = {"type": self.type, "code": self.code, "message": self.message, "param": self.param}
        return {"detail": {**detail, "status": self.status, "request_id": request_id}}

    def as_socket_error(self) -> SocketError:
        return SocketError(self.status, self.message)


class RefusedError(Exception):
    """A request, or the upgrade to a socket, is refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def wrong_model_for_speech(model_id: str) -> Refusal:
    message = (
        f"Model '{model_id}' is not supported on the text-to-speech websocket endpoint. "
        "Use the text-to-dialogue websocket endpoint instead."
    )
    return unsupported_model(message)


def unsupported_model(message: str) -> Refusal:
    return Refusal(400, "validation_error", "unsupported_model", "unsupported_model", message, "model_id")


def unknown_model(model_id: str) -> Refusal:
    return unsupported_model(f"A model with model_id '{model_id}' does not exist.")  # unverified -


def unsupported_language(model_id: str, language: str) -> Refusal:
    message = f"Model '{model_id}' does not support the language_code {language}."
    code = "unsupported_language"
    return Refusal(400, "validation_error", code, code, message, "language_code")


def bad_parameter(name: str, why: str) -> Refusal:
    """A query parameter whose value is none that it may have.  # unverified -"""
    return Refusal(400, "validation_error", "invalid_parameters", "invalid_parameters", f"{name}: {why}", name)


def gated_format(name: str, tier: str) -> Refusal:
    message = f"Output format '{name}' is only available on the {tier} tier and above."
    return Refusal(403, "authorization_error", "subscription_required", "output_format_not_allowed", message)


NO_DIALOGUE = Refusal(
    403, "authorization_error", "subscription_required", "feature_not_available", "Your plan has no text to dialogue."
)
BAD_KEY = Refusal(401, "authentication_error", "unauthorized", "invalid_api_key", "Invalid API key")
BAD_HEX_KEY = Refusal(400, "authentication_error", "invalid_api_key", "invalid_api_key", "Invalid API key")
KEY_MISSING = Refusal(401, "authentication_error", "unauthorized", "authentication_required", NO_KEY.message)
NO_PERMISSION = Refusal(
    401,
    "authentication_error",
    "unauthorized",
    "missing_permissions",
    "The API key you used is missing the permission to execute this operation.",
)
TOO_MANY_AT_ONCE = Refusal(
    429,
    "rate_limit_error",
    "concurrent_limit_exceeded",
    "too_many_concurrent_requests",
    "Too many concurrent requests. Your plan's limit is reached.",
)
TOO_MANY = Refusal(
    429, "rate_limit_error", "rate_limit_exceeded", "rate_limit_exceeded", "Too many requests. Try again later."
)
SYSTEM_BUSY = Refusal(
    429,
    "rate_limit_error",
    "system_busy",
    "system_busy",
    "Our services are experiencing high traffic. Please try again.",
)
SERVER_FAILED = Refusal(500, "internal_error", "internal_error", "internal_error", SOMETHING_WENT_WRONG.message)


def quota_exceeded(quota: int, remaining: int, required: int) -> Refusal:
    message = (
        f"This request exceeds your quota of {quota}. You have {remaining} credits remaining, "
        f"while {required} credits are required for this request."
    )
    return Refusal(401, "quota_error", "quota_exceeded", "quota_exceeded", message)


def voice_not_found(voice_id: str) -> Refusal:
    message = f"A voice with voice_id '{voice_id}' was not found."
    return Refusal(404, "not_found", "voice_not_found", "voice_not_found", message)


def text_too_long(length: int, most: int) -> Refusal:
    message = f"The text has {length} characters, but at most {most} are allowed in one request."
    return Refusal(400, "validation_error", "text_too_long", "max_character_limit_exceeded", message, "text")
