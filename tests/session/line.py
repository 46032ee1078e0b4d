"""A line that is open all the time, as a phone's: the user's audio comes in as it is spoken. For virtual time."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

import numpy as np

from speakback.audio.pcm import Samples
from speakback.providers.engines import Engines
from speakback.providers.llm import LlmDelta, Prompt
from speakback.session import notices as n
from speakback.session.items import MessageItem
from speakback.session.settings import SessionSettings
from speakback.turn.barge_in import BargeIn, Overlap
from tests.session.scripted import (
    BRIEF,
    PLAIN,
    QUESTION,
    Client,
    LlmScript,
    ScriptedStt,
    ScriptedTts,
    silence,
    sound,
    talking,
)

BLOCK_MS = 20
SLOW_WORD_MS = 200
"""At this pace `LONG` takes 3.2 s to say: long enough to be talked over."""
GRADED = replace(BRIEF, turn=replace(PLAIN, barge_in=BargeIn.GRADED, overlap=Overlap(provisional_ms=350)))


def slow_voice() -> ScriptedTts:
    return ScriptedTts(word_ms=SLOW_WORD_MS)


def slow_ear(takes_ms: int = 150) -> ScriptedStt:
    return ScriptedStt(takes_ms=takes_ms)


def after(thinking_ms: int, script: LlmScript) -> LlmScript:
    """A model that thinks before it writes."""

    async def write(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        await asyncio.sleep(thinking_ms / 1000)
        async for delta in script(prompt):
            yield delta

    return write


class Line:
    """The user's end of the line. Between what is said there is silence."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._blocks: deque[Samples] = deque()

    def say(self, level: float, ms: int) -> None:
        """Speak, behind what is being said already."""
        self._blocks.extend(sound(level, BLOCK_MS) for _ in range(ms // BLOCK_MS))

    def pause(self, ms: int) -> None:
        """Be silent before what is said next."""
        self._blocks.extend(silence(BLOCK_MS) for _ in range(ms // BLOCK_MS))

    async def asks(self, heard_ms: int = 1000) -> n.ReplyBegan:
        """Ask a question, and hear `heard_ms` of the reply."""
        self.say(QUESTION, 400)
        began = await self.client.until(n.ReplyBegan)
        await self.client.until_heard(heard_ms)
        return began

    @property
    def verdicts(self) -> list[str]:
        """What the speech over the agent was taken for, one after the other."""
        return [judged.verdict for judged in self.client.all(n.OverlapJudged)]

    def voice(self, from_ms: int, to_ms: int) -> list[float]:
        """The levels (RMS) of the agent's messages that were sent in that time, as shares of its full level."""
        sent = [notice for notice in self.client.all(n.ReplyAudioSent) if from_ms <= self.client.at_ms(notice) < to_ms]
        full = _level(self.client.all(n.ReplyAudioSent)[0])
        return [_level(notice) / full for notice in sent]

    async def run(self) -> None:
        """Send what is said, block by block."""
        while True:
            await asyncio.sleep(BLOCK_MS / 1000)
            self.client.session.append_audio(self.next_block())

    def next_block(self) -> Samples:
        """What the microphone hears next."""
        return self._blocks.popleft() if self._blocks else silence(BLOCK_MS)


_L = TypeVar("_L", bound=Line)


@asynccontextmanager
async def calling(kind: type[_L], engines: Engines, settings: SessionSettings) -> AsyncIterator[_L]:
    """A session with a line of that kind to it, for the `with` block."""
    async with talking(engines, settings) as client:
        line = kind(client)
        sending = asyncio.create_task(line.run())
        try:
            yield line
        finally:
            sending.cancel()
            await asyncio.wait([sending])


@asynccontextmanager
async def on_the_line(engines: Engines, settings: SessionSettings = BRIEF) -> AsyncIterator[Line]:
    """A session with a line to it, for the `with` block."""
    async with calling(Line, engines, settings) as line:
        yield line


def said(ended: n.ReplyEnded) -> str:
    """What was heard of a reply, by the history."""
    (message,) = ended.items
    assert isinstance(message, MessageItem)
    return message.text


def onset_ms(client: Client, judged: n.OverlapJudged) -> int:
    """When the speech that was judged began."""
    return client.at_ms(judged) - judged.after_ms


def _level(sent: n.ReplyAudioSent) -> float:
    return float(np.sqrt(np.mean(sent.audio_24k**2)))
