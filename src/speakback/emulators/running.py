"""From the words of a command line to running emulators."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar, get_args

from aiohttp import web

from speakback.emulators.content import Recogniser, Speaker, Writer
from speakback.emulators.faults import FaultError, Faults, parse_faults
from speakback.emulators.groq.app import DEV_KEY as GROQ_KEY
from speakback.emulators.groq.app import PREFIX, GroqOptions, groq_app
from speakback.emulators.groq.rate_limits import Tier
from speakback.emulators.profiles import PROFILES, REGION_MS, Profile
from speakback.emulators.server import serving

SERVICES = ("groq", "elevenlabs")
CONTENTS = ("local", "echo", "scripted")
"""Models of this machine; the same with a writer that repeats what it is told; no models."""


class EmulationError(ValueError):
    """What is asked of the emulators is not to be had; the message says what is."""


@dataclass(frozen=True, slots=True)
class Emulation:
    """What is to run."""

    services: tuple[str, ...]
    profile: Profile
    faults: Faults
    seed: int
    region: str
    content: str
    tier: Tier


Choice = TypeVar("Choice")


def emulation(
    services: Sequence[str], *, profile: str, faults: str, seed: int, region: str, content: str, tier: str
) -> Emulation:
    """The words checked. Raises `EmulationError` with one line."""
    tiers: Mapping[str, Tier] = {name: name for name in get_args(Tier)}
    chosen = _chosen("profile", profile, PROFILES)
    try:
        parsed = parse_faults(faults, chosen.fault_share)
    except FaultError as error:
        raise EmulationError(str(error)) from None
    return Emulation(
        services=tuple(dict.fromkeys(_chosen("service", name, {one: one for one in SERVICES}) for name in services)),
        profile=chosen,
        faults=parsed,
        seed=seed,
        region=_chosen("region", region, {name: name for name in REGION_MS}),
        content=_chosen("content", content, {name: name for name in CONTENTS}),
        tier=_chosen("tier", tier, tiers),
    )


def _chosen(what: str, name: str, known: Mapping[str, Choice]) -> Choice:
    if name not in known:
        raise EmulationError(f"{name!r} is no {what}; there are {', '.join(known)}")
    return known[name]


@asynccontextmanager
async def emulating(asked: Emulation, host: str, ports: Mapping[str, int]) -> AsyncIterator[Mapping[str, str]]:
    """Load what does the work, and serve; gives the environment that plugs the services into Speakback.

    Raises `CannotListenError`, `WeightsError` and `ProviderError`.
    """
    build = {"groq": _groq, "elevenlabs": _elevenlabs}
    async with AsyncExitStack() as stack:
        apps: dict[str, web.Application] = {}
        environment: dict[str, str] = {}
        for name in asked.services:
            apps[name], keys = await build[name](asked, stack)
            environment |= keys
        addresses = await stack.enter_async_context(serving(apps, host, ports))
        paths = {"groq": PREFIX, "elevenlabs": ""}
        urls = {f"SPEAKBACK_{name.upper()}__BASE_URL": url + paths[name] for name, url in addresses.items()}
        yield urls | environment


async def _groq(asked: Emulation, stack: AsyncExitStack) -> tuple[web.Application, Mapping[str, str]]:
    recogniser: Recogniser = await stack.enter_async_context(_recogniser(asked.content))
    options = GroqOptions(
        recogniser=recogniser,
        writer=await stack.enter_async_context(_writer(asked.content)),
        profile=asked.profile,
        faults=asked.faults,
        seed=asked.seed,
        region=asked.region,
        tier=asked.tier,
    )
    return groq_app(options), {"GROQ_API_KEY": GROQ_KEY}


async def _elevenlabs(asked: Emulation, stack: AsyncExitStack) -> tuple[web.Application, Mapping[str, str]]:
    from speakback.emulators.elevenlabs.app import elevenlabs_app
    from speakback.emulators.elevenlabs.options import DEV_KEY, ElevenLabsOptions

    options = ElevenLabsOptions(
        speaker=await stack.enter_async_context(_speaker(asked.content)),
        profile=asked.profile,
        faults=asked.faults,
        seed=asked.seed,
        region=asked.region,
    )
    return elevenlabs_app(options), {"ELEVENLABS_API_KEY": DEV_KEY}


def _speaker(content: str) -> AbstractAsyncContextManager[Speaker]:
    from speakback.emulators.scripted_content import ToneSpeaker

    if content == "scripted":
        return nullcontext(ToneSpeaker())
    from speakback.emulators.local_content import local_speaker

    return local_speaker()


def _recogniser(content: str) -> AbstractAsyncContextManager[Recogniser]:
    from speakback.emulators.scripted_content import ScriptedRecogniser

    if content == "scripted":
        return nullcontext(ScriptedRecogniser())
    from speakback.emulators.local_content import local_recogniser

    return local_recogniser()


def _writer(content: str) -> AbstractAsyncContextManager[Writer]:
    from speakback.emulators.scripted_content import ScriptedWriter

    if content == "scripted":
        return nullcontext(ScriptedWriter())
    from speakback.emulators.local_content import ModelWriter, local_writer
    from speakback.providers.adapters.echo import Echo

    return nullcontext(ModelWriter(Echo())) if content == "echo" else local_writer()
