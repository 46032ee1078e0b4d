"""A server with scripted engines and a store of conversations, in this process or in one of its own; and its callers.

As a program: `python -m tests.gateway.resume.house FOLDER [FILE_SIZE_LIMIT]` serves until it is killed, keeps
conversations in FOLDER, and prints its address.
"""

import asyncio
import re
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import numpy as np
import pytest

from speakback.audio.pcm import Samples
from speakback.config.voices import Voices
from speakback.gateway.auth import KeyRing
from speakback.gateway.connection import Limits
from speakback.gateway.opening import sessions_on
from speakback.gateway.realtime.session_view import Offer
from speakback.gateway.resume.file import file_store
from speakback.gateway.resume.resumption import Resumption
from speakback.gateway.resume.store import ResumeStore
from speakback.gateway.service import Service, Terms
from speakback.gateway.serving import listening
from speakback.providers.engines import Engines
from speakback.timebase import VOICE_HZ, ms_to_samples
from tests.gateway.live import Caller, Event
from tests.session.scripted import BRIEF, LONG, ScriptedTts, says, scripted

WORD_MS = 100
"""At this pace `LONG` takes 1.6 s to say."""
KEEP_S = 60.0
OFFER = Offer(
    model="scripted",
    voices=(Voices("scripted", ("hum",)),),
    speed=1.0,
    languages=("en",),
    strategy="half-duplex",
    defaults=BRIEF,
)
OURS: dict[str, object] = {"speakback": {"playback_ack": False}}
"""What a client sends that knows of resumption."""


def talkative() -> Engines:
    """The agent answers each turn with `LONG`."""
    return scripted(says(LONG), tts=ScriptedTts(word_ms=WORD_MS))


def voice(level: float, ms: int = 400) -> Samples:
    """A user's speech, at 24 kHz."""
    return np.full(ms_to_samples(ms, VOICE_HZ), level, np.float32)


def question(level: float = 0.2) -> Samples:
    """The same, and silence enough for the turn to end."""
    return np.concatenate((voice(level), np.zeros(ms_to_samples(1000, VOICE_HZ), np.float32)))


@dataclass
class House:
    """One server, in whatever process."""

    address: str
    http: aiohttp.ClientSession

    @asynccontextmanager
    async def call(
        self, token: str | None = None, *, key: str | None = None, protocols: tuple[str, ...] = ()
    ) -> AsyncIterator[Caller]:
        """A connected client, greeted; a new one has asked for our events. It leaves without a word of goodbye."""
        headers = {} if token is None else {"Speakback-Resume": token}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        socket = await self.http.ws_connect(f"{self.address}/v1/realtime", headers=headers, protocols=protocols)
        caller = Caller(socket)
        reading = asyncio.create_task(caller.read())
        try:
            await caller.until("session.created")
            if token is None and not protocols:
                await caller.send("session.update", session=OURS)
                await caller.until("session.updated")
            yield caller
        finally:
            vanish(caller)
            reading.cancel()
            await asyncio.wait([reading])

    async def refusal(self, token: str, key: str | None = None) -> tuple[int, object]:
        """Status and code of the answer to who comes with this token, if it is not let in."""
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with self.call(token, key=key):
                pass
        headers = {"Speakback-Resume": token, "Connection": "Upgrade", "Upgrade": "websocket"}
        headers |= {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        async with self.http.get(f"{self.address}/v1/realtime", headers=headers) as answer:
            assert answer.status == refused.value.status
            return answer.status, (await answer.json())["error"]["code"]


def vanish(caller: Caller) -> None:
    """Cut the wire: no close frame."""
    caller.socket._response.close()


async def token_of(caller: Caller) -> str:
    """The token that a client is given next."""
    return str((await caller.until("speakback.resume_token"))["token"])


async def anywhere(caller: Caller, event_type: str) -> Event:
    """The last event of that type, before or behind what was waited for meanwhile; the first, if there is none yet."""
    told = [event for event in caller.events if event["type"] == event_type]
    return told[-1] if told else await caller.until(event_type)


async def latest_token_of(caller: Caller) -> str:
    """The token that a client was given last."""
    return str((await anywhere(caller, "speakback.resume_token"))["token"])


async def resumed(caller: Caller) -> Event:
    """What a client that came back is told."""
    return await caller.until("speakback.resumed")


async def heard_words(caller: Caller, count: int) -> None:
    """Wait until so many words of the agent went out."""
    while len(" ".join(deltas(caller)).split()) < count:
        await caller.until("response.output_audio_transcript.delta")


def deltas(caller: Caller) -> list[str]:
    """The transcript of all that went out to this client."""
    told = [event for event in caller.events if event["type"] == "response.output_audio_transcript.delta"]
    return [str(event["delta"]) for event in told]


async def text_of(caller: Caller, item_id: str) -> str:
    """An item, as the history has it."""
    await caller.send("conversation.item.retrieve", item_id=item_id)
    item = (await caller.until("conversation.item.retrieved"))["item"]
    assert isinstance(item, dict)
    return str(item["content"][0]["transcript"])


async def reply_item(caller: Caller) -> str:
    """The id of the next message of the agent."""
    while True:
        item = (await caller.until("response.output_item.added"))["item"]
        assert isinstance(item, dict)
        if item["type"] == "message":
            return str(item["id"])


async def reply_text(caller: Caller) -> str:
    """The words of the next reply that ends, as heard."""
    response = (await caller.until("response.done"))["response"]
    assert isinstance(response, dict)
    return str(response["output"][0]["content"][0]["transcript"])


def service_with(resumption: Resumption | None, engines: Engines, keys: KeyRing | None = None) -> Service:
    service = Service(Terms(OFFER, keys or KeyRing(), Limits(), max_sessions=8))
    service.resumption = resumption
    service.become_ready(sessions_on(engines))
    return service


@asynccontextmanager
async def house(
    store: ResumeStore, engines: Engines | None = None, *, keys: KeyRing | None = None, keep_s: float = KEEP_S
) -> AsyncIterator[tuple[House, Service]]:
    """A server in this process; the store is its owner's to close."""
    service = service_with(None, engines or talkative(), keys)
    service.resumption = Resumption(store, keep_s, service.metrics)
    async with listening(service, "127.0.0.1", 0) as address, aiohttp.ClientSession() as http:
        yield House(address, http), service


@dataclass
class Elsewhere:
    """A server in a process of its own."""

    process: asyncio.subprocess.Process
    house: House


@asynccontextmanager
async def elsewhere(folder: Path, http: aiohttp.ClientSession, *limit: str) -> AsyncIterator[Elsewhere]:
    """A server in a process of its own, which is killed at the end at the latest."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.gateway.resume.house", str(folder), *limit, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        address = ""
        while not address:
            line = (await process.stdout.readline()).decode()
            assert line, "the server ended before it was ready"
            address = "".join(re.findall(r"^http://\S+", line))
        yield Elsewhere(process, House(address, http))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _serve(folder: Path, limit: int | None) -> None:
    store = await file_store(folder)
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    service = service_with(None, talkative())
    service.resumption = Resumption(store, KEEP_S, service.metrics)
    async with listening(service, "127.0.0.1", 0) as address:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None))
