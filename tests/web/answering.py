"""What a scripted server answers, whatever else it drafted meanwhile."""

from collections.abc import AsyncGenerator

from speakback.providers.llm import LlmDelta, Prompt
from tests.session.scripted import ScriptedLlm, says


def answering(*replies: str) -> ScriptedLlm:
    """A model that answers the user's first turn with the first of these, and so on; the last serves all later ones."""

    async def write(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        turns = sum(message.role == "user" for message in prompt.messages)
        async for delta in says(replies[min(max(turns, 1), len(replies)) - 1])(prompt):
            yield delta

    return ScriptedLlm([write])


def history(llm: ScriptedLlm) -> list[tuple[str, str]]:
    """The conversation as the model was given it last: who said what."""
    return [(message.role, message.content) for message in llm.prompts[-1].messages if message.role != "system"]
