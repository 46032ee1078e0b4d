"""The whole server with its page, in this process; conversations are scripted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp

from speakback.config.api_keys import key_hash
from speakback.gateway.auth import KeyRing
from speakback.gateway.connection import Limits
from speakback.gateway.conversation import Conversation
from speakback.gateway.service import Service, Terms
from speakback.gateway.serving import listening
from speakback.session.settings import SessionSettings
from speakback.session.snapshot import Snapshot
from speakback.web.page import Page
from speakback.web.routes import RESUMING_HEADER, page_routes
from tests.gateway.scripted import OFFER, ScriptedConversation

KEY, OTHER_KEY = "sk-sb-good", "sk-sb-other"
TERMS = Terms(OFFER, KeyRing(), Limits(), max_sessions=2)
KEYED = replace(TERMS, keys=KeyRing((key_hash(KEY), key_hash(OTHER_KEY))))


@dataclass
class Pages:
    """A server under test, asked as a browser that shows its page would ask."""

    address: str
    service: Service
    http: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> aiohttp.ClientResponse:
        """The answer, with its body as it was sent."""
        return await self.http.get(f"{self.address}{path}", headers=headers)

    async def ask_token(
        self, *, origin: str | None = "", key: str | None = None, resuming: bool = False
    ) -> aiohttp.ClientResponse:
        """The answer to a page that wants a token; where no origin is given, the server's own page."""
        headers = {} if origin is None else {"Origin": origin or self.address}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        if resuming:
            headers[RESUMING_HEADER] = "true"
        return await self.http.post(f"{self.address}/web/token", headers=headers)

    async def token(self, *, origin: str = "", key: str | None = None) -> str:
        answer = await self.ask_token(origin=origin, key=key)
        assert answer.status == 200, await answer.text()
        return str((await answer.json())["token"])

    async def connect(self, token: str, *offers: str, origin: str | None = "") -> aiohttp.ClientWebSocketResponse:
        """A page's socket. Raises `WSServerHandshakeError`."""
        return await self.http.ws_connect(
            f"{self.address}/v1/realtime",
            protocols=["realtime", f"speakback-page.{token}", *offers],
            origin=None if origin is None else origin or self.address,
        )

    async def refusal(self, token: str, origin: str | None = "") -> tuple[int, str]:
        """Status and code of the answer to a socket with this token that is not let in."""
        headers = {"Sec-WebSocket-Protocol": f"realtime, speakback-page.{token}"}
        if origin is not None:
            headers["Origin"] = origin or self.address
        answer = await self.http.get(f"{self.address}/v1/realtime", headers=headers)
        return answer.status, (await answer.json())["error"]["code"]


def _opened(
    settings: SessionSettings, session_id: str, correlation_id: str, resumed: Snapshot | None = None
) -> Conversation:
    return ScriptedConversation()


@asynccontextmanager
async def pages(site: Page, terms: Terms = TERMS, *, ready: bool = True) -> AsyncIterator[Pages]:
    """A server on a free port."""
    service = Service(terms)
    async with (
        listening(service, "127.0.0.1", 0, add=page_routes(site, terms.offer.model)) as address,
        aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=["Accept-Encoding"]) as http,
    ):
        if ready:
            service.become_ready(_opened)
        yield Pages(address, service, http)
