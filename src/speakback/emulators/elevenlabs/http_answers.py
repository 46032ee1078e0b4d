"""What all answers over HTTP have in common: headers, refusals, ways to break."""

from random import Random

from aiohttp import web

from speakback.emulators.elevenlabs import errors
from speakback.emulators.elevenlabs.catalogue import MODELS, Model
from speakback.emulators.elevenlabs.errors import Refusal, RefusedError
from speakback.emulators.elevenlabs.service import Service
from speakback.emulators.faults import Fault, Faults

_REFUSALS = {
    Fault.HTTP_429: errors.TOO_MANY,
    Fault.SYSTEM_BUSY: errors.SYSTEM_BUSY,
    Fault.SERVER_500: errors.SERVER_FAILED,
}


def refuse_by_fault(faults: Faults, rng: Random) -> None:
    """Raises `RefusedError` where a fault befalls a request or an upgrade."""
    fault = faults.strike(rng, *_REFUSALS)
    if fault is not None:
        raise RefusedError(_REFUSALS[fault])


def answer_headers(service: Service, rng: Random, model: Model | None = None) -> dict[str, str]:
    """Of any answer."""
    most = service.most_at_once(model or MODELS["eleven_flash_v2_5"])
    return {
        "request-id": f"{rng.getrandbits(128):032x}",
        "x-trace-id": f"{rng.getrandbits(128):032x}",
        "x-region": service.options.region,
        "server": "uvicorn",
        "current-concurrent-requests": str(service.generating_now),
        "maximum-concurrent-requests": str(most),
    }


def refusal_response(service: Service, refusal: Refusal, rng: Random) -> web.Response:
    """The refusal as an answer; its body names the same request as its header."""
    headers = answer_headers(service, rng)
    return web.json_response(refusal.body(headers["request-id"]), status=refusal.http_status, headers=headers)


def break_connection(request: web.Request) -> None:
    """Cut it. What the handler still gives goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
