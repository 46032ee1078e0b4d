"""The echo says what the user said, and nothing else."""

from dataclasses import replace

from speakback.providers.adapters.echo import Echo
from speakback.providers.llm import LlmDelta, Message, Prompt, TextDelta, Usage

TALK = Prompt((Message("system", "Be kind."), Message("user", "Hello there,  friend."), Message("assistant", "Hi.")))


async def deltas(prompt: Prompt) -> list[LlmDelta]:
    return [delta async for delta in Echo().stream(prompt)]


async def test_it_says_the_last_user_message_word_by_word() -> None:
    assert await deltas(TALK) == [
        TextDelta("Hello"),
        TextDelta(" there,"),
        TextDelta("  friend."),
        Usage(6, 3, None, stopped_at_limit=False),
    ]


async def test_it_keeps_to_the_limit_and_says_so() -> None:
    assert await deltas(replace(TALK, max_tokens=1)) == [TextDelta("Hello"), Usage(6, 1, None, stopped_at_limit=True)]


async def test_without_a_user_it_says_nothing() -> None:
    assert await deltas(Prompt(())) == [Usage(0, 0, None, stopped_at_limit=False)]


async def test_warming_and_closing_do_nothing() -> None:
    echo = Echo()
    await echo.warm(TALK)
    await echo.aclose()
