"""The emulated ElevenLabs as an application."""

from aiohttp import web
from aiohttp.typedefs import Handler

from speakback.emulators.elevenlabs.errors import RefusedError
from speakback.emulators.elevenlabs.http_account import account_routes
from speakback.emulators.elevenlabs.http_answers import refusal_response
from speakback.emulators.elevenlabs.http_speech import speech_routes
from speakback.emulators.elevenlabs.options import ElevenLabsOptions
from speakback.emulators.elevenlabs.service import Service
from speakback.emulators.elevenlabs.upgrades import socket_routes

MOST_BODY_BYTES = 2**20
SERVICE: web.AppKey[Service] = web.AppKey("elevenlabs", Service)
"""What the application's account has come to, for who wants to look."""


def elevenlabs_app(options: ElevenLabsOptions) -> web.Application:
    """Text-to-speech and dialogue sockets, speech over HTTP, and the account; see docs/providers.md."""
    service = Service(options)

    @web.middleware
    async def refusing(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RefusedError as refused:
            return refusal_response(service, refused.refusal, service.chance(service.name("refusal")))

    app = web.Application(middlewares=[refusing], client_max_size=MOST_BODY_BYTES)
    app[SERVICE] = service
    app.add_routes([*socket_routes(service), *speech_routes(service), *account_routes(service)])
    return app
