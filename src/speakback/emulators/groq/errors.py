"""What the service refuses, and in which words. Messages that were captured are quoted; the others are inferred."""

from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web

from speakback.emulators.groq.wire import REQUEST_ID, json_text

INVALID = "invalid_request_error"
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class GroqError(Exception):
    """An answer that is an error. `code` is left out of the body where it is None."""

    def __init__(
        self,
        status: int,
        message: str,
        error_type: str = INVALID,
        code: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.fields = {"message": message, "type": error_type} | ({"code": code} if code else {})

    def response(self, request_id: str) -> web.Response:
        """As it is sent."""
        headers = {REQUEST_ID: request_id, **self.headers}
        text = json_text({"error": self.fields})
        return web.Response(status=self.status, text=text, content_type="application/json", headers=headers)


def bad_key() -> GroqError:
    return GroqError(401, "Invalid API Key", code="invalid_api_key")


def unknown_model(model: str) -> GroqError:
    message = f"The model `{model}` does not exist or you do not have access to it."
    return GroqError(404, message, code="model_not_found")


def unsuited_model(model: str, what: str) -> GroqError:
    return GroqError(400, f"The model `{model}` does not support {what}")


def unknown_url(method: str, path: str) -> GroqError:
    message = (
        f"Unknown request URL: {method} {path}. Please check the URL for typos, "
        "or see the docs at https://console.groq.com/docs/"
    )
    return GroqError(404, message, code="unknown_url")


def server_error() -> GroqError:
    return GroqError(500, "Internal Server Error", "internal_server_error")


def over_capacity(*, is_flex: bool) -> GroqError:
    """498 is the flex tier's; on the others an overload is a 503."""
    if is_flex:
        return GroqError(
            498, "Flex tier capacity exceeded, please try again later", "capacity_exceeded", "capacity_exceeded"
        )
    return GroqError(503, "Service Unavailable", "internal_server_error", "service_unavailable")


def not_emulated(name: str) -> GroqError:
    """What the service may do and this emulator does not: said plainly, in words that are not the service's."""
    return GroqError(400, f"'{name}' : the emulator of this service does not do this")
