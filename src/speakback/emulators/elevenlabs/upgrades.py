"""The upgrade to a socket: refused with an HTTP answer, or done."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Literal

from aiohttp import web

from speakback.emulators.elevenlabs import errors
from speakback.emulators.elevenlabs.admission import Admission
from speakback.emulators.elevenlabs.catalogue import Model
from speakback.emulators.elevenlabs.dialogue_socket import DialogueSocket
from speakback.emulators.elevenlabs.errors import RefusedError, SocketError
from speakback.emulators.elevenlabs.http_answers import answer_headers, refuse_by_fault
from speakback.emulators.elevenlabs.line import Desk
from speakback.emulators.elevenlabs.multi_socket import MultiSocket
from speakback.emulators.elevenlabs.query import read_query
from speakback.emulators.elevenlabs.service import Service
from speakback.emulators.elevenlabs.single_socket import SingleSocket
from speakback.emulators.elevenlabs.wire import MOST_MESSAGE_BYTES, Wire, hold

Kind = Literal["speech", "dialogue"]


def socket_routes(service: Service) -> list[web.RouteDef]:
    """The four sockets."""
    upgrades = _Upgrades(service)
    return [
        web.get("/v1/text-to-speech/{voice_id}/stream-input", upgrades.single),
        web.get("/v1/text-to-speech/{voice_id}/multi-stream-input", upgrades.multi),
        web.get("/v1/text-to-dialogue/stream-input", upgrades.dialogue_single),
        web.get("/v1/text-to-dialogue/multi-stream-input", upgrades.dialogue_multi),
    ]


class _Upgrades:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def single(self, request: web.Request) -> web.StreamResponse:
        desk, admission, socket = await self._upgrade(request, "speech")
        await hold(desk.wire, SingleSocket(desk, admission, request.match_info["voice_id"]).work)
        return socket

    async def multi(self, request: web.Request) -> web.StreamResponse:
        desk, admission, socket = await self._upgrade(request, "speech")
        await hold(desk.wire, MultiSocket(desk, admission, request.match_info["voice_id"]).work)
        return socket

    async def dialogue_single(self, request: web.Request) -> web.StreamResponse:
        return await self._dialogue(request, has_contexts=False)

    async def dialogue_multi(self, request: web.Request) -> web.StreamResponse:
        return await self._dialogue(request, has_contexts=True)

    async def _dialogue(self, request: web.Request, *, has_contexts: bool) -> web.StreamResponse:
        with self._dialogue_session():
            desk, admission, socket = await self._upgrade(request, "dialogue")
            await hold(desk.wire, DialogueSocket(desk, admission, has_contexts=has_contexts).work)
        return socket

    @contextmanager
    def _dialogue_session(self) -> Iterator[None]:
        """A place in the pool, for the whole life of the socket. Raises `RefusedError` where there is none."""
        service = self._service
        if not service.options.has_dialogue:
            raise RefusedError(errors.NO_DIALOGUE)
        if service.dialogue_sessions >= service.options.guesses.dialogue_sessions:
            raise RefusedError(errors.TOO_MANY_AT_ONCE)
        service.dialogue_sessions += 1
        try:
            yield
        finally:
            service.dialogue_sessions -= 1

    async def _upgrade(self, request: web.Request, kind: Kind) -> tuple[Desk, Admission, web.WebSocketResponse]:
        service, options = self._service, self._service.options
        name = service.name(kind)
        rng = service.chance(f"{name}/upgrade")
        await asyncio.sleep((options.profile.connect.draw_ms(rng) + options.region_ms) / 1000)
        query = read_query(request.query, options, kind)
        late_error = await self._busy_error(query.model, kind, rng) or query.language_error
        socket = web.WebSocketResponse(max_msg_size=MOST_MESSAGE_BYTES, compress=False)
        socket.headers.update(answer_headers(service, rng, query.model))
        await socket.prepare(request)
        wire = Wire(
            request,
            socket,
            error_to_close_s=options.error_to_close_s,
            malformed_close_code=options.guesses.malformed_close_code,
            errors_have_param=kind == "dialogue",
        )
        return Desk(service, wire, query, name), Admission.of(request, service, late_error), socket

    async def _busy_error(self, model: Model, kind: Kind, rng: Random) -> SocketError | None:
        """What to say in a frame where the service is busy. Raises `RefusedError` where the upgrade says it."""
        options = self._service.options
        try:
            refuse_by_fault(options.faults, rng)
            if kind == "speech":
                await self._service.admit(model)
        except RefusedError as refused:
            if options.guesses.busy_at == "upgrade" or refused.refusal is errors.SERVER_FAILED:
                raise
            return refused.refusal.as_socket_error()
        return None
