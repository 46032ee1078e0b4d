"""session/floor_news.py: a client that follows the floor is told of each change of it, and of nothing else."""

from dataclasses import replace

import pytest

from speakback.session import notices as n
from speakback.turn.tables import Agent, Floor, User
from tests.session.line import GRADED, Line, on_the_line, slow_ear, slow_voice
from tests.session.scripted import (
    ANSWER,
    BACKCHANNEL,
    BRIEF,
    LONG,
    NOISE,
    QUESTION,
    says,
    scripted,
    silence,
    talking,
)
from tests.session.virtual_time import START_S

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])

FOLLOWED = replace(BRIEF, follows_floor=True)
GRADED_FOLLOWED = replace(GRADED, follows_floor=True)


def told(line: Line, since: int = 0) -> list[tuple[str, str, str, bool]]:
    """User, agent, holder, and whether the agent is ducked, of each change."""
    changes = line.client.all(n.FloorChanged)[since:]
    return [(change.user.value, change.agent.value, change.holder.value, change.is_ducked) for change in changes]


async def idle_again(line: Line) -> None:
    """Wait until nobody speaks and nothing is made."""
    await line.client.until(n.FloorChanged, lambda now: (now.user, now.agent) == (User.SILENT, Agent.IDLE))


async def test_a_question_and_its_answer() -> None:
    async with on_the_line(scripted(), FOLLOWED) as line:
        line.say(QUESTION, 400)
        await idle_again(line)
    assert told(line) == [
        ("speaking", "idle", "user", False),
        ("ending", "idle", "user", False),
        ("silent", "thinking", "nobody", False),
        ("silent", "speaking", "agent", False),
        ("silent", "idle", "nobody", False),
    ]
    for change in line.client.all(n.FloorChanged):
        on_the_line_ms = line.client.at_ms(change) - round(START_S * 1000)
        assert on_the_line_ms - 40 <= change.audio_ms <= on_the_line_ms


async def test_what_a_step_tells_besides_comes_first() -> None:
    async with on_the_line(scripted(), FOLLOWED) as line:
        line.say(QUESTION, 400)
        await idle_again(line)
    started, _, thinking, speaking, _ = line.client.all(n.FloorChanged)
    place = line.client.place
    assert place(line.client.all(n.UserSpeechStarted)[0]) < place(started)
    assert place(line.client.all(n.UserSpeechStopped)[0]) < place(thinking)
    assert place(line.client.all(n.ReplyAudioSent)[0]) < place(speaking)


async def test_a_listeners_word_ducks_the_agent_and_leaves_it_the_floor() -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), GRADED_FOLLOWED) as line:
        await line.asks()
        before = len(told(line))
        line.say(BACKCHANNEL, 160)
        await idle_again(line)
    changes = told(line, before)
    assert changes == [
        ("speaking", "speaking", "both", False),
        ("speaking", "speaking", "both", True),
        ("ending", "speaking", "both", False),
        ("silent", "speaking", "agent", False),
        ("silent", "idle", "nobody", False),
    ]


async def test_an_agent_that_was_held_is_at_its_full_level_when_it_goes_on() -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), GRADED_FOLLOWED) as line:
        await line.asks()
        before = len(told(line))
        line.say(NOISE, 500)
        await idle_again(line)
    changes = told(line, before)
    agents = [change[1] for change in changes]
    assert agents.index("paused") > 0
    went_on = agents.index("speaking", agents.index("paused"))
    assert not any(is_ducked for *_, is_ducked in changes[went_on:])


async def test_an_interruption_gives_the_user_the_floor() -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), GRADED_FOLLOWED) as line:
        await line.asks()
        before = len(told(line))
        line.say(ANSWER, 1200)
        ended = await line.client.until(n.ReplyEnded)
        change = await line.client.until(n.FloorChanged)
    assert ended.status == "cancelled"
    assert told(line, before)[-2:] == [("speaking", "paused", "user", True), ("speaking", "idle", "user", False)]
    assert change is line.client.all(n.FloorChanged)[-1]


async def test_who_begins_to_follow_it_is_told_how_things_stand() -> None:
    async with talking(scripted()) as client:
        client.session.append_audio(silence(640))
        for settings in (FOLLOWED, FOLLOWED, BRIEF, FOLLOWED):
            client.session.configure(settings)
    stands = n.FloorChanged(User.SILENT, Agent.IDLE, Floor.NOBODY, False, 640)
    assert client.all(n.FloorChanged) == [stands, stands], "not again while it goes on to follow"


async def test_who_does_not_follow_it_is_told_nothing() -> None:
    async with on_the_line(scripted(), BRIEF) as line:
        line.say(QUESTION, 400)
        await line.client.until(n.LatencyMeasured)
    assert line.client.all(n.FloorChanged) == []
