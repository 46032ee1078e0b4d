"""The HTTP and WebSocket application: who is let in, and the few plain pages."""

import secrets

import structlog
from aiohttp import WSCloseCode, hdrs, web
from aiohttp.typedefs import Handler

from speakback.gateway.admission import RETRY_AFTER_S, Knock, NoRoom, TurnedAway, turned_away
from speakback.gateway.auth import REALTIME_SUBPROTOCOL, offered_subprotocols
from speakback.gateway.connection import CLOSE_TIMEOUT_S, Connection
from speakback.gateway.conversation import OpenConversation
from speakback.gateway.page import connect_page
from speakback.gateway.realtime.codec import RealtimeCodec
from speakback.gateway.realtime.session_view import first_view
from speakback.gateway.service import Service
from speakback.gateway.tally import tally_into
from speakback.observe.correlation import CORRELATION_HEADER, correlation_id_from
from speakback.observe.logging import bind_session
from speakback.observe.metrics import CONTENT_TYPE

HEARTBEAT_S = 20.0
"""A client that answers no ping for half of this long after one is gone."""

SERVICE: web.AppKey[Service] = web.AppKey("service", Service)
_CORRELATION_ID: web.RequestKey[str] = web.RequestKey("correlation_id", str)

log = structlog.get_logger(__name__)


def create_app(service: Service) -> web.Application:
    """The application of one server."""
    app = web.Application(middlewares=[_correlated])
    app[SERVICE] = service
    app.add_routes(
        [
            web.get("/", _page),
            web.get("/healthz", _healthz),
            web.get("/readyz", _readyz),
            web.get("/metrics", _metrics),
            web.get("/v1/realtime", _realtime),
        ]
    )
    app.on_shutdown.append(_leave)
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
    app[SERVICE].leave(WSCloseCode.SERVICE_RESTART, "the server restarts; connect again after a few seconds")


# ---- plain pages ------------------------------------------------------------------------------


async def _page(request: web.Request) -> web.Response:
    terms = request.app[SERVICE].terms
    try:
        origin = str(request.url.origin())
    except ValueError:
        raise web.HTTPBadRequest(text="the Host header of this request is not a host") from None
    page = connect_page(origin, needs_key=not terms.keys.is_open, model=terms.offer.model)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return web.Response(text=page, content_type="text/html", headers={"Content-Security-Policy": policy})


async def _healthz(request: web.Request) -> web.Response:
    """Alive: the event loop answers."""
    return web.json_response({"status": "alive"})


async def _readyz(request: web.Request) -> web.Response:
    """Whether a session would be let in now, and if not, for want of what."""
    service = request.app[SERVICE]
    seats = service.seats
    state = {
        "ready": service.is_ready,
        "engines": "loading" if service.open_conversation is None else "warm",
        "leaving": service.is_leaving,
        "sessions": seats.taken,
        "max_sessions": seats.total,
    }
    return web.json_response(state, status=200 if service.is_ready else 503)


async def _metrics(request: web.Request) -> web.Response:
    """For Prometheus; like a session it needs a key where the server has any."""
    service = request.app[SERVICE]
    refusal = turned_away(_knock(request), service.terms.keys)
    if refusal is not None:
        return _answer(refusal)
    service.metrics.sessions_are(service.seats.taken)
    return web.Response(body=service.metrics.exposition(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})


# ---- sessions ---------------------------------------------------------------------------------


async def _realtime(request: web.Request) -> web.StreamResponse:
    service = request.app[SERVICE]
    refusal = turned_away(_knock(request), service.terms.keys)
    if refusal is not None:
        return _answer(refusal)
    if not service.is_ready or service.open_conversation is None:
        return _answer(TurnedAway(503, "not_ready", "the server is not ready; try again soon"))
    try:
        with service.seats.seat():
            return await _hold_session(request, service, service.open_conversation)
    except NoRoom:
        return _answer(TurnedAway(503, "too_many_sessions", "all sessions of this server are taken; try again soon"))


def _knock(request: web.Request) -> Knock:
    headers = request.headers
    return Knock(
        authorization=headers.get(hdrs.AUTHORIZATION),
        subprotocols=headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL),
        origin=headers.get(hdrs.ORIGIN),
        host=headers.get(hdrs.HOST),
    )


async def _hold_session(
    request: web.Request, service: Service, open_conversation: OpenConversation
) -> web.StreamResponse:
    terms = service.terms
    socket = web.WebSocketResponse(
        # No text decoding: what is not UTF-8 is answered with an event like any other unreadable message.
        decode_text=False,
        # Compression only costs on audio, and without it the limit below is on what is really received.
        compress=False,
        # aiohttp refuses a message of this size and above, we only above.
        max_msg_size=terms.limits.max_message_bytes + 1,
        heartbeat=HEARTBEAT_S,
        timeout=CLOSE_TIMEOUT_S,
        protocols=(REALTIME_SUBPROTOCOL,) if offered_subprotocols(request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL))
        else (),
    )  # fmt: skip
    correlation_id = request[_CORRELATION_ID]
    socket.headers[CORRELATION_HEADER] = correlation_id
    await socket.prepare(request)
    transport = request.transport
    if transport is None:
        return socket  # the client left during the upgrade
    session_id = f"sess_{secrets.token_hex(8)}"
    with bind_session(session_id, correlation_id):
        view = first_view(terms.offer)
        conversation = open_conversation(view.settings, session_id, correlation_id)
        codec = RealtimeCodec(conversation, view, session_id=session_id, correlation_id=correlation_id)
        tally = tally_into(service.metrics)
        connection = Connection(socket, transport, conversation, codec, terms.limits, tally)
        log.info("session began")
        with service.connected(connection):
            await connection.run()
    return socket


def _answer(refusal: TurnedAway) -> web.Response:
    kind = "server_error" if refusal.status >= 500 else "invalid_request_error"
    body = {"error": {"type": kind, "code": refusal.code, "message": refusal.message, "param": None}}
    headers = {}
    if refusal.status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    elif refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return web.json_response(body, status=refusal.status, headers=headers)
