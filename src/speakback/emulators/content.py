"""What the emulated services say, hear and write: by local models, or made up for tests and load."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from speakback.audio.pcm import Samples
from speakback.providers.llm import Prompt, ToolCall
from speakback.providers.stt import TimedWord


@dataclass(frozen=True, slots=True)
class SpokenText:
    """A clip of speech, mono at 24 kHz, and when each character of its text is spoken."""

    audio_24k: Samples
    starts_ms: tuple[int, ...]
    """One for each character, ascending from 0."""
    durations_ms: tuple[int, ...]
    """One for each character; starts and durations span exactly the audio."""


@dataclass(frozen=True, slots=True)
class HeardText:
    """What is said in a stretch of audio; empty where nothing is."""

    text: str
    words: tuple[TimedWord, ...]


class Speaker(Protocol):
    """Makes speech from text."""

    async def speak(self, text: str) -> SpokenText:
        """Any text; of one without a letter or digit, no audio."""
        ...


class Recogniser(Protocol):
    """Makes text from speech."""

    async def recognise(self, audio_16k: Samples) -> HeardText: ...


class Writer(Protocol):
    """Writes replies, token by token; a tool call comes whole."""

    def write(self, prompt: Prompt) -> AsyncGenerator[str | ToolCall, None]: ...


@dataclass(frozen=True, slots=True)
class Content:
    """What does the work behind the emulated services."""

    speaker: Speaker
    recogniser: Recogniser
    writer: Writer
