"""Holds contracts against emulators, one of which may play the real service; for the tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from speakback.emulators.contracts.all import CONTRACTS
from speakback.emulators.contracts.clips import SPEECH, speech_wav
from speakback.emulators.contracts.contract import Contract, Service
from speakback.emulators.contracts.course import Course, Result, Side
from speakback.emulators.contracts.recording import Recording
from speakback.emulators.contracts.reference import serving_contracts
from speakback.emulators.contracts.site import Address, Equipment, Timing
from speakback.emulators.elevenlabs.app import elevenlabs_app
from speakback.emulators.elevenlabs.options import ElevenLabsOptions
from speakback.emulators.faults import parse_faults
from speakback.emulators.groq.app import GroqOptions, groq_app
from speakback.emulators.profiles import ZERO
from speakback.emulators.scripted_content import ScriptedRecogniser, ScriptedWriter, ToneSpeaker

VOICE = "JBFqnCBsd6RMkjVDRZzb"
QUICK = Timing(patience_s=1.0, quiet_s=0.05, idle_s=0.6, keep_alive_s=0.1)
Apps = Mapping[Service, web.Application]


@dataclass
class Held:
    """What came of it."""

    results: dict[str, Result] = field(default_factory=dict)
    """By service and name, such as `groq/speech`."""
    recordings: dict[tuple[str, Side], Recording] = field(default_factory=dict)


def quick_apps(faults: str = "") -> Apps:
    """One emulator of each service, which does not linger."""
    shares = parse_faults(faults)
    groq = GroqOptions(
        recogniser=ScriptedRecogniser(lambda _: SPEECH),
        writer=ScriptedWriter(("Hello to you!",)),
        tier="free",
        faults=shares,
    )
    elevenlabs = ElevenLabsOptions(
        speaker=ToneSpeaker(),
        profile=ZERO,
        faults=shares,
        inactivity_s=0.3,
        error_to_close_s=0.0,
        final_to_close_s=0.0,
    )
    return {"groq": groq_app(groq), "elevenlabs": elevenlabs_app(elevenlabs)}


def only(*names: str) -> tuple[Contract, ...]:
    """The contracts of these names, such as `groq/speech`."""
    found = tuple(one for one in CONTRACTS if f"{one.service}/{one.name}" in names)
    assert len(found) == len(names)
    return found


async def hold(
    contracts: Sequence[Contract] = CONTRACTS,
    *,
    live: Apps | None = None,
    live_at: Mapping[Service, Address] | None = None,
    runs_slow: bool = False,
) -> Held:
    """With faultless emulators, and where given with others that play the real services."""
    held = Held()

    def keep(contract: Contract, side: Side, recording: Recording) -> None:
        held.recordings[f"{contract.service}/{contract.name}", side] = recording

    wav = await speech_wav(ToneSpeaker())
    async with serving_contracts(quick_apps()) as emulated, serving_contracts(live or {}) as played:
        real = {**played, **(live_at or {})}
        course = Course(
            contracts=contracts,
            addresses={
                service: ({Side.LIVE: real[service]} if service in real else {}) | {Side.EMULATOR: address}
                for service, address in emulated.items()
            },
            equipment=Equipment(voice_id=VOICE, speech_wav=wav, timing=QUICK),
            keep=keep,
            runs_slow=runs_slow,
        )
        async for result in course.run():
            held.results[f"{result.contract.service}/{result.contract.name}"] = result
    return held
