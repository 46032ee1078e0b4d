"""The emulated services for benchmarks: in a thread of this process, hearing which of the known lines is said."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from aiohttp import web

from speakback.audio.pcm import Samples
from speakback.caller.script import SpokenLine
from speakback.emulators.elevenlabs.app import elevenlabs_app
from speakback.emulators.elevenlabs.options import DEV_KEY as ELEVENLABS_KEY
from speakback.emulators.elevenlabs.options import ElevenLabsOptions
from speakback.emulators.faults import Faults
from speakback.emulators.groq.app import DEV_KEY as GROQ_KEY
from speakback.emulators.groq.app import PREFIX, GroqOptions, groq_app
from speakback.emulators.profiles import PROFILES
from speakback.emulators.scripted_content import ScriptedRecogniser, ScriptedWriter, ToneSpeaker, voiced_span
from speakback.emulators.testing import served_in_thread
from speakback.timebase import EAR_HZ, VOICE_HZ

REPLIES = (
    "That depends on what you like. Shall I tell you more about it?",
    "Of course, I can help with that. Let us begin with the simplest part.",
    "Good question. Most people would say that it takes about half an hour.",
    "I see what you mean. There are two ways to go about it.",
    "Yes, that works well. Just take your time with the first step.",
)


@contextmanager
def emulated(lines: Sequence[SpokenLine], profile: str, seed: int) -> Iterator[Mapping[str, str]]:
    """Both services; gives the environment that makes a server use them. Nothing of the real ones is measured."""
    with served_in_thread(services(_Ear(lines), profile, seed)) as addresses:
        yield environ(addresses)


def services(hears: Callable[[Samples], str], profile: str, seed: int) -> Mapping[str, web.Application]:
    """Both services without models; `hears` says what is in the voiced part of a request's audio."""
    chosen = PROFILES[profile]
    faults = Faults({}, chosen.fault_share)
    groq = GroqOptions(
        recogniser=ScriptedRecogniser(hears),
        writer=ScriptedWriter(REPLIES),
        profile=chosen,
        faults=faults,
        seed=seed,
        tier="developer",
    )
    elevenlabs = ElevenLabsOptions(speaker=ToneSpeaker(), profile=chosen, faults=faults, seed=seed)
    return {"groq": groq_app(groq), "elevenlabs": elevenlabs_app(elevenlabs)}


def environ(addresses: Mapping[str, str]) -> Mapping[str, str]:
    """What makes a server use the services at these addresses."""
    return {
        "GROQ_API_KEY": GROQ_KEY,
        "ELEVENLABS_API_KEY": ELEVENLABS_KEY,
        "SPEAKBACK_GROQ__BASE_URL": f"{addresses['groq']}{PREFIX}",
        "SPEAKBACK_GROQ__REQUESTS_PER_MINUTE": "400",
        "SPEAKBACK_ELEVENLABS__BASE_URL": addresses["elevenlabs"],
    }


class _Ear:
    """Knows each line by how long it lasts: what is measured is time, not recognition."""

    def __init__(self, lines: Sequence[SpokenLine]) -> None:
        self._texts = [(_voiced_s(line.audio_24k), line.line.text) for line in lines]

    def __call__(self, voiced_16k: Samples) -> str:
        heard_s = len(voiced_16k) / EAR_HZ
        return min(self._texts, key=lambda known: abs(known[0] - heard_s))[1]


def _voiced_s(audio_24k: Samples) -> float:
    first, last = voiced_span(audio_24k) or (0, 0)  # its frames count samples, whatever their rate
    return (last - first) / VOICE_HZ
