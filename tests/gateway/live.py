"""A whole server in this process (real models, the echo mind) and callers that talk to it over real sockets."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
import numpy as np
from aiohttp import WSMsgType

from speakback.audio.pcm import Samples, pcm16_from_samples
from speakback.config import Settings
from speakback.gateway.opening import sessions_on
from speakback.gateway.service import Service
from speakback.gateway.serving import listening
from speakback.gateway.terms import terms_of
from speakback.providers.engines import Engines
from speakback.timebase import VOICE_HZ, ms_to_samples

UNHURRIED = {"max_loop_lag_ms": 60_000, "max_queue_wait_ms": 60_000, "max_cpu_share": 1}
"""Real models keep a small machine busy; these tests are not about who is let in."""
ECHO = Settings.model_validate({"llm": {"provider": "echo"}, "server": {"send_timeout_s": 0.5}, "admission": UNHURRIED})

Event = dict[str, object]


async def _clauses(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text


async def speech(engines: Engines, *clauses: str) -> Samples:
    """A person's words at 24 kHz, spoken by the server's own voice."""
    chunks = [chunk.audio_24k async for chunk in engines.tts.speak(_clauses(*clauses))]
    return np.concatenate(chunks)


def silence(ms: int) -> Samples:
    return np.zeros(ms_to_samples(ms, VOICE_HZ), np.float32)


@dataclass
class Caller:
    """One client; it reads all the time, as a real one does, and keeps what it was told."""

    socket: aiohttp.ClientWebSocketResponse[Literal[True]]
    events: list[Event] = field(default_factory=list)
    close_code: int | None = None
    _seen: int = 0
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def read(self) -> None:
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                async with self._news:
                    self.events.append(json.loads(message.data))
                    self._news.notify_all()
        async with self._news:
            self.close_code = self.socket.close_code
            self._news.notify_all()

    async def send(self, event_type: str, **fields: object) -> None:
        await self.socket.send_json({"type": event_type, **fields})

    async def append(self, audio_24k: Samples, *, block_ms: int = 1000) -> None:
        """Send audio as fast as the socket takes it."""
        step = ms_to_samples(block_ms, VOICE_HZ)
        for start in range(0, len(audio_24k), step):
            data = pcm16_from_samples(audio_24k[start : start + step])
            await self.send("input_audio_buffer.append", audio=b64encode(data).decode())

    async def until(self, event_type: str) -> Event:
        """The next event of that type, counted from the last one that was waited for."""

        def found() -> int | None:
            return next(
                (index for index in range(self._seen, len(self.events)) if self.events[index]["type"] == event_type),
                None,
            )

        async with self._news:
            await self._news.wait_for(lambda: found() is not None or self.close_code is not None)
        index = found()
        assert index is not None, f"closed with {self.close_code} before {event_type}: {self.types()}"
        self._seen = index + 1
        return self.events[index]

    async def error(self) -> Event:
        error = (await self.until("error"))["error"]
        assert isinstance(error, dict)
        return error

    async def closed(self) -> int:
        async with self._news:
            await self._news.wait_for(lambda: self.close_code is not None)
        assert self.close_code is not None
        return self.close_code

    def types(self) -> list[object]:
        return [event["type"] for event in self.events]

    def errors(self) -> set[object]:
        return {event["error"]["code"] for event in self.events if event["type"] == "error"}  # type: ignore[index]

    async def write(self, text: str) -> None:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        await self.send("conversation.item.create", item=item)

    async def answers(self, text: str = "Are you there?") -> bool:
        """Whether the session takes a message and replies to it; in text, so that it is quick."""
        await self.write(text)
        await self.send("response.create", response={"output_modalities": ["text"]})
        done = await self.until("response.done")
        response = done["response"]
        assert isinstance(response, dict)
        return response["status"] == "completed" and text in json.dumps(response["output"])

    def audio(self) -> bytes:
        deltas = [event for event in self.events if event["type"] == "response.output_audio.delta"]
        return b"".join(b64decode(str(event["delta"])) for event in deltas)


@dataclass
class LiveServer:
    """A server that runs in this process."""

    address: str
    service: Service
    engines: Engines
    http: aiohttp.ClientSession

    @asynccontextmanager
    async def caller(self, **session: object) -> AsyncIterator[Caller]:
        """A connected client whose session is set up; what it does not close itself is closed at the end."""
        socket = await self.http.ws_connect(f"{self.address}/v1/realtime")
        caller = Caller(socket)
        reading = asyncio.create_task(caller.read())
        try:
            await caller.until("session.created")
            if session:
                await caller.send("session.update", session=session)
                await caller.until("session.updated")
            yield caller
        finally:
            await socket.close()
            reading.cancel()
            await asyncio.wait([reading])

    async def sessions_left(self, count: int) -> None:
        """Wait until no more than `count` sessions are open."""
        taken = count + 1
        while taken > count:
            async with self.http.get(f"{self.address}/readyz") as answer:
                taken = (await answer.json())["sessions"]


@asynccontextmanager
async def serving(engines: Engines, settings: Settings = ECHO) -> AsyncIterator[LiveServer]:
    """A server on a free port of this machine."""
    service = Service(terms_of(settings))
    async with listening(service, "127.0.0.1", 0) as address, aiohttp.ClientSession() as http:
        service.become_ready(sessions_on(engines))
        yield LiveServer(address, service, engines, http)
