import asyncio
from dataclasses import replace

import numpy as np
import pytest

from speakback.providers.llm import Message
from speakback.session import notices as n
from speakback.session.driver import UNFINISHED_TURNS
from speakback.session.settings import ReplyOptions
from tests.session.scripted import (
    ANSWER,
    BRIEF,
    MANUAL,
    NOISE,
    QUESTION,
    TEXTS,
    ScriptedLlm,
    ScriptedStt,
    says,
    scripted,
    silence,
    sound,
    talking,
    utterance,
)


async def test_a_committed_turn_is_transcribed_and_answered_only_when_asked() -> None:
    llm = ScriptedLlm([says("It is noon.")])
    async with talking(scripted(llm=llm), MANUAL) as client:
        client.session.append_audio(utterance(QUESTION, 200, then_ms=3000))
        client.session.commit_input()
        transcript = await client.until(n.TranscriptCompleted)
        assert transcript.text == TEXTS[QUESTION]
        client.session.request_reply(ReplyOptions())
        assert (await client.until(n.ReplyEnded)).status == "completed"
    assert len(llm.prompts) == 1
    assert not client.all(n.UserSpeechStarted)
    assert not client.all(n.UserSpeechStopped)


async def test_a_commit_without_audio_is_refused() -> None:
    async with talking(scripted(), MANUAL) as client:
        client.session.append_audio(sound(QUESTION, 90))
        client.session.commit_input("ev_1")
        fault = await client.until(n.Fault)
        assert (fault.code, fault.request_id) == ("input_audio_buffer_commit_empty", "ev_1")


async def test_a_reply_that_is_asked_for_before_the_transcript_is_there_waits_for_it() -> None:
    stt = ScriptedStt(gate=asyncio.Event())
    llm = ScriptedLlm([says("It is noon.")])
    async with talking(scripted(stt=stt, llm=llm), MANUAL) as client:
        client.session.append_audio(utterance(QUESTION))
        client.session.commit_input()
        client.session.request_reply(ReplyOptions(instructions="Rhyme."))
        await client.until(n.ItemAdded)
        assert not llm.prompts
        assert stt.gate is not None
        stt.gate.set()
        await client.until(n.ReplyEnded)
    assert llm.prompts[0].messages == (Message("system", "Rhyme."), Message("user", TEXTS[QUESTION]))


async def test_more_commits_than_may_wait_for_slow_transcripts_are_refused_and_do_no_harm() -> None:
    stt = ScriptedStt(gate=asyncio.Event())
    async with talking(scripted(stt=stt), MANUAL) as client:
        for _ in range(40):
            client.session.append_audio(sound(NOISE, 150))
            client.session.commit_input("ev_1")
        fault = await client.until(n.Fault)
        assert (fault.code, fault.by_client, fault.request_id) == ("too_many_turns", True, "ev_1")
        assert stt.gate is not None
        stt.gate.set()
        for _ in range(UNFINISHED_TURNS):
            await client.until(n.ItemDeleted)
        client.session.append_audio(utterance(QUESTION))
        client.session.commit_input()
        client.session.request_reply(ReplyOptions())
        assert (await client.until(n.ReplyEnded)).status == "completed"


async def test_a_cleared_input_is_forgotten() -> None:
    stt = ScriptedStt()
    async with talking(scripted(stt=stt), MANUAL) as client:
        client.session.append_audio(sound(NOISE, 500))
        client.session.clear_input()
        await client.until(n.InputBufferCleared)
        client.session.append_audio(sound(QUESTION, 300))
        client.session.commit_input()
        await client.until(n.TranscriptCompleted)
    assert [len(audio) for audio in stt.heard] == [300 * 16]


async def test_clearing_forgets_what_came_in_and_was_not_heard_yet() -> None:
    stt = ScriptedStt()
    async with talking(scripted(stt=stt)) as client:
        client.session.append_audio(sound(NOISE, 500))
        client.session.clear_input()
        client.session.append_audio(utterance(QUESTION))
        assert (await client.until(n.TranscriptCompleted)).text == TEXTS[QUESTION]
    assert len(client.all(n.UserSpeechStarted)) == 1
    assert all(float(audio.max()) < 0.3 for audio in stt.heard)


async def test_clearing_an_open_turn_drops_it() -> None:
    async with talking(scripted()) as client:
        client.session.append_audio(sound(NOISE, 500))
        dropped = await client.until(n.UserSpeechStarted)
        client.session.clear_input()
        client.session.append_audio(utterance(QUESTION))
        assert (await client.until(n.TranscriptCompleted)).text == TEXTS[QUESTION]
        await client.until(n.ReplyEnded)
    assert dropped.item_id not in {notice.item_id for notice in client.all(n.InputBufferCommitted)}


async def test_a_client_may_end_a_turn_that_was_detected() -> None:
    async with talking(scripted()) as client:
        client.session.append_audio(sound(QUESTION, 400))
        await client.until(n.UserSpeechStarted)
        client.session.commit_input()
        assert (await client.until(n.TranscriptCompleted)).text == TEXTS[QUESTION]
        client.session.request_reply(ReplyOptions())
        assert (await client.until(n.ReplyEnded)).status == "completed"


async def test_going_over_to_manual_drops_the_open_turn_and_keeps_none_of_its_audio() -> None:
    stt = ScriptedStt()
    async with talking(scripted(stt=stt)) as client:
        client.session.append_audio(sound(NOISE, 400))
        await client.until(n.UserSpeechStarted)
        client.session.configure(MANUAL)
        client.session.commit_input("ev_1")
        assert (await client.until(n.Fault)).code == "input_audio_buffer_commit_empty"
        stt.heard.clear()
        client.session.append_audio(utterance(QUESTION))
        client.session.commit_input()
        assert (await client.until(n.TranscriptCompleted)).text == TEXTS[QUESTION]
    assert [len(audio) for audio in stt.heard] == [1400 * 16]
    assert len(client.all(n.UserSpeechStarted)) == 1


async def test_going_over_to_manual_drops_what_was_not_heard_yet() -> None:
    async with talking(scripted()) as client:
        client.session.append_audio(utterance(QUESTION))
        client.session.configure(MANUAL)
        client.session.configure(BRIEF)
        client.session.append_audio(np.concatenate((silence(), utterance(ANSWER))))
        started = await client.until(n.UserSpeechStarted)
        assert started.audio_start_ms == pytest.approx(2400, abs=32)
        assert (await client.until(n.TranscriptCompleted)).text == TEXTS[ANSWER]
        await client.until(n.ReplyEnded)
    assert len(client.all(n.UserSpeechStarted)) == 1


async def test_settings_that_change_in_mid_turn_hold_for_its_reply() -> None:
    llm = ScriptedLlm([says("It is noon.")])
    async with talking(scripted(llm=llm)) as client:
        client.session.append_audio(sound(QUESTION))
        await client.until(n.UserSpeechStarted)
        client.session.configure(replace(BRIEF, instructions="Rhyme.", speaks=False, transcribes=False))
        client.session.append_audio(silence())
        ended = await client.until(n.ReplyEnded)
    assert not ended.speaks
    assert llm.prompts[0].messages == (Message("system", "Rhyme."), Message("user", TEXTS[QUESTION]))
    assert not client.all(n.TranscriptCompleted)


async def test_a_manual_turn_has_its_transcription_in_the_ledger_of_the_reply_that_was_asked_for() -> None:
    async with talking(scripted(llm=ScriptedLlm([says("It is noon."), says("Still.")])), MANUAL) as client:
        client.session.append_audio(utterance(QUESTION, 200, then_ms=100))
        client.session.commit_input()
        transcript = await client.until(n.TranscriptCompleted)
        client.session.request_reply(ReplyOptions())
        first = (await client.until(n.LatencyMeasured)).latency
        assert first.item_id == transcript.item_id
        assert first.transcription_ms is not None
        assert first.asr_confidence == transcript.confidence
        assert first.ttfb_ms is None, "nobody measured when the speech ended"
        client.session.request_reply(ReplyOptions())
        again = (await client.until(n.LatencyMeasured)).latency
        assert again.item_id is None, "the turn was answered already"
