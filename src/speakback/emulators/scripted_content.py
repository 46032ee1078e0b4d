"""Content without models, for tests and load: tones for words, given transcripts and given replies; all deterministic.

`Remembering…` stand before real models and ask them for each thing once.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from hashlib import blake2b
from typing import Generic, TypeVar
from zlib import crc32

import numpy as np

from speakback.audio.pcm import Samples
from speakback.emulators.content import HeardText, Recogniser, Speaker, SpokenText
from speakback.providers.llm import Prompt, ToolCall
from speakback.providers.stt import TimedWord
from speakback.timebase import EAR_HZ, VOICE_HZ, ms_to_samples, samples_to_ms

CHARACTER_MS = 65
"""English is spoken at about 15 characters a second."""

SILENCE_RMS = 0.003
"""-50 dBFS: what stays below it throughout is silence."""

WORDS_PER_S = 2.5
_TONE_LEVEL = 0.2
_FADE_MS = 5
_FRAME_MS = 20


class ToneSpeaker:
    """A tone for each word, its pitch from its spelling; every character lasts `CHARACTER_MS`."""

    async def speak(self, text: str) -> SpokenText:
        """See `Speaker`."""
        count = len(text)
        if not any(map(str.isalnum, text)):
            return SpokenText(np.zeros(0, np.float32), (0,) * count, (0,) * count)
        audio = np.zeros(ms_to_samples(CHARACTER_MS * count, VOICE_HZ), np.float32)
        for start, word in _words_of(text):
            first = ms_to_samples(CHARACTER_MS * start, VOICE_HZ)
            tone = _tone(word)
            audio[first : first + len(tone)] = tone
        return SpokenText(audio, tuple(CHARACTER_MS * at for at in range(count)), (CHARACTER_MS,) * count)


def _words_of(text: str) -> list[tuple[int, str]]:
    words, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        words.append((at, word))
        at += len(word)
    return words


def _tone(word: str) -> Samples:
    hz = 120 + crc32(word.lower().encode()) % 240
    samples = ms_to_samples(CHARACTER_MS * len(word), VOICE_HZ)
    edge = np.minimum(np.arange(samples), np.arange(samples)[::-1]) / ms_to_samples(_FADE_MS, VOICE_HZ)
    tone: Samples = np.sin(2 * np.pi * hz / VOICE_HZ * np.arange(samples)) * _TONE_LEVEL * np.clip(edge, 0, 1)
    return tone.astype(np.float32)


def voiced_span(audio_16k: Samples) -> tuple[int, int] | None:
    """The samples from the first to the last 20 ms that are not silent; None where all are."""
    frame = ms_to_samples(_FRAME_MS, EAR_HZ)
    padded = np.pad(audio_16k, (0, -len(audio_16k) % frame)).reshape(-1, frame)
    loud = np.flatnonzero(np.sqrt(np.mean(np.square(padded), axis=1)) >= SILENCE_RMS)
    return (int(loud[0]) * frame, min((int(loud[-1]) + 1) * frame, len(audio_16k))) if len(loud) else None


_COUNTED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def counted_words(audio_16k: Samples) -> str:
    """As many words as fit the audio at `WORDS_PER_S`: of audio that grows, a text that grows."""
    count = max(1, round(len(audio_16k) / EAR_HZ * WORDS_PER_S))
    return " ".join(_COUNTED[at % len(_COUNTED)] for at in range(count))


class ScriptedRecogniser:
    """Hears what `answer` says of the stretch that is not silent, its words spread evenly over it."""

    def __init__(self, answer: Callable[[Samples], str] = counted_words) -> None:
        self.answer = answer

    async def recognise(self, audio_16k: Samples) -> HeardText:
        """See `Recogniser`."""
        span = voiced_span(audio_16k)
        if span is None:
            return HeardText("", ())
        words = self.answer(audio_16k[span[0] : span[1]]).split()
        edges = np.linspace(samples_to_ms(span[0], EAR_HZ), samples_to_ms(span[1], EAR_HZ), len(words) + 1)
        spans = zip(words, edges.round().astype(int).tolist(), edges.round().astype(int).tolist()[1:], strict=False)
        return HeardText(" ".join(words), tuple(TimedWord(*word) for word in spans))


class ScriptedWriter:
    """Gives its replies in turn: a prompt with n messages of the assistant gets reply n, beginning anew at the end."""

    def __init__(self, replies: tuple[str | ToolCall, ...] = ("Sure. I can help you with that today.",)) -> None:
        self.replies = replies

    async def write(self, prompt: Prompt) -> AsyncGenerator[str | ToolCall, None]:
        """See `Writer`. A word is a token."""
        reply = self.replies[sum(message.role == "assistant" for message in prompt.messages) % len(self.replies)]
        if isinstance(reply, ToolCall):
            yield reply
            return
        for number, word in enumerate(reply.split()):
            yield f" {word}" if number else word


Given = TypeVar("Given")


class _Memory(Generic[Given]):
    """What was made of each key, made once even if asked twice at the same time; the oldest go beyond `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, Given] = OrderedDict()
        self._making = asyncio.Lock()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Given]]) -> Given:
        if key not in self._known:
            async with self._making:
                if key not in self._known:
                    self._known[key] = await make()
        self._known.move_to_end(key)
        given = self._known[key]
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return given


class RememberingSpeaker:
    """Has each text spoken once by another speaker."""

    def __init__(self, speaker: Speaker, most: int = 500) -> None:
        self._speaker = speaker
        self._memory: _Memory[SpokenText] = _Memory(most)

    async def speak(self, text: str) -> SpokenText:
        """See `Speaker`."""
        return await self._memory.get(text, lambda: self._speaker.speak(text))


class RememberingRecogniser:
    """Has each stretch of audio recognised once by another recogniser."""

    def __init__(self, recogniser: Recogniser, most: int = 5000) -> None:
        self._recogniser = recogniser
        self._memory: _Memory[HeardText] = _Memory(most)

    async def recognise(self, audio_16k: Samples) -> HeardText:
        """See `Recogniser`."""
        digest = blake2b(np.ascontiguousarray(audio_16k).tobytes()).digest()
        return await self._memory.get(digest, lambda: self._recogniser.recognise(audio_16k))
