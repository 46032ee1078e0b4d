"""How a client that is turned away is answered over HTTP."""

from random import randint

from aiohttp import web

from speakback.gateway.admission import TurnedAway


def refused(refusal: TurnedAway) -> web.Response:
    """The answer, in the shape of OpenAI's errors. With 503 it says when to come again: also in its body, as
    `retry_after_s`, for scripts in web pages."""
    kind = "server_error" if refusal.status >= 500 else "invalid_request_error"
    error = {"type": kind, "code": refusal.code, "message": refusal.message, "param": None}
    if refusal.status == 503:
        wait_s = randint(*refusal.wait_s)
        body = {"error": error, "retry_after_s": wait_s}
        return web.json_response(body, status=503, headers={"Retry-After": str(wait_s)})
    headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {}
    return web.json_response({"error": error}, status=refusal.status, headers=headers)
