"""What a reply is going to say is told, clause by clause, as the voice is given it; to clients that follow it."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest

from speakback.audio.speech import SpeechChunk
from speakback.session import notices as n
from speakback.turn.drafts import Drafts
from tests.session.line import Line, on_the_line, slow_ear
from tests.session.scripted import (
    ANSWER,
    BRIEF,
    LONG,
    PLAIN,
    QUESTION,
    Client,
    ScriptedTts,
    says,
    scripted,
)
from tests.session.test_reply import reply_of

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])

WORDY = "It is noon in Rome today. The sun stands high above the town. Nobody is out in the street."
"""Some clauses."""
FOLLOWED = replace(BRIEF, follows_plan=True)
DRAFTING = replace(FOLLOWED, turn=replace(PLAIN, drafts=Drafts()))


@dataclass
class Interrupted(ScriptedTts):
    """A voice whose reply is cut behind its first clause, and that goes on until it learns of it."""

    cut: Callable[[], None] = lambda: None

    async def speak(self, clauses: AsyncIterator[str]) -> AsyncGenerator[SpeechChunk, None]:
        async for chunk in super().speak(clauses):
            yield chunk
            self.cut()


def planned(client: Client, response_id: str) -> list[str]:
    return [plan.text for plan in client.all(n.ReplyPlanned) if plan.response_id == response_id]


async def asked(line: Line) -> n.ReplyEnded:
    line.say(QUESTION, 400)
    return await line.client.until(n.ReplyEnded)


async def test_all_that_is_said_was_planned_and_is_told_before_it_is_heard() -> None:
    async with on_the_line(scripted(says(WORDY)), FOLLOWED) as line:
        ended = await asked(line)
    plan = planned(line.client, ended.response_id)
    assert len(plan) > 2
    assert " ".join(plan) == WORDY
    place = line.client.place
    first = line.client.all(n.ReplyPlanned)[0]
    assert place(line.client.all(n.ReplyBegan)[0]) < place(first) < place(line.client.all(n.ReplyAudioSent)[0])
    assert first.item_id == line.client.all(n.ReplyMessageBegan)[0].item_id


async def test_a_draft_tells_its_plan_when_it_is_promoted_and_not_before() -> None:
    async with on_the_line(scripted(says(WORDY), stt=slow_ear()), DRAFTING) as line:
        ended = await asked(line)
        latency = (await line.client.until(n.LatencyMeasured)).latency
    assert latency.drafted
    began = line.client.all(n.ReplyBegan)[0]
    first = line.client.all(n.ReplyPlanned)[0]
    assert line.client.place(began) < line.client.place(first)
    assert line.client.at_ms(began) == line.client.at_ms(first), "the voice has had it for long"
    assert " ".join(planned(line.client, ended.response_id)) == WORDY


async def test_a_draft_that_is_thrown_away_tells_nothing() -> None:
    async with on_the_line(scripted(says(LONG), says("It is noon."), stt=slow_ear()), DRAFTING) as line:
        line.say(QUESTION, 400)
        line.pause(400)
        line.say(ANSWER, 400)
        await line.client.until(n.ReplyEnded)
    assert [plan.text for plan in line.client.all(n.ReplyPlanned)] == ["It is noon."]


async def test_nothing_is_planned_of_a_reply_that_was_cut() -> None:
    voice = Interrupted()
    told = reply_of(says(WORDY), tts=voice)
    voice.cut = lambda: told.reply.cut(0, 0)
    await told.reply.run()
    assert len(voice.clauses) > 2
    plans = [notice.text for notice in told.notices if isinstance(notice, n.ReplyPlanned)]
    assert plans == voice.clauses[:1]


async def test_directions_for_the_voice_are_not_part_of_the_plan() -> None:
    engines = replace(scripted(says("[laughs] It is noon.")), performs_audio_tags=True)
    async with on_the_line(engines, FOLLOWED) as line:
        await asked(line)
    assert [plan.text for plan in line.client.all(n.ReplyPlanned)] == ["It is noon."]


async def test_a_written_reply_has_no_plan() -> None:
    async with on_the_line(scripted(says(WORDY)), replace(FOLLOWED, speaks=False)) as line:
        await asked(line)
    assert line.client.all(n.ReplyPlanned) == []


async def test_who_does_not_follow_it_is_told_nothing() -> None:
    async with on_the_line(scripted(says(WORDY)), BRIEF) as line:
        await asked(line)
    assert line.client.all(n.ReplyPlanned) == []
