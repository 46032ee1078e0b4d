"""A service whose every frame a test writes, and a voice that speaks to it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from speakback.audio.speech import SpeechChunk
from speakback.providers.adapters.elevenlabs.expressive import ElevenLabsExpressive
from speakback.providers.adapters.elevenlabs.flash import ElevenLabs
from speakback.providers.adapters.elevenlabs.options import ElevenLabsVoiceOptions, Patience
from speakback.providers.tts import TextToSpeech
from tests.providers.link.servers import Answer, own_tasks, serving

SECRET = "sk_very_secret"
Frame = dict[str, object]
Voice = TypeVar("Voice", bound=TextToSpeech)


@dataclass
class Connection:
    """One socket, as the service sees it."""

    socket: ServerConnection
    path: str
    headers: dict[str, str]
    got: list[Frame] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self) -> Frame:
        """The client's next message."""
        frame: Frame = json.loads(await self.socket.recv())
        self.got.append(frame)
        self.arrived.set()
        if frame.get("close_socket"):
            await self.socket.close(1000)
        return frame

    async def has_flushed(self) -> Frame:
        """The client's next message with words to speak now."""
        while not (frame := await self.take()).get("flush"):
            pass
        return frame

    async def has_got(self, key: str, count: int) -> None:
        """Wait until so many messages with that key have come."""
        while sum(bool(frame.get(key)) for frame in self.got) < count:
            self.arrived.clear()
            await self.arrived.wait()

    async def until(self, key: str) -> Frame:
        """The client's next message with that key."""
        while key not in (frame := await self.take()):
            pass
        return frame

    async def send(self, *frames: Frame) -> None:
        for frame in frames:
            await self.socket.send(json.dumps(frame))


Play = Callable[[Connection], Awaitable[None]]


class Service:
    """Plays one script for each connection, in their order; those beyond stay silent until the client goes."""

    def __init__(self, *plays: Play) -> None:
        self._plays = plays
        self.connections: list[Connection] = []
        self.failures: list[BaseException] = []
        """What a script did not expect; the test fails with it."""
        self.played: list[asyncio.Event] = [asyncio.Event() for _ in plays]

    @asynccontextmanager
    async def judging(self) -> AsyncIterator[None]:
        """At the end, and whatever else failed, raise what a script did not expect."""
        try:
            yield
        finally:
            if self.failures:
                raise self.failures[0]

    async def __call__(self, socket: ServerConnection) -> None:
        request = socket.request
        assert request is not None
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        number = len(self.connections)
        connection = Connection(socket, request.path, headers)
        self.connections.append(connection)
        if number < len(self._plays):
            try:
                with suppress(ConnectionClosed):
                    await self._plays[number](connection)
            except BaseException as failure:
                self.failures.append(failure)
                raise
            finally:
                self.played[number].set()
        with suppress(ConnectionClosed):
            while (await connection.take()) != {"text": ""} or "/stream-input" not in connection.path:
                pass


def options_at(address: str, **changes: object) -> ElevenLabsVoiceOptions:
    options = ElevenLabsVoiceOptions(api_key=SECRET, voice_id="V1", base_url=address)
    return replace(options, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def flash(service: Service, refuse: Answer | None = None, **changes: object) -> AsyncIterator[ElevenLabs]:
    async with serving(service, refuse) as address:
        voice = await asyncio.to_thread(ElevenLabs, options_at(address, **changes))
        async with service.judging(), closing(voice):
            yield voice


@asynccontextmanager
async def expressive(
    service: Service, refuse: Answer | None = None, **changes: object
) -> AsyncIterator[ElevenLabsExpressive]:
    async with serving(service, refuse) as address:
        options = options_at(address, **({"model": "eleven_v3_conversational"} | changes))
        voice = await asyncio.to_thread(ElevenLabsExpressive, options)
        async with service.judging(), closing(voice):
            yield voice


@asynccontextmanager
async def closing(voice: Voice) -> AsyncIterator[Voice]:
    """Closed at the end, and nothing of it is left then."""
    try:
        yield voice
    finally:
        await voice.aclose()
    assert own_tasks() == set()


async def clauses(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text


async def spoken(voice: TextToSpeech, *texts: str) -> list[SpeechChunk]:
    return [chunk async for chunk in voice.speak(clauses(*texts))]


def words_of(chunks: Sequence[SpeechChunk]) -> str:
    return " ".join(word.text for chunk in chunks for word in chunk.words)


def samples_of(chunks: Sequence[SpeechChunk]) -> int:
    return sum(len(chunk.audio_24k) for chunk in chunks)


def aligned(text: str, ms: int = 10) -> Frame:
    """Each character lasts `ms`."""
    return {
        "chars": list(text),
        "charStartTimesMs": [ms * at for at in range(len(text))],
        "charDurationsMs": [ms] * len(text),
    }


def audio(context_id: str | None, text: str = "", *, ms: int = 10, **more: object) -> Frame:
    """A frame of 24 kHz audio that says this text, or of 10 ms without alignment."""
    length = ms * 24 * 2 * (len(text) or 1)
    frame: Frame = {
        "audio": base64.b64encode(bytes(length)).decode(),
        "isFinal": None,
        "normalizedAlignment": aligned(f" {text}", ms) if text else None,
        "alignment": aligned(text, ms) if text else None,
    }
    return frame | ({} if context_id is None else {"contextId": context_id}) | more


def final(context_id: str | None) -> Frame:
    frame: Frame = {"audio": None, "isFinal": True, "normalizedAlignment": None, "alignment": None}
    return frame | ({} if context_id is None else {"contextId": context_id})


def quick(**changes: float) -> Patience:
    """Patience for tests of what happens when it ends."""
    return replace(Patience(first_audio_s=0.05, final_s=0.05), **changes)
