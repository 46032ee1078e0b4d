"""Speaks back what it heard, word by word and at once: for tests, latency work and demos."""

import re
from collections.abc import AsyncGenerator

from speakback.providers.llm import LlmDelta, Prompt, TextDelta, Usage

_WORD = re.compile(r"\s*\S+")


class Echo:
    """A `LanguageModel` that repeats the last user message. A word is a token, and nothing is cached."""

    name = "echo"

    async def stream(self, prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        """The words of the last user message, at most `max_tokens` of them; none if there is no such message."""
        heard = next((message.content for message in reversed(prompt.messages) if message.role == "user"), "")
        words = _WORD.findall(heard)
        said = words[: prompt.max_tokens]
        for word in said:
            yield TextDelta(word)
        prompt_words = sum(len(_WORD.findall(message.content)) for message in prompt.messages)
        yield Usage(prompt_words, len(said), None, stopped_at_limit=len(said) < len(words))

    async def warm(self, prompt: Prompt) -> None:
        """Nothing to warm."""

    async def aclose(self) -> None:
        """Nothing to release."""
