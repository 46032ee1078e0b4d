"""How often a session asks for a transcript, where the provider counts its requests."""

import pytest

from speakback.audio.pcm import Samples
from speakback.providers.errors import ProviderError
from speakback.providers.stt import Passes, Transcript
from speakback.session import notices as n
from tests.session.line import GRADED, on_the_line, slow_voice
from tests.session.scripted import (
    BACKCHANNEL,
    HALT,
    LONG,
    QUESTION,
    TEXTS,
    ScriptedStt,
    says,
    scripted,
)

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])


@pytest.mark.parametrize(
    ("passes", "asked"), [(Passes.FINAL, 1), (Passes.AT_PAUSES, 2), (Passes.WHILE_SPEAKING, 8)], ids=str
)
async def test_a_turn_with_a_pause_is_transcribed_as_often_as_is_welcome(passes: Passes, asked: int) -> None:
    stt = ScriptedStt(passes=passes)
    async with on_the_line(scripted(stt=stt)) as line:
        line.say(QUESTION, 1600)
        line.pause(300)
        line.say(QUESTION, 1600)
        completed = await line.client.until(n.TranscriptCompleted)
        await line.client.until(n.ReplyEnded)
    assert completed.text == TEXTS[QUESTION]
    assert len(stt.heard) == asked


async def test_a_pass_at_a_pause_that_failed_is_made_again_as_the_final_one() -> None:
    class FailsOnce(ScriptedStt):
        async def transcribe(self, audio_16k: Samples, *, language: str) -> Transcript:
            await super().transcribe(audio_16k, language=language)
            if len(self.heard) == 1:
                raise ProviderError("stt", "scripted", "is busy")
            return Transcript(TEXTS[QUESTION], (), 0.9)

    stt = FailsOnce(passes=Passes.AT_PAUSES)
    async with on_the_line(scripted(stt=stt)) as line:
        line.say(QUESTION, 400)
        assert (await line.client.until(n.TranscriptCompleted)).text == TEXTS[QUESTION]
        await line.client.until(n.ReplyEnded)
    assert len(stt.heard) == 2


@pytest.mark.parametrize("passes", [Passes.FINAL, Passes.AT_PAUSES], ids=str)
@pytest.mark.parametrize(("level", "status"), [(HALT, "cancelled"), (BACKCHANNEL, "completed")])
async def test_words_over_the_agent_are_read_at_their_pause_as_nothing_else_judges_them(
    passes: Passes, level: float, status: str
) -> None:
    stt = ScriptedStt(passes=passes)
    async with on_the_line(scripted(says(LONG), stt=stt, tts=slow_voice()), GRADED) as line:
        await line.asks()
        asked = len(stt.heard)
        line.say(level, 200)
        ended = await line.client.until(n.ReplyEnded)
    assert ended.status == status
    assert len(stt.heard) == asked + 1
