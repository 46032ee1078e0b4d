"""The routes of the drawer: the form as it stands, and what becomes of it when somebody changes it."""

import json
from urllib.parse import parse_qsl

from aiohttp import web

from speakback.gateway.app import Addition
from speakback.web.choices import Choices, voice_title
from speakback.web.drawer import ON, Drawer, drawn, slider_field, untouched
from speakback.web.routes import html
from speakback.web.sliders import written

CHOSEN = "speakback:choices"
"""The event that view/drawer.js waits for; its detail is `{"session": a patch of session.update}`."""
HEADER = "HX-Trigger-After-Settle"
"""htmx lets the event happen once the form stands in the page: what the session refuses is shown in it."""
MOST_BYTES = 16_384
"""Of a form; this one has a few hundred."""

CHOICES: web.AppKey[Choices] = web.AppKey("choices", Choices)


def drawer_routes(choices: Choices) -> Addition:
    """Adds the drawer to an application that has the page's routes."""

    def add(app: web.Application) -> None:
        app[CHOICES] = choices
        app.add_routes([web.get("/web/choices", _show), web.post("/web/choices", _choose)])

    return add


async def _show(request: web.Request) -> web.Response:
    """The form as the server has it."""
    choices = request.app[CHOICES]
    return _form(request, "drawer.html", drawn(untouched(choices), choices))


async def _choose(request: web.Request) -> web.Response:
    """The form again, with what is wrong beside its fields."""
    return _form(request, "_choices.html", drawn(await _fields(request), request.app[CHOICES]))


async def _fields(request: web.Request) -> dict[str, str]:
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > MOST_BYTES:
            raise web.HTTPRequestEntityTooLarge(MOST_BYTES, len(body))
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _form(request: web.Request, template: str, drawer: Drawer) -> web.Response:
    """Where nothing is wrong, what the form stands for travels in a header."""
    choices = request.app[CHOICES]
    words = {"slider_field": slider_field, "voice_title": voice_title, "written": written, "on": ON}
    response = html(request, template, choices=choices, drawer=drawer, **words)
    if drawer.patch is not None:
        response.headers[HEADER] = json.dumps({CHOSEN: {"session": drawer.patch}})
    return response
