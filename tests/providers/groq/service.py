"""A small server at Groq's addresses that answers as it is told, over a real socket; and a sound like a voice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from aiohttp import BodyPartReader, web
from aiohttp.test_utils import TestServer

from speakback.audio.pcm import Samples
from speakback.timebase import EAR_HZ

KEY = "gsk_VerySecret"

Answer: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def voice(seconds: float, level: float = 0.2) -> Samples:
    """Harmonics whose pitch goes up and down between 120 and 180 Hz."""
    time = np.arange(int(seconds * EAR_HZ)) / EAR_HZ
    pitch_hz = 150 + 30 * np.sin(2 * np.pi * 1.3 * time)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / EAR_HZ
    wave = np.sum([np.sin(harmonic * phase) / harmonic for harmonic in range(1, 12)], axis=0)
    scaled: Samples = (level * wave / np.abs(wave).max()).astype(np.float32)
    return scaled


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * EAR_HZ), np.float32)


@dataclass
class Service:
    """What was asked, in order. `answers` are given in turn, the last of them again and again."""

    answers: list[Answer]
    uploads: list[dict[str, list[str]]] = field(default_factory=list)
    files: list[tuple[str | None, str, bytes]] = field(default_factory=list)
    """Name, content type and content."""
    keys: list[str | None] = field(default_factory=list)
    ports: set[object] = field(default_factory=set)
    """The clients' ends of the connections."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    base_url: str = ""

    async def transcriptions(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("Authorization"))
        assert request.transport is not None
        self.ports.add(request.transport.get_extra_info("peername"))
        fields: dict[str, list[str]] = {}
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            content = bytes(await part.read())
            if part.name == "file":
                self.files.append((part.filename, part.headers["Content-Type"], content))
            else:
                fields.setdefault(str(part.name), []).append(content.decode())
        self.uploads.append(fields)
        self.asked.set()
        return await self._answer(request)

    async def models(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("Authorization"))
        return await self._answer(request)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        try:
            return await answer(request)
        except (asyncio.CancelledError, ConnectionResetError):
            self.hung_up.set()
            raise


@asynccontextmanager
async def listening(*answers: Answer) -> AsyncIterator[Service]:
    service = Service(list(answers))
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/openai/v1/audio/transcriptions", service.transcriptions)
    app.router.add_get("/openai/v1/models", service.models)
    async with TestServer(app) as server:
        await server.start_server(handler_cancellation=True)
        service.base_url = str(server.make_url("/openai/v1"))
        yield service


def says(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer; a text or bytes as they are, anything else as JSON."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if isinstance(body, str | bytes):
            return web.Response(body=body, status=status, headers=headers)
        return web.json_response(body, status=status, headers=headers)

    return answer


async def says_nothing(request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def stalls_in_the_body(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "500"})
    await response.prepare(request)
    await response.write(b'{"text": " Hello')
    await asyncio.Event().wait()
    return response


def says_only_the_head(headers: Mapping[str, str], *, then_closes: bool = False) -> Answer:
    """Headers and a first piece; then nothing more, or the end of the connection."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(b'{"text": " private')
        if then_closes and request.transport is not None:
            request.transport.close()
        await asyncio.Event().wait()
        return response

    return answer


def sends_raw(head_and_body: bytes) -> Answer:
    """Bytes as they are, then the connection is closed."""

    async def answer(request: web.Request) -> web.StreamResponse:
        assert isinstance(request.transport, asyncio.Transport)
        request.transport.write(head_and_body)
        request.transport.close()
        await asyncio.Event().wait()
        raise AssertionError

    return answer


def with_length(length: int, body: bytes) -> Answer:
    """An answer whose Content-Length is what it says, whatever the body's is."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    return sends_raw(head.encode() + body)
