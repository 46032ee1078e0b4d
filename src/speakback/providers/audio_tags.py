"""Audio tags such as `[laughs]`: directions for expressive voices, which all others would read aloud."""

import re
from collections.abc import AsyncGenerator, AsyncIterator

from speakback.providers.tts import SpeechChunk, TextToSpeech

TAG = re.compile(r"\[[^\]]{1,40}\]")


def without_tags(text: str) -> str:
    """The text as it is said, its words apart by single spaces."""
    return " ".join(TAG.sub(" ", text).split())


def is_speakable(text: str) -> bool:
    """Whether it has a letter or a digit: of anything else no audio would come."""
    return any(map(str.isalnum, text))


class Untagged:
    """A voice that is given no tags: one that may have to stand in for an expressive one."""

    def __init__(self, voice: TextToSpeech) -> None:
        self._voice = voice

    @property
    def name(self) -> str:
        """See `TextToSpeech`."""
        return self._voice.name

    def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        """See `TextToSpeech`."""
        return self._voice.speak(_untagged(clauses))

    async def warm(self) -> None:
        """See `TextToSpeech`."""
        await self._voice.warm()

    async def aclose(self) -> None:
        """See `TextToSpeech`."""
        await self._voice.aclose()


async def _untagged(clauses: AsyncIterator[str]) -> AsyncGenerator[str, None]:
    async for clause in clauses:
        yield without_tags(clause)
