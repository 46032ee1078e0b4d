"""Text to speech, as a session sees it: clauses in, audio with word times out (`audio/speech.py`)."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol

from speakback.audio.speech import SpeechChunk, SpokenWord

__all__ = ["SpeechChunk", "SpokenWord", "TextToSpeech"]


class TextToSpeech(Protocol):
    """Speaks replies. Calls of different sessions may overlap."""

    @property
    def name(self) -> str:
        """Who it is, in logs and errors."""
        ...

    def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        """Speak one reply: each clause is spoken as soon as it arrives, in order.

        Closing the generator, or cancelling its task, stops the work. Raises `ProviderError`.
        """
        ...

    async def warm(self) -> None:
        """Make the first words of the process as quick as the later ones. Raises `ProviderError`."""
        ...

    async def aclose(self) -> None:
        """Release threads and memory; no call may follow."""
        ...
