"""The emulators that real services are compared with: without faults, as quick as they go, without models."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from speakback.emulators.contracts.clips import SPEECH
from speakback.emulators.contracts.contract import Service
from speakback.emulators.contracts.site import Address
from speakback.emulators.elevenlabs.app import elevenlabs_app
from speakback.emulators.elevenlabs.catalogue import Voice
from speakback.emulators.elevenlabs.options import DEV_KEY, ElevenLabsOptions
from speakback.emulators.groq.app import DEV_KEY as GROQ_KEY
from speakback.emulators.groq.app import PREFIX, GroqOptions, groq_app
from speakback.emulators.profiles import ZERO
from speakback.emulators.scripted_content import ScriptedRecogniser, ScriptedWriter, ToneSpeaker
from speakback.emulators.server import serving

WRITTEN = "Hello to you!"


def reference_apps(voice_id: str) -> Mapping[Service, web.Application]:
    """One of each, which knows this voice. Of Groq, with the free tier: its limits are the ones that were captured."""
    groq = GroqOptions(recogniser=ScriptedRecogniser(lambda _: SPEECH), writer=ScriptedWriter((WRITTEN,)), tier="free")
    voice = Voice(voice_id, "Configured")
    elevenlabs = ElevenLabsOptions(speaker=ToneSpeaker(), profile=ZERO, voices=(voice,))
    return {"groq": groq_app(groq), "elevenlabs": elevenlabs_app(elevenlabs)}


@asynccontextmanager
async def serving_contracts(apps: Mapping[Service, web.Application]) -> AsyncIterator[Mapping[Service, Address]]:
    """Serve emulators; gives their addresses. Raises `CannotListenError`."""
    keys: Mapping[Service, str] = {"groq": GROQ_KEY, "elevenlabs": DEV_KEY}
    paths: Mapping[Service, str] = {"groq": PREFIX, "elevenlabs": ""}
    async with serving({str(service): app for service, app in apps.items()}) as urls:
        yield {service: Address(base_url=urls[service] + paths[service], api_key=keys[service]) for service in apps}
