"""Speakers for these tests, and the app as the tests want it: no latency, no waiting before closes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from speakback.emulators.content import SpokenText
from speakback.emulators.elevenlabs.app import elevenlabs_app
from speakback.emulators.elevenlabs.catalogue import VOICES
from speakback.emulators.elevenlabs.options import ElevenLabsOptions
from speakback.emulators.profiles import ZERO
from speakback.emulators.scripted_content import ToneSpeaker
from speakback.emulators.server import serving

VOICE = VOICES[0].voice_id
HELLO = "Hello world. "
HELLO_STARTS_MS = (0, 81, 139, 174, 221, 290, 348, 395, 511, 569, 639, 755, 824)
HELLO_DURATIONS_MS = (81, 58, 35, 47, 69, 58, 47, 116, 58, 70, 116, 69, 151)
HELLO_SAMPLES = 23_406
"""The capture's, at 24 kHz."""


class CapturedSpeaker:
    """Says "Hello world. " as long as the capture does, and everything else in tones."""

    async def speak(self, text: str) -> SpokenText:
        if text != HELLO:
            return await ToneSpeaker().speak(text)
        return SpokenText(np.full(HELLO_SAMPLES, 0.1, np.float32), HELLO_STARTS_MS, HELLO_DURATIONS_MS)


class HeldSpeaker:
    """Says nothing that has the word "hold" in it until it is released."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def speak(self, text: str) -> SpokenText:
        if "hold" in text:
            await self.released.wait()
        return await CapturedSpeaker().speak(text)


def options(**changes: object) -> ElevenLabsOptions:
    """Without latency and waits, unless the changes say otherwise."""
    plain: dict[str, object] = {
        "speaker": CapturedSpeaker(),
        "profile": ZERO,
        "error_to_close_s": 0.0,
        "final_to_close_s": 0.0,
    }
    return ElevenLabsOptions(**{**plain, **changes})  # type: ignore[arg-type]


@asynccontextmanager
async def emulator(**changes: object) -> AsyncIterator[str]:
    """Its address, `127.0.0.1:PORT`."""
    async with serving({"elevenlabs": elevenlabs_app(options(**changes))}) as addresses:
        yield addresses["elevenlabs"].removeprefix("http://")
