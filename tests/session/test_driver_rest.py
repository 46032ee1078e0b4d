"""session/driver.py: when a conversation is at rest, and for how long."""

import asyncio
from collections.abc import Callable

from speakback.session import notices as n
from speakback.session.driver import Session
from tests.session.scripted import (
    BRIEF,
    LONG,
    MANUAL,
    QUESTION,
    says,
    scripted,
    silence,
    sound,
    talking,
    user,
)


async def after_a_while(session: Session) -> float:
    """How long the conversation has been at rest when a moment has passed."""
    await asyncio.sleep(0.01)
    return session.rest_s


async def test_silence_does_not_end_a_rest() -> None:
    async with talking(scripted()) as client:
        rest_s = await after_a_while(client.session)
        client.session.append_audio(silence(100))
        assert client.session.rest_s >= rest_s


async def test_what_the_client_does_begins_a_new_rest() -> None:
    async with talking(scripted()) as client:
        session = client.session
        steps: tuple[Callable[[], None], ...] = (
            lambda: session.add_item(user("Are you there?")),
            session.clear_input,
            lambda: session.configure(BRIEF),
            session.cancel_reply,
        )
        for do in steps:
            await after_a_while(session)
            began_s = asyncio.get_running_loop().time()
            do()
            assert session.rest_s <= asyncio.get_running_loop().time() - began_s


async def test_there_is_no_rest_while_the_user_speaks_and_the_agent_replies() -> None:
    async with talking(scripted(says(LONG))) as client:
        client.session.append_audio(sound(QUESTION))
        await client.until(n.UserSpeechStarted)
        assert client.session.rest_s == 0.0
        client.session.append_audio(silence())
        await client.until(n.ReplyBegan)
        assert client.session.rest_s == 0.0
        await client.until_heard(100)
        assert client.session.rest_s == 0.0
        await client.until(n.ReplyEnded)
        assert await after_a_while(client.session)


async def test_there_is_no_rest_for_a_client_that_ends_its_turns_itself() -> None:
    async with talking(scripted(), MANUAL) as client:
        assert client.session.rest_s == 0.0
        client.session.configure(BRIEF)
        assert await after_a_while(client.session)
