"""The whole page, as `speakback serve` adds it to its application."""

from aiohttp import web

from speakback.config import Settings
from speakback.gateway.app import Addition
from speakback.gateway.realtime.session_view import Offer
from speakback.web.choices import choices_of
from speakback.web.drawer_routes import drawer_routes
from speakback.web.page import read_page
from speakback.web.routes import page_routes


def whole_page(settings: Settings, offer: Offer) -> Addition:
    """The page with its drawer. Blocks: it reads all files. Raises `OSError`."""
    choices = choices_of(settings, offer)
    asked_first = choices.role("llm").providers[0]
    page, drawer = page_routes(read_page(), asked_first.model), drawer_routes(choices)

    def add(app: web.Application) -> None:
        page(app)
        drawer(app)

    return add
