"""A caller that follows a script as a polite person would: it waits for the agent's end, save where it cuts in."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from speakback.audio.pcm import Samples
from speakback.caller.caller import Caller
from speakback.providers.tts import TextToSpeech

POLITE_GAP_MS = 600
"""Between the end of the agent's reply and the caller's next words."""
REPLY_WITHIN_S = 20.0
"""After so long without a reply, the script goes on."""


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """What the caller says next."""

    text: str
    cut_in_after_ms: int | None = None
    """The caller interrupts when the agent's reply has been heard for so long; None: it waits for its end."""


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """A line of the script and its sound."""

    line: ScriptLine
    audio_24k: Samples = field(repr=False)


async def spoken(voice: TextToSpeech, lines: Sequence[ScriptLine]) -> list[SpokenLine]:
    """The whole script in a voice, before the call, so that making it disturbs nothing. Raises `ProviderError`."""
    return [SpokenLine(line, await _say(voice, line.text)) for line in lines]


async def follow(caller: Caller, lines: Sequence[SpokenLine]) -> None:
    """Say all lines, and hear the last one's answer. Raises `CallError`."""
    for index, spoken_line in enumerate(lines):
        cut_in_after_ms = spoken_line.line.cut_in_after_ms
        if cut_in_after_ms is not None:
            await caller.until_agent_spoke(cut_in_after_ms, REPLY_WITHIN_S)
        elif index:
            await caller.until_answered(POLITE_GAP_MS, REPLY_WITHIN_S)
        await caller.say(spoken_line.audio_24k)
    await caller.until_answered(POLITE_GAP_MS, REPLY_WITHIN_S)


async def _say(voice: TextToSpeech, text: str) -> Samples:
    async def one_clause() -> AsyncIterator[str]:
        yield text

    return np.concatenate([chunk.audio_24k async for chunk in voice.speak(one_clause())])
