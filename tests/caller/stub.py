"""A server that says what a test wants it to say, and notes what it is sent."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from speakback.audio.pcm import Samples, pcm16_from_samples


@dataclass
class Line:
    """The server's end of one call."""

    socket: web.WebSocketResponse
    received: list[dict[str, object]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, kind: str, **fields: object) -> None:
        await self.socket.send_str(json.dumps({"type": kind, **fields}))

    async def send_audio(self, audio_24k: Samples, item_id: str = "a1", response_id: str = "r1") -> None:
        delta = b64encode(pcm16_from_samples(audio_24k)).decode()
        await self.send("response.output_audio.delta", response_id=response_id, item_id=item_id, delta=delta)

    async def reply(self, audio_24k: Samples, text: str = "Hello.", response_id: str = "r1") -> None:
        """A whole reply, all at once."""
        item_id = f"of_{response_id}"
        await self.send("response.created", response={"id": response_id})
        await self.send_audio(audio_24k, item_id, response_id)
        output = [{"content": [{"transcript": text}]}]
        await self.send("response.done", response={"id": response_id, "status": "completed", "output": output})

    async def until(self, kind: str, count: int = 1) -> dict[str, object]:
        """The `count`th message of that kind."""
        while len(found := [message for message in self.received if message["type"] == kind]) < count:
            self.news.clear()
            await self.news.wait()
        return found[count - 1]

    async def read(self) -> None:
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                self.received.append(json.loads(message.data))
                self.news.set()


Script = Callable[[Line], Awaitable[None]]


async def no_more(line: Line) -> None:
    """Sets up the session and then only listens."""


@asynccontextmanager
async def stub_server(script: Script = no_more, *, key: str = "", greets: bool = True) -> AsyncIterator[str]:
    """The URL of a server that greets, sets up the session, and then follows `script`."""

    async def realtime(request: web.Request) -> web.StreamResponse:
        if key and request.headers.get("Authorization") != f"Bearer {key}":
            return web.Response(status=401)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        line = Line(socket)
        reading = asyncio.create_task(line.read())
        try:
            if greets:
                await line.send("session.created", session={})
                await line.until("session.update")
                await line.send("session.updated", session={"speakback": {"correlation_id": "corr-1"}})
            await script(line)
            await reading
        finally:
            reading.cancel()
        return socket

    app = web.Application()
    app.router.add_get("/v1/realtime", realtime)
    async with TestServer(app) as server:
        yield str(server.make_url("/v1/realtime")).replace("http", "ws", 1)
