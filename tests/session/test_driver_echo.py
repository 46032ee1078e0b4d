"""A speakerphone on a plain connection, live: the agent hears itself all the time."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace

import numpy as np
import pytest

from speakback.audio.pcm import Samples
from speakback.audio.speech import SpeechChunk
from speakback.providers.engines import Engines
from speakback.session import notices as n
from speakback.timebase import EAR_HZ, VOICE_HZ, ms_to_samples
from speakback.turn.strategies import strategy
from tests.session.line import BLOCK_MS, Line, calling, said, slow_ear
from tests.session.scripted import (
    BRIEF,
    LONG,
    QUESTION,
    Client,
    LevelVad,
    ScriptedLlm,
    ScriptedTts,
    says,
    scripted,
)
from tests.session.test_echo import babble

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])

OVERLAP_AWARE = replace(BRIEF, turn=strategy("overlap-aware"))
TWICE = f"{LONG} {LONG}"


class BabblingTts(ScriptedTts):
    """A voice like a person's, 200 ms to a word."""

    def __init__(self) -> None:
        super().__init__(word_ms=200)

    async def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        async for chunk in super().speak(clauses):
            seconds = len(chunk.audio_24k) / VOICE_HZ
            yield replace(chunk, audio_24k=babble(seconds, VOICE_HZ, len(self.clauses)))


class Speakerphone(Line):
    """What is played comes back, a fifth of a second later and at half its level."""

    delay = ms_to_samples(200, EAR_HZ)
    gain = np.float32(0.5)

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self._echo = np.zeros(ms_to_samples(20_000, EAR_HZ), np.float32)
        self._position = 0
        self._played_to = 0
        self._taken = 0

    def talk(self, seconds: float) -> None:
        """Speak with a voice like a person's, as loud as the agent's."""
        block = ms_to_samples(BLOCK_MS, EAR_HZ)
        voice = babble(seconds, EAR_HZ, 99)
        self._blocks.extend(voice[start : start + block] for start in range(0, len(voice), block))

    def next_block(self) -> Samples:
        for notice in self.client.seen[self._taken :]:
            if isinstance(notice, n.ReplyAudioSent):
                self._play(notice.audio_24k)
        self._taken = len(self.client.seen)
        spoken = super().next_block()
        echo = self._echo[self._position : self._position + len(spoken)]
        self._position += len(spoken)
        return np.asarray(spoken + echo, np.float32)

    def _play(self, audio_24k: Samples) -> None:
        at = np.arange(len(audio_24k) * EAR_HZ // VOICE_HZ) * (VOICE_HZ / EAR_HZ)
        echo = self.gain * np.interp(at, np.arange(len(audio_24k)), audio_24k)
        start = max(self._position + self.delay, self._played_to)
        self._played_to = start + len(echo)
        self._echo[start : self._played_to] = echo


def slow_engines(llm: ScriptedLlm) -> Engines:
    """The words over the agent come too late to tell anything: only their sound does."""
    return scripted(vad=LevelVad(loud_above=0.02), llm=llm, stt=slow_ear(1500), tts=BabblingTts())


async def test_an_agent_that_hears_itself_says_its_reply_whole() -> None:
    llm = ScriptedLlm([says(TWICE)])
    async with calling(Speakerphone, slow_engines(llm), OVERLAP_AWARE) as line:
        line.say(QUESTION, 400)
        ended = await line.client.until(n.ReplyEnded)
    assert (ended.status, said(ended)) == ("completed", TWICE)
    assert len(line.client.all(n.UserSpeechStarted)) == 1
    assert "echo" in line.verdicts
    assert len(llm.prompts) == 1


async def test_a_user_who_speaks_up_over_the_echo_is_heard() -> None:
    llm = ScriptedLlm([says(TWICE), says("It is noon.")])
    async with calling(Speakerphone, slow_engines(llm), OVERLAP_AWARE) as line:
        await line.asks(heard_ms=4000)
        assert len(line.client.all(n.UserSpeechStarted)) == 1
        line.talk(1.6)
        ended = await line.client.until(n.ReplyEnded)
    assert (ended.status, ended.reason) == ("cancelled", "turn_detected")
    assert line.verdicts[-1] == "interruption"
