"""The emulated service: its addresses, its key, and what befalls a request before it is read."""

from collections import Counter
from collections.abc import Awaitable, Callable
from hmac import compare_digest
from random import Random

from aiohttp import web
from aiohttp.typedefs import Handler

from speakback.emulators.groq.call import DEV_KEY, MOST_UPLOAD_BYTES, Call, GroqOptions
from speakback.emulators.groq.chat import chat
from speakback.emulators.groq.errors import GroqError, bad_key, server_error, unknown_model, unknown_url
from speakback.emulators.groq.models import found
from speakback.emulators.groq.rate_limits import RateLimits
from speakback.emulators.groq.transcriptions import transcribe
from speakback.emulators.groq.wire import REQUEST_ID, json_text, request_id
from speakback.providers.errors import ProviderError

__all__ = ["DEV_KEY", "PREFIX", "GroqOptions", "groq_app"]

PREFIX = "/openai/v1"

Answer = Callable[[Call, web.Request], Awaitable[web.StreamResponse]]


def groq_app(options: GroqOptions) -> web.Application:
    """The service, for `serving`. One application is one organisation: its rate limits are its own."""
    app = web.Application(middlewares=[_errors_of_the_router], client_max_size=MOST_UPLOAD_BYTES)
    limits = RateLimits(options.tier, options.organization)
    counted: Counter[str] = Counter()

    def answering(kind: str, answer: Answer) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            rng = Random(f"{options.seed}/groq/{kind}/{counted[kind]}")
            counted[kind] += 1
            call = Call(options, rng, request_id(rng), options.now_s(), limits)
            return await _answer(call, request, answer)

        return handle

    app.router.add_post(f"{PREFIX}/audio/transcriptions", answering("transcription", transcribe))
    app.router.add_post(f"{PREFIX}/chat/completions", answering("chat", chat))
    app.router.add_get(f"{PREFIX}/models", answering("models", _models))
    app.router.add_get(PREFIX + "/models/{id:.+}", answering("models", _model))
    return app


async def _answer(call: Call, request: web.Request, answer: Answer) -> web.StreamResponse:
    try:
        _check_key(request, call.options)
        return await answer(call, request)
    except GroqError as error:
        refusal = error
    except ProviderError:  # of a model behind the emulator
        refusal = server_error()
    await call.until(0)
    return refusal.response(call.request_id)


def _check_key(request: web.Request, options: GroqOptions) -> None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    known = any(compare_digest(key.strip().encode(), one.encode()) for one in options.keys)
    if scheme.lower() != "bearer" or not known:
        raise bad_key()


async def _models(call: Call, request: web.Request) -> web.StreamResponse:
    await call.until(0)
    body = {"object": "list", "data": [model.wire() for model in call.options.models]}
    return web.json_response(text=json_text(body), headers={REQUEST_ID: call.request_id})


async def _model(call: Call, request: web.Request) -> web.StreamResponse:
    model_id = request.match_info["id"]
    model = found(call.options.models, model_id)
    if model is None:
        raise unknown_model(model_id)
    await call.until(0)
    return web.json_response(text=json_text(model.wire()), headers={REQUEST_ID: call.request_id})


@web.middleware
async def _errors_of_the_router(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Unknown addresses and bodies that are too large, in the service's words."""
    try:
        return await handler(request)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        error = unknown_url(request.method, request.path)
    except web.HTTPRequestEntityTooLarge:
        error = GroqError(413, "Request Entity Too Large", code="request_too_large")
    return error.response("req_01" + "0" * 24)
