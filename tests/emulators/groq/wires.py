"""An emulated Groq for a test, a plain client for it, and audio to send."""

import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import numpy as np
import soundfile

from speakback.emulators.content import Recogniser, Writer
from speakback.emulators.faults import NO_FAULTS, Faults, parse_faults
from speakback.emulators.groq.app import DEV_KEY, PREFIX, GroqOptions, groq_app
from speakback.emulators.groq.rate_limits import Tier
from speakback.emulators.profiles import ZERO, Profile
from speakback.emulators.scripted_content import ScriptedRecogniser, ScriptedWriter
from speakback.emulators.server import serving

HELLO = ScriptedRecogniser(lambda _: "Hello there.")
NOW_S = 1_758_000_000.0


def wav(seconds: float, *, level: float = 0.1, hz: int = 16_000) -> bytes:
    """A WAV file with noise of a level; 0 is silence."""
    audio = np.random.default_rng(1).uniform(-level, level, round(seconds * hz)).astype(np.float32)
    file = io.BytesIO()
    soundfile.write(file, audio, hz, format="WAV", subtype="PCM_16")
    return file.getvalue()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str


class Clock:
    """A clock of a test, which sleeping moves on."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class Wire:
    """Sends what it is told, right or wrong."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self.http = http
        self.base = base

    async def send(
        self, method: str, path: str, *, key: str | None = DEV_KEY, json: object = None, data: object = None
    ) -> Answer:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        async with self.http.request(
            method, f"{self.base}{PREFIX}{path}", json=json, data=data, headers=headers
        ) as response:
            return Answer(response.status, response.headers, await response.text())

    async def transcribe(
        self, audio: bytes, *fields: tuple[str, str], filename: str = "audio.wav", model: str = "whisper-large-v3-turbo"
    ) -> Answer:
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(audio), filename=filename, content_type="audio/wav")
        for name, value in (("model", model), *fields):
            form.add_field(name, value)
        return await self.send("POST", "/audio/transcriptions", data=form)

    async def chat(self, **fields: object) -> Answer:
        given = {"model": "openai/gpt-oss-20b", "messages": [{"role": "user", "content": "Hello."}]} | fields
        return await self.send("POST", "/chat/completions", json=given)


@asynccontextmanager
async def groq_wire(
    *,
    faults: str | Faults = NO_FAULTS,
    seed: int = 1,
    profile: Profile = ZERO,
    tier: Tier = "developer",
    region: str = "us",
    recogniser: Recogniser = HELLO,
    writer: Writer | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Wire]:
    """A running emulator and a client for it."""
    held = clock or Clock()
    options = GroqOptions(
        recogniser=recogniser,
        writer=writer or ScriptedWriter(("Int eresting.",)),
        profile=profile,
        faults=parse_faults(faults) if isinstance(faults, str) else faults,
        seed=seed,
        region=region,
        tier=tier,
        now_s=lambda: held.now_s,
        wall_s=lambda: NOW_S,
        sleep_s=held.sleep,
    )
    async with serving({"groq": groq_app(options)}) as addresses, aiohttp.ClientSession() as http:
        yield Wire(http, addresses["groq"])
