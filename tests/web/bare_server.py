"""A server of the page's files and of as much of the protocol as a test says, message by message."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from aiohttp import WSMsgType, web
from numpy.typing import NDArray

from speakback.gateway.binary import AudioFrame, Kind, pack, unpack
from speakback.web.page import Page as Site

Event = dict[str, object]
MESSAGE_SAMPLES = 960


@dataclass
class Connection:
    """One socket of the page, from the server's side."""

    request: web.Request
    socket: web.WebSocketResponse
    offered: list[str]
    """Its subprotocols."""
    events: list[Event] = field(default_factory=list)
    pcm: bytearray = field(default_factory=bytearray)
    sequences: list[int] = field(default_factory=list)
    close_code: int | None = None
    _sent: int = 0
    _numbered: int = 0
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    reading: "asyncio.Task[None] | None" = None
    _closing: "asyncio.Task[bool] | None" = None

    async def serve(self, reading: "asyncio.Task[None]") -> None:
        """Until the page has left, or was closed from here."""
        try:
            await asyncio.wait([reading])
        finally:
            reading.cancel()
        await (reading if self._closing is None else self._closing)

    async def close(self, code: int) -> None:
        """End it in order, with the page's answer."""
        self._closing = asyncio.create_task(self._close(code))
        await self._closing

    async def _close(self, code: int) -> bool:
        assert self.reading is not None
        self.reading.cancel()  # aiohttp waits for no answer while somebody reads: then audio that is unread
        await asyncio.wait([self.reading])  # resets the line, and the page hears of no goodbye
        return await self.socket.close(code=code)

    async def read(self, answer: Callable[["Connection", Event], "asyncio.Task[None] | None"]) -> None:
        async for message in self.socket:
            async with self._news:
                if message.type is WSMsgType.BINARY:
                    frame = unpack(message.data)
                    self.sequences.append(frame.sequence)
                    self.pcm += frame.pcm16
                elif message.type is WSMsgType.TEXT:
                    self.events.append(json.loads(message.data))
                    answer(self, self.events[-1])
                self._news.notify_all()
        async with self._news:
            self.close_code = self.socket.close_code or 1006
            self._news.notify_all()

    async def tell(self, kind: str, **fields: object) -> None:
        self._numbered += 1
        await self.socket.send_str(json.dumps({"event_id": f"event_{self._numbered}", "type": kind, **fields}))

    async def begin(self, item_id: str, response_id: str = "resp_1") -> None:
        """The reply, and its item's audio."""
        await self.tell("response.created", response={"id": response_id, "status": "in_progress"})
        await self.tell(
            "speakback.audio_begin", response_id=response_id, item_id=item_id, output_index=0, content_index=0,
            format={"type": "audio/pcm", "rate": 24000}, channel=0, first_sequence=self._sent,
        )  # fmt: skip

    async def audio(self, pcm16: NDArray[np.int16]) -> None:
        """Agent audio, in messages of 40 ms, as fast as the socket takes them."""
        for at in range(0, len(pcm16), MESSAGE_SAMPLES):
            data = pcm16[at : at + MESSAGE_SAMPLES].tobytes()
            await self.socket.send_bytes(pack(AudioFrame(Kind.AGENT_AUDIO, self._sent, data)))
            self._sent += 1

    async def end(self, item_id: str, response_id: str = "resp_1", status: str = "completed") -> None:
        await self.tell("response.output_audio.done", response_id=response_id, item_id=item_id)
        await self.tell("response.done", response={"id": response_id, "status": status})

    async def until(self, holds: Callable[["Connection"], object]) -> None:
        """Wait until that is so of what the page sent, or its end."""
        async with self._news:
            await self._news.wait_for(lambda: holds(self))

    def break_off(self) -> None:
        """Without a word, as a line breaks."""
        if self.request.transport is not None:
            self.request.transport.abort()

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["type"] == kind]


@dataclass
class BareServer:
    """Lets everybody in, sets the session up, answers pings, and says nothing else."""

    site: Site
    port: int = 0
    connections: list[Connection] = field(default_factory=list)
    refusals: list[web.Response] = field(default_factory=list)
    """The next answers to those who want a token, one each."""
    sockets_refused: int = 0
    """So many sockets are not let in, from now on."""
    token_headers: list[dict[str, str]] = field(default_factory=list)
    heard_ms: int | None = None
    """Connections that come with a resume token are taken up, with so much heard; None: they are not let in."""
    updates_refused: int = 0
    _runner: web.AppRunner | None = None
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application()
        app.add_routes(
            [
                web.get("/connect", self._page),
                web.get("/favicon.ico", self._page),
                web.get("/static/{version}/{path:.+}", self._static),
                web.post("/web/token", self._token),
                web.get("/v1/realtime", self._socket),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """End it as a crash would: no socket is closed in order."""
        for connection in self.connections:
            connection.break_off()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def connection(self, number: int = 0) -> Connection:
        """That connection, counted from the first; waits for it."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.connections) > number)
        return self.connections[number]

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>bare</title>", content_type="text/html")

    async def _static(self, request: web.Request) -> web.Response:
        asset = self.site.assets.by_path[request.match_info["path"]]
        return web.Response(body=asset.plain, headers={"Content-Type": asset.content_type})

    async def _token(self, request: web.Request) -> web.Response:
        self.token_headers.append(dict(request.headers))
        if self.refusals:
            return self.refusals.pop(0)
        return web.json_response({"token": f"t{len(self.token_headers)}", "expires_in_s": 60, "socket": "/v1/realtime"})

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        resumes = any(name.startswith("speakback-resume.") for name in offered)
        if self.sockets_refused > 0 or (resumes and self.heard_ms is None):
            self.sockets_refused = max(self.sockets_refused - 1, 0)
            return web.json_response({"error": {"code": "page_token_invalid"}}, status=410 if resumes else 401)
        socket = web.WebSocketResponse(protocols=("realtime",), compress=False)
        await socket.prepare(request)
        connection = Connection(request, socket, offered)
        await connection.tell("session.created", session={"id": "sess_1"})
        if resumes:
            await connection.tell("speakback.resumed", items=1, owes_reply=False, heard_ms=self.heard_ms)
        await connection.tell("speakback.resume_token", token=f"r{len(self.connections)}", expires_in_s=120)
        connection.reading = asyncio.create_task(connection.read(self._answer))
        async with self._arrived:
            self.connections.append(connection)
            self._arrived.notify_all()
        await connection.serve(connection.reading)
        return socket

    def _answer(self, connection: Connection, event: Event) -> "asyncio.Task[None] | None":
        telling = None
        if event["type"] == "session.update" and self.updates_refused > 0:
            self.updates_refused -= 1
            error = {"type": "invalid_request_error", "code": "invalid_value", "message": "no such voice",
                     "param": "session.audio.output.voice", "event_id": event["event_id"]}  # fmt: skip
            telling = connection.tell("error", error=error)
        elif event["type"] == "session.update":
            telling = connection.tell("session.updated", session=event["session"])
        elif event["type"] == "speakback.ping":
            telling = connection.tell("speakback.pong", sent_ms=event["sent_ms"], audio_ms=0, loop_lag_ms=1.0)
        if telling is None:
            return None
        task = asyncio.create_task(telling)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


@asynccontextmanager
async def bare_server(site: Site) -> AsyncIterator[BareServer]:
    server = BareServer(site)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
