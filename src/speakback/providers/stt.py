"""Speech to text, as a session sees it."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from speakback.audio.pcm import Samples


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word with its place in the audio it came from."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in one stretch of audio.

    `text` is empty when nothing was said, or when what the model gave is an invention (see
    `rejected`). `confidence` is in [0, 1], combined from log-probability, no-speech probability
    and compression ratio; `None` where the provider gives no evidence.
    """

    text: str
    words: tuple[TimedWord, ...]
    confidence: float | None
    rejected: str | None = None
    """Why the model's text was thrown away ("invented on silence", ...), never the text itself."""


class Passes(IntEnum):
    """Which passes over a turn are welcome; each level takes in those before it."""

    FINAL = 1
    """Only the one over the whole turn, once it is over."""
    AT_PAUSES = 2
    """One at each pause as well; the last of them is the final one, if no more speech came."""
    WHILE_SPEAKING = 3


class SpeechToText(Protocol):
    """Transcribes whole stretches of audio; a session calls it again and again as a turn grows."""

    @property
    def name(self) -> str:
        """Who it is, in logs and errors."""
        ...

    @property
    def passes(self) -> Passes:
        """How often it may be asked at present: a service that counts its requests keeps some for final passes."""
        ...

    async def transcribe(self, audio_16k: Samples, *, language: str) -> Transcript:
        """Transcribe mono audio at 16 kHz of any length.

        Cancelling is safe: a call that has not started is dropped, one that has started ends unheard.
        Raises `ProviderError`.
        """
        ...

    async def aclose(self) -> None:
        """Release threads and memory; no call may follow."""
        ...
