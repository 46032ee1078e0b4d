"""What a session holds in memory, and how its tasks are called."""

import asyncio

from speakback.observe.population import kind_of, owner_of
from speakback.session import notices as n
from speakback.timebase import EAR_HZ, ms_to_samples
from tests.session.scripted import (
    LONG,
    QUESTION,
    ScriptedLlm,
    says,
    scripted,
    sent_samples,
    silence,
    sound,
    talking,
    utterance,
)

BYTES = 4
"""Of a sample."""


async def test_a_fresh_session_holds_nothing() -> None:
    async with talking(scripted()) as client:
        assert client.session.held().total == 0


async def test_what_was_heard_is_held_while_the_turn_is_open_and_let_go_after() -> None:
    async with talking(scripted()) as client:
        client.session.append_audio(sound(QUESTION, 2000))
        await client.until(n.UserSpeechStarted)
        open_turn = client.session.held()
        assert open_turn.heard >= BYTES * ms_to_samples(2000, EAR_HZ)
        for _ in range(20):
            client.session.append_audio(silence(100))
        await client.until(n.ReplyEnded)
        assert client.session.held().heard < open_turn.heard / 2


async def test_a_reply_is_held_in_its_books_and_its_words_in_the_history() -> None:
    async with talking(scripted()) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until(n.ReplyEnded)
        held = client.session.held()
        assert held.spoken >= BYTES * sent_samples(client.seen)
        assert held.history > 0


async def test_what_is_not_fetched_is_held_as_notices() -> None:
    async with talking(scripted()) as client:
        client.session.clear_input()
        assert client.session.held().notices > 0
        await client.until(n.InputBufferCleared)
        assert client.session.held().notices == 0


async def test_every_task_of_a_session_says_whose_it_is() -> None:
    async with talking(scripted(llm=ScriptedLlm([says(LONG)])), name="sess_7") as client:
        before = asyncio.all_tasks()
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(100)
        names = [task.get_name() for task in asyncio.all_tasks() - before]
    assert {owner_of(name) for name in names} == {"sess_7"}
    assert {"Replies._run", "Reply._play"} <= {kind_of(name) for name in names}
