"""The HTTP and WebSocket application: who is let in, and what there is besides the sockets."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TypeAlias

import structlog
from aiohttp import WSCloseCode, hdrs, web
from aiohttp.typedefs import Handler

from speakback.gateway.admission import (
    NOT_READY,
    PAGE_TOKEN_REFUSED,
    PAGE_TOKENS_UNAVAILABLE,
    Knock,
    TurnedAway,
    page_turned_away,
    turned_away,
    turned_away_for,
)
from speakback.gateway.answers import refused
from speakback.gateway.auth import REALTIME_SUBPROTOCOL, offered_subprotocols
from speakback.gateway.connection import CLOSE_TIMEOUT_S, Connection, Limits
from speakback.gateway.conversation import Conversation, OpenConversation
from speakback.gateway.drain import REASON
from speakback.gateway.page_tokens import presented_page_token
from speakback.gateway.realtime.codec import RealtimeCodec
from speakback.gateway.realtime.kept_view import restored
from speakback.gateway.realtime.refusal import Refusal
from speakback.gateway.realtime.session_view import first_view
from speakback.gateway.resume.arriving import NOT_TAKEN_UP, Visitor, coming_in
from speakback.gateway.resume.coming import Coming
from speakback.gateway.resume.store import StoreUnavailable
from speakback.gateway.resume.tokens import HEADER as RESUME_HEADER
from speakback.gateway.resume.tokens import owner_of, presented_token
from speakback.gateway.seats import NoRoom
from speakback.gateway.service import Service
from speakback.gateway.tally import tally_into
from speakback.observe.correlation import CORRELATION_HEADER, correlation_id_from
from speakback.observe.logging import bind_session
from speakback.observe.metrics import CONTENT_TYPE
from speakback.providers.chain.entry import UnknownPin

SOCKET_PATH = "/v1/realtime"
HEARTBEAT_S = 20.0
"""A client that answers no ping for half of this long after one is gone."""

SERVICE: web.AppKey[Service] = web.AppKey("service", Service)
_CORRELATION_ID: web.RequestKey[str] = web.RequestKey("correlation_id", str)
_Socket: TypeAlias = "web.WebSocketResponse[bool]"
Addition: TypeAlias = Callable[[web.Application], None]
"""Adds routes of another room to the application, before it serves anyone; they find its `SERVICE`."""

log = structlog.get_logger(__name__)


def nothing_more(app: web.Application) -> None:
    """The `Addition` that adds nothing."""


def create_app(service: Service, add: Addition = nothing_more) -> web.Application:
    """The application of one server."""
    app = web.Application(middlewares=[_correlated])
    app[SERVICE] = service
    app.add_routes(
        [
            web.get("/healthz", _healthz),
            web.get("/readyz", _readyz),
            web.get("/metrics", _metrics),
            web.get(SOCKET_PATH, _realtime),
        ]
    )
    app.cleanup_ctx.append(_watched)
    app.on_shutdown.append(_leave)
    add(app)
    return app


@web.middleware
async def _correlated(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer names the correlation id that its log lines carry."""
    request[_CORRELATION_ID] = correlation_id_from(request.headers)
    try:
        response = await handler(request)
    except web.HTTPException as refusal:
        refusal.headers[CORRELATION_HEADER] = request[_CORRELATION_ID]
        raise
    if not response.prepared:
        response.headers[CORRELATION_HEADER] = request[_CORRELATION_ID]
    return response


async def _leave(app: web.Application) -> None:
    app[SERVICE].leave(WSCloseCode.SERVICE_RESTART, REASON)


async def _watched(app: web.Application) -> AsyncIterator[None]:
    service = app[SERVICE]
    async with service.watch.running(service.load_is):
        yield


# ---- for operators ------------------------------------------------------------------------------


async def _healthz(request: web.Request) -> web.Response:
    """Alive: the event loop answers."""
    return web.json_response({"status": "alive"})


async def _readyz(request: web.Request) -> web.Response:
    """Whether a session would be let in now, and if not, for want of what."""
    service = request.app[SERVICE]
    seats = service.seats
    full = seats.why_full()
    ready = service.is_ready and full is None
    state = {
        "ready": ready,
        "engines": "loading" if service.open_conversation is None else "warm",
        "leaving": service.is_leaving,
        "full": full,
        "sessions": seats.taken,
        "max_sessions": seats.total,
    }
    return web.json_response(state, status=200 if ready else 503)


async def _metrics(request: web.Request) -> web.Response:
    """For Prometheus; like a session it needs a key where the server has any."""
    service = request.app[SERVICE]
    refusal = turned_away(knock_of(request), service.terms.keys)
    if refusal is not None:
        return refused(refusal)
    service.metrics.sessions_are(service.seats.taken)
    await service.watch.publish()
    # To write them out takes milliseconds, and reads files.
    exposition = await asyncio.to_thread(service.metrics.exposition)
    return web.Response(body=exposition, headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})


# ---- sessions ---------------------------------------------------------------------------------


async def _realtime(request: web.Request) -> web.StreamResponse:
    service = request.app[SERVICE]
    visitor = await _visitor(request, service)
    if isinstance(visitor, TurnedAway):
        return refused(visitor)
    if not service.is_ready or service.open_conversation is None:
        return refused(NOT_READY)
    try:
        with service.seats.seat(comes_back=visitor.token is not None) as seat, service.guest():
            response = await _hold_session(request, service, service.open_conversation, visitor)
            if not isinstance(response, web.WebSocketResponse):
                seat.turned_away()
            return response
    except NoRoom as full:
        service.metrics.refused(full.reason)
        return refused(turned_away_for(full.reason))


def knock_of(request: web.Request) -> Knock:
    """What the request says of who sends it."""
    headers = request.headers
    return Knock(
        authorization=headers.get(hdrs.AUTHORIZATION),
        subprotocols=headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL),
        origin=headers.get(hdrs.ORIGIN),
        host=headers.get(hdrs.HOST),
    )


async def _visitor(request: web.Request, service: Service) -> Visitor | TurnedAway:
    """Who comes by a key, or by a page token where it presents one: that alone decides then, and is used up."""
    knock, keys = knock_of(request), service.terms.keys
    page_token = presented_page_token(knock.subprotocols)
    refusal = turned_away(knock, keys) if page_token is None else page_turned_away(knock, keys)
    if refusal is not None:
        return refusal
    if page_token is None:
        owner: str | TurnedAway = owner_of(keys, knock.authorization, knock.subprotocols)
    else:
        assert knock.origin is not None, "page_turned_away sees to it"
        owner = await _page_owner(service, page_token, knock.origin)
    if isinstance(owner, TurnedAway):
        return owner
    return Visitor(owner, presented_token(request.headers.get(RESUME_HEADER), knock.subprotocols))


async def _page_owner(service: Service, page_token: str, origin: str) -> str | TurnedAway:
    try:
        owner = await service.page_tokens.take(page_token, origin)
    except StoreUnavailable as problem:
        log.warning("a page token could not be taken", reason=str(problem))
        return PAGE_TOKENS_UNAVAILABLE
    # Keys may have changed since it was given, by a server that was restarted.
    return owner if owner is not None and service.terms.keys.knows(owner) else PAGE_TOKEN_REFUSED


async def _hold_session(
    request: web.Request, service: Service, open_conversation: OpenConversation, visitor: Visitor
) -> web.StreamResponse:
    socket = _socket_for(request, service.terms.limits)
    if not socket.can_prepare(request).ok:
        await socket.prepare(request)  # raises: it is no upgrade, and no token is used up by it
    async with coming_in(service.resumption, visitor) as coming:
        if isinstance(coming, TurnedAway):
            return refused(coming)
        before = None if coming is None else coming.before
        session_id = f"sess_{secrets.token_hex(8)}" if before is None else before.session_id
        correlation_id = request[_CORRELATION_ID]
        with bind_session(session_id, correlation_id):
            began_s = perf_counter()
            try:
                view = first_view(service.terms.offer)
                if before is not None:
                    view = restored(service.terms.offer, before.client_settings)
                conversation = open_conversation(view.settings, session_id, correlation_id, before)
            except (Refusal, UnknownPin) as problem:
                log.warning("a conversation cannot go on here", reason=type(problem).__name__)
                return refused(NOT_TAKEN_UP)
            service.metrics.admitted(came_back=before is not None)
            codec = RealtimeCodec(
                conversation,
                view,
                session_id=session_id,
                correlation_id=correlation_id,
                loop_lag_ms=service.watch.worst_lag_ms,
            )
            service.metrics.joined(perf_counter() - began_s)
            await _hold(request, service, socket, _Opened(session_id, conversation, codec), coming)
    return socket


@dataclass(frozen=True, slots=True)
class _Opened:
    """A conversation before its connection."""

    session_id: str
    conversation: Conversation
    codec: RealtimeCodec


async def _hold(
    request: web.Request, service: Service, socket: _Socket, opened: _Opened, coming: Coming | None
) -> None:
    """The conversation, from the upgrade to the end of its connection."""
    transport: asyncio.Transport | None = None
    try:
        await socket.prepare(request)
        transport = request.transport
    finally:
        if transport is None:  # the client left meanwhile: nothing is left of a conversation that was not held
            opened.conversation.close()
            await opened.conversation.run()
    if transport is None:
        return
    conversation, tally = opened.conversation, tally_into(service.metrics)
    connection = Connection(socket, transport, conversation, opened.codec, service.terms.limits, tally, coming)
    came_back = coming is not None and coming.before is not None
    log.info("session resumed" if came_back else "session began")
    living = service.watch.population.session(opened.session_id, conversation, lambda: not transport.is_closing())
    with service.connected(connection), living:
        await connection.run()
    service.metrics.session_ended(socket.close_code)


def _socket_for(request: web.Request, limits: Limits) -> _Socket:
    offers_any = bool(offered_subprotocols(request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL)))
    socket = web.WebSocketResponse(
        # No text decoding: what is not UTF-8 is answered with an event like any other unreadable message.
        decode_text=False,
        # Compression only costs on audio, and without it the limit below is on what is really received.
        compress=False,
        # aiohttp refuses a message of this size and above, we only above.
        max_msg_size=limits.max_message_bytes + 1,
        heartbeat=HEARTBEAT_S,
        # Pings are answered like any other message, so that a flood of them has its fair share of the loop only.
        autoping=False,
        # A send waits whenever too much waits on the way, not only once in so many bytes.
        writer_limit=0,
        timeout=CLOSE_TIMEOUT_S,
        protocols=(REALTIME_SUBPROTOCOL,) if offers_any else (),
    )
    socket.headers[CORRELATION_HEADER] = request[_CORRELATION_ID]
    return socket
