"""Servers that a browser talks to: one in this process that follows a script, and `speakback serve` as it is."""

import asyncio
import os
import re
import sys
import time
from asyncio.subprocess import Process
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.scripted_server import scripted_engines
from speakback.audio.pcm import Samples
from speakback.caller.server_process import default_environ
from speakback.config import Settings
from speakback.gateway.conversation import Conversation, OpenConversation
from speakback.gateway.drain import DrainTerms, drain
from speakback.gateway.opening import sessions_on
from speakback.gateway.resume.memory import MemoryStore
from speakback.gateway.resume.resumption import Resumption
from speakback.gateway.service import Service
from speakback.gateway.serving import Doors, opened
from speakback.gateway.terms import terms_of
from speakback.providers.engines import Engines
from speakback.providers.llm import LanguageModel
from speakback.providers.stt import Passes, Transcript
from speakback.providers.tts import TextToSpeech
from speakback.session.driver import Session
from speakback.session.settings import SessionSettings
from speakback.session.snapshot import Snapshot
from speakback.web.whole import whole_page
from tests.gateway.live import UNHURRIED
from tests.session.scripted import ScriptedLlm, ScriptedTts, says

READY_WITHIN_S = 120.0
SERVER_LOG = "server.log"
AUDIBLE = 0.02
DRAIN_S = 60.0
REPLY = "It opens again at nine and closes at five on all other days of the week."


@dataclass
class OneQuestion:
    """A `SpeechToText` to which all that is audible is one question."""

    text: str = "When does the museum open again?"
    name: str = "scripted"
    passes: Passes = Passes.WHILE_SPEAKING

    async def transcribe(self, audio_16k: Samples, *, language: str) -> Transcript:
        if float(np.abs(audio_16k).max(initial=0.0)) < AUDIBLE:
            return Transcript("", (), None, rejected="silence")
        return Transcript(self.text, (), 0.9)

    async def aclose(self) -> None:
        pass


@dataclass
class ScriptedServer:
    """The whole server and its page, with the real VAD and a script for all else; it hums each word.

    What it hears and says may be changed at any time.
    """

    settings: Settings
    stt: OneQuestion = field(default_factory=OneQuestion)
    llm: LanguageModel = field(default_factory=lambda: ScriptedLlm([says(REPLY)]))
    tts: TextToSpeech = field(default_factory=lambda: ScriptedTts(word_ms=250))
    port: int = 0
    sessions: list[Session] = field(default_factory=list)
    """All that were opened, in order."""
    _kept: MemoryStore = field(default_factory=lambda: MemoryStore(time.monotonic))
    """Survives restarts."""
    _engines: Engines | None = None
    _running: AsyncExitStack | None = None
    _service: Service | None = None
    _doors: Doors | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def service(self) -> Service:
        assert self._service is not None, "it does not run"
        return self._service

    async def start(self) -> None:
        """Serve, on the port that it had before."""
        if self._engines is None:
            self._engines = replace(await scripted_engines(self.settings), end_of_turn=None)
        engines = replace(self._engines, stt=self.stt, llm=self.llm, tts=self.tts)
        self._service = Service(terms_of(self.settings))
        self._service.resumption = Resumption(self._kept, 60.0, self._service.metrics)
        page = await asyncio.to_thread(whole_page, self.settings, self._service.terms.offer)
        self._running = AsyncExitStack()
        self._doors = await self._running.enter_async_context(
            opened(self._service, "127.0.0.1", self.port, add=page)
        )  # fmt: skip
        self.port = int(self._doors.address.rsplit(":", 1)[1])
        self._service.become_ready(self._kept_in_sight(sessions_on(engines)))

    async def stop(self) -> None:
        """End every session, with 1012, and listen no more; conversations are kept."""
        if self._running is not None:
            running, self._running = self._running, None
            await running.aclose()

    async def leave(self, within_s: float = DRAIN_S) -> None:
        """End as one does that is asked to: the agent may finish, and conversations at rest move on."""
        assert self._doors is not None
        await drain(self.service, self._doors.close, DrainTerms(within_s), asyncio.Event())
        await self.stop()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def forget(self) -> None:
        """Lose all conversations that are kept."""
        self._kept = MemoryStore(time.monotonic)

    def _kept_in_sight(self, open_conversation: OpenConversation) -> OpenConversation:
        def opened(
            settings: SessionSettings, session_id: str, correlation_id: str, resumed: Snapshot | None = None
        ) -> Conversation:
            conversation = open_conversation(settings, session_id, correlation_id, resumed)
            assert isinstance(conversation, Session)
            self.sessions.append(conversation)
            return conversation

        return opened

    async def aclose(self) -> None:
        await self.stop()
        if self._engines is not None:
            await self._engines.aclose()


def scripted_settings(**sections: dict[str, object]) -> Settings:
    """Defaults, but for a busy machine; `sections` are as in speakback.toml."""
    base: dict[str, dict[str, object]] = {"admission": dict(UNHURRIED), "end_of_turn": {"provider": "none"}}
    return Settings.model_validate({**base, **sections})


@dataclass
class LocalServer:
    """`speakback serve` as a process, with the default models of this machine and no key."""

    folder: Path
    """Its working folder: its log, and the conversations that it keeps over restarts."""
    port: int = 0
    _process: Process | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Returns when sessions are admitted."""
        busy = {f"SPEAKBACK_ADMISSION__{name.upper()}": str(value) for name, value in UNHURRIED.items()}
        kept = {"SPEAKBACK_RESUME__STORE": "file", "SPEAKBACK_RESUME__DIRECTORY": str(self.folder / "kept")}
        with (self.folder / SERVER_LOG).open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "speakback", "serve", "--port", str(self.port),
                cwd=self.folder, env={**default_environ(os.environ), **busy, **kept},
                stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self._process.stdout is not None
        async with asyncio.timeout(READY_WITHIN_S):
            ready = (await self._process.stdout.readline()).decode()
        address = re.search(r"http://\S+:(\d+)", ready)
        assert address is not None, f"the server ended before it was ready: see {self.folder / SERVER_LOG}"
        self.port = int(address[1])

    async def stop(self) -> None:
        """Ask it to end, and wait for that: it lets the agent finish first."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.communicate()

    async def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()

    async def restart(self) -> None:
        await self.stop()
        await self.start()
