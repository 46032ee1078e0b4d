import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from speakback.providers.errors import ProviderError
from speakback.providers.llm import LlmDelta, Prompt, TextDelta
from speakback.session import notices as n
from speakback.session.asking import APOLOGY
from speakback.session.items import MessageItem
from tests.session.scripted import (
    BRIEF,
    PLAIN,
    QUESTION,
    WORD_MS,
    Client,
    ScriptedLlm,
    ScriptedStt,
    ScriptedTts,
    llm_failure,
    reply_text,
    says,
    scripted,
    talking,
    utterance,
    writes,
)

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])


async def heard_apology(client: Client, role: str) -> None:
    """A fault that names the role, and the apology to its end."""
    fault = await client.until(n.Fault)
    assert not fault.by_client
    assert role in fault.message
    ended = await client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
    (message,) = ended.items
    assert isinstance(message, MessageItem)
    assert message.text == APOLOGY
    assert reply_text(client.seen, ended.response_id) == APOLOGY


async def test_a_failed_transcription_is_apologised_for() -> None:
    stt = ScriptedStt(failure=ProviderError("stt", "scripted", "is not there"))
    async with talking(scripted(stt=stt)) as client:
        client.session.append_audio(utterance(QUESTION))
        failed = await client.until(n.TranscriptFailed)
        assert failed.item_id == client.all(n.UserSpeechStarted)[0].item_id
        await heard_apology(client, "stt")
        item = client.session.item(failed.item_id)
        assert isinstance(item, MessageItem)
        assert item.status == "incomplete"
        stt.failure = None
        await client.goes_on()


async def test_a_model_that_is_not_there_is_apologised_for() -> None:
    async with talking(scripted(writes(llm_failure()), says("It is noon."))) as client:
        client.session.append_audio(utterance(QUESTION))
        await heard_apology(client, "llm")
        failed, _ = client.all(n.ReplyEnded)
        assert (failed.status, failed.reason, failed.items) == ("failed", "provider_failed", ())
        await client.goes_on()


async def test_a_model_that_fails_in_mid_reply_is_apologised_for() -> None:
    mid_reply = asyncio.Event()

    async def breaks(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        yield TextDelta("One two three. Four five six. ")
        await mid_reply.wait()
        raise llm_failure()

    llm = ScriptedLlm([breaks, says("It is noon.")])
    async with talking(scripted(llm=llm)) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(2 * WORD_MS)
        mid_reply.set()
        await heard_apology(client, "llm")
        failed = client.all(n.ReplyEnded)[0]
        assert failed.status == "failed"
        (message,) = failed.items
        assert isinstance(message, MessageItem)
        assert "One two three. Four five six.".startswith(message.text)
        await client.goes_on()
    assert [said.content for said in llm.prompts[1].messages if said.role == "assistant"] == [message.text, APOLOGY]


async def test_a_model_that_ends_without_a_word_is_apologised_for() -> None:
    async with talking(scripted(writes(TextDelta("<think>hm</think>")), says("It is noon."))) as client:
        client.session.append_audio(utterance(QUESTION))
        await heard_apology(client, "llm")
        await client.goes_on()


@pytest.mark.parametrize("fails_at", [0, 1])
async def test_a_voice_that_fails_is_apologised_for(fails_at: int) -> None:
    tts = ScriptedTts(failure=ProviderError("tts", "scripted", "is not there"), fails_at=fails_at)
    async with talking(scripted(says("One two three. Four five six."), says("It is noon."), tts=tts)) as client:
        client.session.append_audio(utterance(QUESTION))
        fault = await client.until(n.Fault)
        tts.failure = None
        assert "tts" in fault.message
        await client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
        assert reply_text(client.seen, client.all(n.ReplyEnded)[1].response_id) == APOLOGY
        await client.goes_on()


async def test_a_voice_that_stays_broken_ends_the_turn_with_faults_not_with_apologies_without_end() -> None:
    tts = ScriptedTts(failure=ProviderError("tts", "scripted", "is not there"))
    async with talking(scripted(tts=tts)) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until(n.ReplyEnded)
        await client.until(n.ReplyEnded)
        tts.failure = None
        await client.goes_on()
    assert len(client.all(n.Fault)) == 2


async def test_a_mute_voice_is_apologised_for() -> None:
    tts = ScriptedTts(mute=True)
    async with talking(scripted(tts=tts)) as client:
        client.session.append_audio(utterance(QUESTION))
        fault = await client.until(n.Fault)
        tts.mute = False
        assert "no sound" in fault.message
        await client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
        await client.goes_on()


async def test_a_defect_in_an_adapter_is_apologised_for_and_its_text_is_told_to_nobody() -> None:
    async with talking(scripted(writes(ValueError("the user said: secret")), says("It is noon."))) as client:
        client.session.append_audio(utterance(QUESTION))
        client.forgiven.add("internal_error")
        fault = await client.until(n.Fault)
        assert fault.code == "internal_error"
        assert "secret" not in fault.message
        await client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
        await client.goes_on()


async def test_a_reply_that_stalls_is_apologised_for() -> None:
    never = asyncio.Event()

    async def stalls(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        yield TextDelta("One two three. ")
        await never.wait()

    impatient = replace(BRIEF, turn=replace(PLAIN, first_audio_timeout_ms=1500, stall_timeout_ms=1500))
    async with talking(scripted(stalls, says("It is noon.")), impatient) as client:
        client.session.append_audio(utterance(QUESTION))
        assert (await client.until(n.Fault)).code == "reply_stalled"
        await client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
        assert reply_text(client.seen, client.all(n.ReplyEnded)[-1].response_id) == APOLOGY
        await client.goes_on()


async def test_a_transcript_that_never_comes_is_apologised_for_and_dropped_when_it_comes_too_late() -> None:
    stt = ScriptedStt(gate=asyncio.Event())
    impatient = replace(BRIEF, turn=replace(PLAIN, transcript_timeout_ms=300))
    async with talking(scripted(stt=stt), impatient) as client:
        client.session.append_audio(utterance(QUESTION))
        assert (await client.until(n.Fault)).code == "transcript_overdue"
        await client.until(n.ReplyEnded)
        assert reply_text(client.seen, client.all(n.ReplyEnded)[0].response_id) == APOLOGY
        assert stt.gate is not None
        stt.gate.set()
        await client.until(n.TranscriptCompleted)
        await client.goes_on()
