"""Pytest fixtures that serve the emulated services to tests of any code, in any language's terms: plain HTTP addresses.

They are there by this line in a `conftest.py` or in a test module:

    pytest_plugins = ["speakback.emulators.testing"]

Each emulator runs in a thread of its own, so that blocking clients and asyncio clients both can use it; it answers at
once, without models, and every test has a fresh one:

    def test_busy(groq_emulator):
        groq_emulator.faults.set("429")
        client = groq.Groq(api_key=groq_emulator.api_key, base_url=groq_emulator.base_url, max_retries=0)
        ...

`groq_emulator.hears("Hello there.")` and `.writes("Sure.", "Bye.")` say what it transcribes and replies.
The faults that there are: `speakback.emulators.faults.Fault`; a share may stand behind each: `"429=0.5,stalled"`.

(PYTEST_DONT_REWRITE: it has no test's asserts, and may be imported before pytest is told of it.)
"""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from aiohttp import web

from speakback.emulators.faults import Fault, Faults, parse_faults
from speakback.emulators.groq.app import DEV_KEY, PREFIX, GroqOptions, groq_app
from speakback.emulators.profiles import ZERO
from speakback.emulators.scripted_content import ScriptedRecogniser, ScriptedWriter, ToneSpeaker
from speakback.emulators.server import serving


class FaultSwitches:
    """Which faults there are; what is set holds from the next request on."""

    def __init__(self) -> None:
        self._shares: dict[Fault, float] = {}
        self.faults = Faults(self._shares)
        """For an emulator's options: follows what is set."""

    def set(self, text: str) -> None:
        """These faults and no others; an empty text is none. Raises `FaultError`."""
        shares = parse_faults(text).shares
        self._shares.clear()
        self._shares.update(shares)


@dataclass(frozen=True, slots=True)
class GroqEmulator:
    """A running one. `base_url` is what Groq's own SDK takes, `openai_base_url` what OpenAI's does."""

    base_url: str
    api_key: str
    faults: FaultSwitches
    recogniser: ScriptedRecogniser
    writer: ScriptedWriter

    @property
    def openai_base_url(self) -> str:
        """The address with the path before `/chat/completions`."""
        return f"{self.base_url}{PREFIX}"

    def hears(self, text: str) -> None:
        """What is transcribed from now on, of audio that is not silent."""
        self.recogniser.answer = lambda _: text

    def writes(self, *replies: str) -> None:
        """What is replied from now on, in turn."""
        self.writer.replies = replies


@dataclass(frozen=True, slots=True)
class ElevenLabsEmulator:
    """A running one."""

    base_url: str
    api_key: str
    faults: FaultSwitches


@contextmanager
def served_in_thread(apps: Mapping[str, web.Application]) -> Iterator[Mapping[str, str]]:
    """Serve applications in a thread; gives their addresses. What fails there is raised here."""
    ready: Future[tuple[Mapping[str, str], asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stopped = asyncio.Event()
        async with serving(apps) as addresses:
            ready.set_result((addresses, asyncio.get_running_loop(), stopped))
            await stopped.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=run, name="emulators")
    thread.start()
    try:
        addresses, loop, stopped = ready.result()
        try:
            yield addresses
        finally:
            loop.call_soon_threadsafe(stopped.set)
    finally:
        thread.join()


@pytest.fixture
def groq_emulator() -> Iterator[GroqEmulator]:
    """Groq's speech to text and chat."""
    switches, recogniser, writer = FaultSwitches(), ScriptedRecogniser(), ScriptedWriter()
    app = groq_app(GroqOptions(recogniser=recogniser, writer=writer, faults=switches.faults))
    with served_in_thread({"groq": app}) as addresses:
        yield GroqEmulator(addresses["groq"], DEV_KEY, switches, recogniser, writer)


@pytest.fixture
def elevenlabs_emulator() -> Iterator[ElevenLabsEmulator]:
    """ElevenLabs' speech, spoken in tones."""
    from speakback.emulators.elevenlabs.app import elevenlabs_app
    from speakback.emulators.elevenlabs.options import ElevenLabsOptions

    switches = FaultSwitches()
    options = ElevenLabsOptions(speaker=ToneSpeaker(), profile=ZERO, faults=switches.faults)
    with served_in_thread({"elevenlabs": elevenlabs_app(options)}) as addresses:
        yield ElevenLabsEmulator(addresses["elevenlabs"], options.keys[0], switches)
