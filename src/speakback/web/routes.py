"""The page's routes: the page itself, its static files, and the tokens with which it opens its sockets."""

import gzip
from dataclasses import replace

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from speakback.gateway.admission import (
    NOT_READY,
    ORIGIN_REFUSED,
    PAGE_TOKENS_UNAVAILABLE,
    Knock,
    TurnedAway,
    turned_away,
    turned_away_for,
)
from speakback.gateway.answers import refused
from speakback.gateway.app import SERVICE, SOCKET_PATH, Addition, knock_of
from speakback.gateway.page_tokens import LIVES_S
from speakback.gateway.resume.store import StoreUnavailable
from speakback.gateway.resume.tokens import owner_of
from speakback.gateway.service import Service
from speakback.web.assets import takes_gzip
from speakback.web.headers import EVERY_ANSWER, IMMUTABLE, NOT_KEPT, is_host, page_headers
from speakback.web.page import Page

RESUMING_HEADER = "Speakback-Resuming"
"""`true` from a page that holds a resume token: it is let in like anyone who comes back."""
GZIP_LEVEL = 6

PAGE: web.AppKey[Page] = web.AppKey("page", Page)
_MODEL: web.AppKey[str] = web.AppKey("model", str)

log = structlog.get_logger(__name__)


def page_routes(page: Page, model: str) -> Addition:
    """Adds the page to a server's application; `model` is what people are told of the language model."""

    def add(app: web.Application) -> None:
        app[PAGE], app[_MODEL] = page, model
        app.middlewares.append(_let_in)
        app.on_response_prepare.append(_guard)
        app.add_routes(
            [
                web.get("/", _index),
                web.get("/connect", _connect),
                web.get("/static/{version}/{path:.+}", _static),
                web.post("/web/token", _token),
            ]
        )

    return add


@web.middleware
async def _let_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What is under `/web/` is for pages that might have a session, by their origin and, where there are any, a key."""
    if request.path.startswith("/web/"):
        knock = _knock_of_page(request)
        refusal = ORIGIN_REFUSED if knock.origin is None else turned_away(knock, request.app[SERVICE].terms.keys)
        if refusal is not None:
            return refused(refusal)
    return await handler(request)


def _knock_of_page(request: web.Request) -> Knock:
    """What a page's request says of it. A browser that gets something of the page's own server names no origin: that is
    where the Host is."""
    knock = knock_of(request)
    if knock.origin is None and knock.host is not None and request.method in ("GET", "HEAD"):
        return replace(knock, origin=f"http://{knock.host}")
    return knock


async def _guard(request: web.Request, response: web.StreamResponse) -> None:
    """Refusals and errors, too, and whatever else this server answers."""
    response.headers.update(EVERY_ANSWER)


# ---- pages ------------------------------------------------------------------------------------


async def _index(request: web.Request) -> web.Response:
    terms = request.app[SERVICE].terms
    model, strategy = request.app[_MODEL], terms.offer.strategy
    return html(request, "index.html", needs_key=not terms.keys.is_open, model=model, strategy=strategy)


async def _connect(request: web.Request) -> web.Response:
    """How programs connect, with this server's address as the browser knows it."""
    terms = request.app[SERVICE].terms
    is_behind_tls = request.headers.get(hdrs.X_FORWARDED_PROTO) == "https"  # shown, and nothing depends on it
    origin = f"{'https' if is_behind_tls else request.scheme}://{_host_of(request)}"
    return html(
        request,
        "connect.html",
        origin=origin,
        websocket=f"ws{origin.removeprefix('http')}{SOCKET_PATH}",
        needs_key=not terms.keys.is_open,
        model=terms.offer.model,
    )


def html(request: web.Request, template: str, **context: object) -> web.Response:
    """An answer of that template, with the headers of a page. Raises `HTTPBadRequest` where the Host is none."""
    host = _host_of(request)
    body = request.app[PAGE].render(template, **context).encode()
    headers = dict(page_headers(host))
    if takes_gzip(request.headers.get(hdrs.ACCEPT_ENCODING)):
        body = gzip.compress(body, GZIP_LEVEL, mtime=0)
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    return web.Response(body=body, content_type="text/html", charset="utf-8", headers=headers)


def _host_of(request: web.Request) -> str:
    host = request.headers.get(hdrs.HOST)
    if host is None or not is_host(host):
        raise web.HTTPBadRequest(text="the Host header of this request is not a host")
    return host


async def _static(request: web.Request) -> web.Response:
    """A file of any version: a page that was loaded before a restart gets what there is now, and keeps it not."""
    assets = request.app[PAGE].assets
    asset = assets.by_path.get(request.match_info["path"])
    if asset is None:
        raise web.HTTPNotFound
    is_this_version = request.match_info["version"] == assets.version
    headers = {
        hdrs.CONTENT_TYPE: asset.content_type,
        hdrs.CACHE_CONTROL: IMMUTABLE if is_this_version else NOT_KEPT,
        hdrs.VARY: hdrs.ACCEPT_ENCODING,
    }
    body = asset.plain
    if asset.gzipped is not None and takes_gzip(request.headers.get(hdrs.ACCEPT_ENCODING)):
        body = asset.gzipped
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    return web.Response(body=body, headers=headers)


# ---- tokens -----------------------------------------------------------------------------------


async def _token(request: web.Request) -> web.Response:
    """A token for one socket of this page, or why it would not be let in now: a browser cannot read the answer to a
    socket that was refused."""
    service, knock = request.app[SERVICE], knock_of(request)
    assert knock.origin is not None, "_let_in sees to it"
    refusal = _no_room(service, comes_back=request.headers.get(RESUMING_HEADER) == "true")
    if refusal is not None:
        return refused(refusal)
    owner = owner_of(service.terms.keys, knock.authorization, knock.subprotocols)
    try:
        token = await service.page_tokens.give(knock.origin, owner)
    except StoreUnavailable as problem:
        log.warning("a page token could not be given", reason=str(problem))
        return refused(PAGE_TOKENS_UNAVAILABLE)
    body = {"token": token, "expires_in_s": round(LIVES_S), "socket": SOCKET_PATH}
    return web.json_response(body, headers={hdrs.CACHE_CONTROL: NOT_KEPT})


def _no_room(service: Service, *, comes_back: bool) -> TurnedAway | None:
    """Why a socket would be turned away now. Nothing is taken."""
    if not service.is_ready:
        return NOT_READY
    reason = service.seats.why_full(comes_back=comes_back)
    if reason is None:
        return None
    service.metrics.refused(reason)
    return turned_away_for(reason)
