import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import numpy as np
import pytest

from speakback.audio.pcm import Samples
from speakback.providers.errors import ProviderError
from speakback.providers.llm import LlmDelta, Message, Prompt, TextDelta, Tool, ToolCall, Usage
from speakback.session import notices as n
from speakback.session.driver import NOTICES_WAITING
from speakback.session.items import MessageItem, ToolCallItem, ToolOutputItem
from speakback.session.replies import APOLOGY
from speakback.session.settings import ReplyOptions
from speakback.timebase import VOICE_HZ, samples_to_ms
from tests.session.scripted import (
    ANSWER,
    BRIEF,
    NOISE,
    PLAIN,
    QUESTION,
    TEXTS,
    WORD_MS,
    Client,
    ScriptedLlm,
    ScriptedStt,
    ScriptedTts,
    llm_failure,
    reply_text,
    says,
    scripted,
    sent_samples,
    silence,
    sound,
    talking,
    utterance,
    writes,
)

LONG = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen."
"""A reply that takes 2 s to say."""


def user(text: str, item_id: str = "item_u") -> MessageItem:
    return MessageItem(item_id, "user", text, spoken=False)


async def test_a_spoken_sentence_is_answered_aloud() -> None:
    llm = ScriptedLlm([says("It is noon.")])
    async with talking(scripted(llm=llm)) as client:
        client.session.append_audio(utterance(QUESTION))
        transcript = await client.until(n.TranscriptCompleted)
        assert transcript.text == TEXTS[QUESTION]
        ended = await client.until(n.ReplyEnded)
    assert (ended.status, ended.reason) == ("completed", None)
    (message,) = ended.items
    assert isinstance(message, MessageItem)
    assert (message.text, message.status, message.spoken) == ("It is noon.", "completed", True)
    assert reply_text(client.seen, ended.response_id) == "It is noon."
    assert samples_to_ms(sent_samples(client.seen), VOICE_HZ) == 3 * WORD_MS
    assert llm.prompts[0].messages == (Message("system", "Be brief."), Message("user", TEXTS[QUESTION]))


async def test_the_notices_of_a_turn_come_in_the_order_that_clients_rely_on() -> None:
    async with talking(scripted()) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until(n.LatencyMeasured)
    kinds = [type(notice) for notice in client.seen]
    assert list(dict.fromkeys(kinds)) == [
        n.UserSpeechStarted,
        n.UserSpeechStopped,
        n.InputBufferCommitted,
        n.ItemAdded,
        n.TranscriptCompleted,
        n.ReplyBegan,
        n.ReplyMessageBegan,
        n.ReplyTextGrew,
        n.ReplyAudioSent,
        n.ReplyMessageEnded,
        n.ReplyEnded,
        n.LatencyMeasured,
    ]


async def test_a_turn_has_one_item_id_throughout_and_the_reply_stands_behind_it() -> None:
    async with talking(scripted()) as client:
        client.session.append_audio(utterance(QUESTION))
        latency = (await client.until(n.LatencyMeasured)).latency
    item_id = client.all(n.UserSpeechStarted)[0].item_id
    assert client.all(n.UserSpeechStopped)[0].item_id == item_id
    assert client.all(n.InputBufferCommitted)[0].item_id == item_id
    assert client.all(n.TranscriptCompleted)[0].item_id == item_id
    assert client.all(n.ReplyMessageBegan)[0].previous_item_id == item_id
    assert latency.item_id == item_id
    assert latency.response_id == client.all(n.ReplyEnded)[0].response_id
    assert latency.asr_confidence == 0.9
    assert latency.artifacts is not None
    assert latency.artifacts.late_frames == 0


# ---- barge-in -------------------------------------------------------------------------------------


async def test_barge_in_cuts_the_history_to_what_was_heard() -> None:
    llm = ScriptedLlm([says(LONG), says("Sure.")])
    async with talking(scripted(llm=llm)) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(5 * WORD_MS)
        client.session.append_audio(sound(ANSWER, 200))
        ended = await client.until(n.ReplyEnded)
        assert (ended.status, ended.reason) == ("cancelled", "turn_detected")
        (message,) = ended.items
        assert isinstance(message, MessageItem)
        assert message.status == "incomplete"
        assert LONG.startswith(message.text)
        assert 3 <= len(message.text.split()) <= 7
        client.session.append_audio(silence())
        await client.until(n.ReplyEnded)
    assert llm.prompts[1].messages[1:] == (
        Message("user", TEXTS[QUESTION]),
        Message("assistant", message.text),
        Message("user", TEXTS[ANSWER]),
    )
    assert llm.under_way == 0


async def test_a_client_hears_of_the_users_speech_before_the_replys_end_and_of_no_audio_behind_it() -> None:
    async with talking(scripted(says(LONG))) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(400)
        client.session.append_audio(sound(ANSWER, 200))
        started = await client.until(n.UserSpeechStarted)
        ended = await client.until(n.ReplyEnded)
    started_at, ended_at = client.place(started), client.place(ended)
    fading = [notice for notice in client.seen[:started_at] if isinstance(notice, n.ReplyAudioSent)][-1]
    assert samples_to_ms(len(fading.audio_24k), VOICE_HZ) == PLAIN.stop_fade_ms
    assert abs(float(fading.audio_24k[-1])) < 0.001
    assert sent_samples(client.seen[started_at:]) == 0
    assert [type(notice) for notice in client.seen[started_at : ended_at + 1]] == [
        n.UserSpeechStarted,
        n.ReplyMessageEnded,
        n.ReplyEnded,
    ]


async def test_barge_in_while_thinking_answers_both_turns_in_one_reply() -> None:
    slow = asyncio.Event()

    async def thinks(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        await slow.wait()
        yield TextDelta("Never said.")

    llm = ScriptedLlm([thinks, says("It is noon, and there is more.")])
    async with talking(scripted(llm=llm)) as client:
        client.session.append_audio(utterance(QUESTION))
        began = await client.until(n.ReplyBegan)
        client.session.append_audio(utterance(ANSWER))
        stopped = await client.until(n.ReplyEnded)
        assert (stopped.response_id, stopped.status, stopped.items) == (began.response_id, "cancelled", ())
        ended = await client.until(n.ReplyEnded)
        assert ended.status == "completed"
    assert llm.prompts[1].messages[1:] == (Message("user", TEXTS[QUESTION]), Message("user", TEXTS[ANSWER]))
    assert len(llm.prompts) == 2


async def test_a_cough_while_the_agent_thinks_does_not_leave_silence() -> None:
    never = asyncio.Event()

    async def thinks(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        await never.wait()
        yield TextDelta("Never said.")

    async with talking(scripted(thinks, says("It is noon."))) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until(n.ReplyBegan)
        client.session.append_audio(utterance(NOISE, 200))
        assert (await client.until(n.ReplyEnded)).status == "cancelled"
        ended = await client.until(n.ReplyEnded)
        assert ended.status == "completed"
        assert reply_text(client.seen, ended.response_id) == "It is noon."
        cough = client.all(n.UserSpeechStarted)[1].item_id
        assert [notice.item_id for notice in client.all(n.ItemDeleted)] == [cough]
        assert client.session.item(cough) is None


async def test_a_cough_does_not_change_how_a_requested_reply_was_asked_for() -> None:
    never = asyncio.Event()

    async def thinks(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        await never.wait()
        yield TextDelta("Never said.")

    llm = ScriptedLlm([thinks, says("It is noon.")])
    async with talking(scripted(llm=llm)) as client:
        options = ReplyOptions(instructions="Rhyme.", speaks=False, metadata=(("topic", "time"),))
        client.session.request_reply(options)
        await client.until(n.ReplyBegan)
        client.session.append_audio(utterance(NOISE, 200))
        await client.until(n.ReplyEnded)
        ended = await client.until(n.ReplyEnded)
    assert (ended.speaks, ended.metadata) == (False, (("topic", "time"),))
    assert llm.prompts[1].messages == (Message("system", "Rhyme."),)


@pytest.mark.parametrize("heard", [sound(NOISE, 300), sound(0.01, 300)], ids=["noise", "hiss"])
async def test_what_holds_no_words_never_becomes_a_turn(heard: Samples) -> None:
    llm = ScriptedLlm([says("It is noon.")])
    async with talking(scripted(llm=llm)) as client:
        client.session.append_audio(heard)
        client.session.append_audio(silence())
        client.session.append_audio(utterance(QUESTION))
        await client.until(n.ReplyEnded)
    assert llm.prompts[0].messages[1:] == (Message("user", TEXTS[QUESTION]),)
    assert len(llm.prompts) == 1
    assert len(client.all(n.ItemDeleted)) == len(client.all(n.UserSpeechStarted)) - 1


# ---- failures -------------------------------------------------------------------------------------


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


async def goes_on(client: Client) -> None:
    """The conversation is whole: the next turn is answered."""
    client.session.append_audio(utterance(ANSWER))
    began = await client.until(n.ReplyBegan)
    ended = await client.until(n.ReplyEnded)
    assert (ended.response_id, ended.status) == (began.response_id, "completed")
    assert reply_text(client.seen, ended.response_id) == "It is noon."


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
        await goes_on(client)


async def test_a_model_that_is_not_there_is_apologised_for() -> None:
    async with talking(scripted(writes(llm_failure()), says("It is noon."))) as client:
        client.session.append_audio(utterance(QUESTION))
        await heard_apology(client, "llm")
        failed, _ = client.all(n.ReplyEnded)
        assert (failed.status, failed.reason, failed.items) == ("failed", "provider_failed", ())
        await goes_on(client)


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
        await goes_on(client)
    assert [said.content for said in llm.prompts[1].messages if said.role == "assistant"] == [message.text, APOLOGY]


async def test_a_model_that_ends_without_a_word_is_apologised_for() -> None:
    async with talking(scripted(writes(TextDelta("<think>hm</think>")), says("It is noon."))) as client:
        client.session.append_audio(utterance(QUESTION))
        await heard_apology(client, "llm")
        await goes_on(client)


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
        await goes_on(client)


async def test_a_voice_that_stays_broken_ends_the_turn_with_faults_not_with_apologies_without_end() -> None:
    tts = ScriptedTts(failure=ProviderError("tts", "scripted", "is not there"))
    async with talking(scripted(tts=tts)) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until(n.ReplyEnded)
        await client.until(n.ReplyEnded)
        tts.failure = None
        await goes_on(client)
    assert len(client.all(n.Fault)) == 2


async def test_a_mute_voice_is_apologised_for() -> None:
    tts = ScriptedTts(mute=True)
    async with talking(scripted(tts=tts)) as client:
        client.session.append_audio(utterance(QUESTION))
        fault = await client.until(n.Fault)
        tts.mute = False
        assert "no sound" in fault.message
        await client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
        await goes_on(client)


async def test_a_defect_in_an_adapter_is_apologised_for_and_its_text_is_told_to_nobody() -> None:
    async with talking(scripted(writes(ValueError("the user said: secret")), says("It is noon."))) as client:
        client.session.append_audio(utterance(QUESTION))
        client.forgiven.add("internal_error")
        fault = await client.until(n.Fault)
        assert fault.code == "internal_error"
        assert "secret" not in fault.message
        await client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
        await goes_on(client)


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
        await goes_on(client)


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
        await goes_on(client)


# ---- tools, text, requests ------------------------------------------------------------------------

CLOCK = Tool("clock", "Tells the time.", '{"type": "object"}')
CALL = ToolCall("call_1", "clock", "{}")


async def test_a_tool_call_is_passed_through_and_the_reply_goes_on_after_its_output() -> None:
    llm = ScriptedLlm([writes(CALL), says("It is noon.")])
    async with talking(scripted(llm=llm), replace(BRIEF, tools=(CLOCK,))) as client:
        client.session.append_audio(utterance(QUESTION))
        called = await client.until(n.ReplyToolCalled)
        assert (called.output_index, called.item.call_id, called.item.arguments) == (0, "call_1", "{}")
        ended = await client.until(n.ReplyEnded)
        assert (ended.status, ended.items) == ("completed", (called.item,))
        client.session.add_item(ToolOutputItem("item_out", "call_1", "12:00"))
        client.session.request_reply(ReplyOptions())
        assert (await client.until(n.ReplyEnded)).status == "completed"
    assert llm.prompts[0].tools == (CLOCK,)
    assert llm.prompts[1].messages[2:] == (
        Message("assistant", "", tool_calls=(CALL,)),
        Message("tool", "12:00", tool_call_id="call_1"),
    )


async def test_words_before_a_tool_call_are_spoken_and_stand_before_it() -> None:
    async with talking(scripted(writes(TextDelta("Let me see."), CALL))) as client:
        client.session.append_audio(utterance(QUESTION))
        ended = await client.until(n.ReplyEnded)
    message, call = ended.items
    assert isinstance(message, MessageItem)
    assert isinstance(call, ToolCallItem)
    assert message.text == "Let me see."
    called = client.all(n.ReplyToolCalled)[0]
    assert (called.output_index, called.previous_item_id) == (1, message.item_id)


async def test_a_text_reply_makes_no_sound() -> None:
    tts = ScriptedTts()
    async with talking(scripted(says("It is noon."), tts=tts), replace(BRIEF, speaks=False)) as client:
        client.session.add_item(user("What time is it?"))
        client.session.request_reply(ReplyOptions())
        ended = await client.until(n.ReplyEnded)
    (message,) = ended.items
    assert isinstance(message, MessageItem)
    assert (message.text, message.spoken) == ("It is noon.", False)
    assert reply_text(client.seen, ended.response_id).strip() == "It is noon."
    assert (sent_samples(client.seen), tts.clauses) == (0, [])


async def test_a_text_reply_cannot_be_truncated() -> None:
    async with talking(scripted(says("It is noon.")), replace(BRIEF, speaks=False)) as client:
        client.session.request_reply(ReplyOptions())
        (message,) = (await client.until(n.ReplyEnded)).items
        client.session.truncate_item(message.item_id, 0, "ev_1")
        fault = await client.until(n.Fault)
        assert (fault.by_client, fault.request_id) == (True, "ev_1")
        assert client.session.item(message.item_id) == message


async def test_a_second_request_is_refused_while_a_reply_is_active() -> None:
    async with talking(scripted(says(LONG))) as client:
        client.session.request_reply(ReplyOptions())
        await client.until_heard(100)
        client.session.request_reply(ReplyOptions(speaks=False), "ev_2")
        fault = await client.until(n.Fault)
        assert (fault.code, fault.request_id) == ("conversation_already_has_active_response", "ev_2")
        client.session.cancel_reply()
        ended = await client.until(n.ReplyEnded)
        assert (ended.status, ended.reason, ended.speaks) == ("cancelled", "client_cancelled", True)


async def test_cancelling_names_the_reply_or_is_refused() -> None:
    async with talking(scripted(says(LONG))) as client:
        client.session.cancel_reply(request_id="ev_0")
        assert (await client.until(n.Fault)).code == "response_cancel_not_active"
        client.session.request_reply(ReplyOptions())
        began = await client.until(n.ReplyBegan)
        client.session.cancel_reply("resp_other", "ev_1")
        fault = await client.until(n.Fault)
        assert (fault.request_id, fault.param) == ("ev_1", "response_id")
        client.session.cancel_reply(began.response_id)
        assert (await client.until(n.ReplyEnded)).status == "cancelled"


async def test_a_reply_that_reaches_its_token_limit_is_incomplete() -> None:
    script = writes(TextDelta("It is"), Usage(3, 2, None, stopped_at_limit=True))
    async with talking(scripted(script)) as client:
        client.session.request_reply(ReplyOptions())
        ended = await client.until(n.ReplyEnded)
    assert (ended.status, ended.reason) == ("incomplete", "max_output_tokens")


# ---- the client ends turns itself -----------------------------------------------------------------

MANUAL = replace(BRIEF, listens=False)


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


async def test_many_commits_without_words_while_transcripts_are_slow_do_no_harm() -> None:
    stt = ScriptedStt(gate=asyncio.Event())
    async with talking(scripted(stt=stt), MANUAL) as client:
        for _ in range(40):
            client.session.append_audio(sound(NOISE, 150))
            client.session.commit_input()
        assert stt.gate is not None
        stt.gate.set()
        for _ in range(40):
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


# ---- items ----------------------------------------------------------------------------------------


async def test_items_are_added_where_the_client_wants_them() -> None:
    async with talking(scripted()) as client:
        client.session.add_item(user("second", "item_2"))
        client.session.add_item(user("first", "item_1"), "root")
        client.session.add_item(user("third", "item_3"), "item_2")
        await client.until(n.ItemAdded, lambda added: added.item.item_id == "item_3")
        assert [notice.previous_item_id for notice in client.all(n.ItemAdded)] == [None, None, "item_2"]
        client.session.add_item(user("again", "item_2"), request_id="ev_1")
        client.session.add_item(user("lost", "item_4"), "item_9", "ev_2")
        client.session.delete_item("item_9", "ev_3")
        client.session.delete_item("item_2")
        await client.until(n.ItemDeleted)
    params = [(fault.request_id, fault.param, fault.by_client) for fault in client.all(n.Fault)]
    assert params == [("ev_1", "item.id", True), ("ev_2", "previous_item_id", True), ("ev_3", "item_id", True)]


async def test_truncating_cuts_the_history_to_the_words_before() -> None:
    async with talking(scripted(says("One two three four five six."))) as client:
        client.session.request_reply(ReplyOptions())
        (message,) = (await client.until(n.ReplyEnded)).items
        client.session.truncate_item(message.item_id, 2 * WORD_MS + 10)
        assert (await client.until(n.ItemTruncated)).audio_end_ms == 2 * WORD_MS + 10
        cut = client.session.item(message.item_id)
        assert isinstance(cut, MessageItem)
        assert cut.text == "One two"


@pytest.mark.parametrize("audio_end_ms", [-1, 6 * WORD_MS + 1001])
async def test_truncating_beyond_what_was_sent_is_refused(audio_end_ms: int) -> None:
    async with talking(scripted(says("One two three four five six."))) as client:
        client.session.request_reply(ReplyOptions())
        (message,) = (await client.until(n.ReplyEnded)).items
        client.session.truncate_item(message.item_id, audio_end_ms, "ev_1")
        fault = await client.until(n.Fault)
        assert (fault.by_client, fault.request_id) == (True, "ev_1")
        assert client.session.item(message.item_id) == message


async def test_truncating_an_unknown_item_is_refused() -> None:
    async with talking(scripted()) as client:
        client.session.add_item(user("Hello", "item_1"))
        for request_id, item_id in (("ev_1", "item_1"), ("ev_2", "item_9")):
            client.session.truncate_item(item_id, 0, request_id)
            assert (await client.until(n.Fault)).request_id == request_id


async def test_truncating_a_reply_that_was_interrupted_says_what_was_heard() -> None:
    async with talking(scripted(says(LONG))) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until_heard(6 * WORD_MS)
        client.session.append_audio(sound(ANSWER, 200))
        (message,) = (await client.until(n.ReplyEnded)).items
        client.session.truncate_item(message.item_id, WORD_MS)
        await client.until(n.ItemTruncated)
        cut = client.session.item(message.item_id)
        assert isinstance(cut, MessageItem)
        assert (cut.text, cut.status) == ("One", "incomplete")


async def test_an_acknowledgement_decides_what_an_interrupted_reply_was_heard_of() -> None:
    async with talking(scripted(says(LONG))) as client:
        client.session.append_audio(utterance(QUESTION))
        audio = await client.until_heard(8 * WORD_MS)
        client.session.acknowledge_playback(audio.item_id, 2 * WORD_MS, 0)
        client.session.append_audio(sound(ANSWER, 200))
        (message,) = (await client.until(n.ReplyEnded)).items
        assert isinstance(message, MessageItem)
        assert message.text in ("One two", "One two three")


async def test_a_reply_that_was_played_late_was_heard_whole_all_the_same() -> None:
    async with talking(scripted(says("One two three four five six."))) as client:
        client.session.append_audio(utterance(QUESTION))
        audio = await client.until_heard(5 * WORD_MS)
        client.session.acknowledge_playback(audio.item_id, WORD_MS, 4 * WORD_MS)
        (message,) = (await client.until(n.ReplyEnded)).items
        assert isinstance(message, MessageItem)
        assert (message.text, message.status) == ("One two three four five six.", "completed")


async def test_the_first_acknowledgement_is_in_the_latency_ledger() -> None:
    async with talking(scripted(says("One two three four five six."))) as client:
        client.session.append_audio(utterance(QUESTION))
        audio = await client.until_heard(WORD_MS)
        client.session.acknowledge_playback("item_unknown", 10, 0)
        client.session.acknowledge_playback(audio.item_id, 1, 0)
        latency = (await client.until(n.LatencyMeasured)).latency
    assert latency.playback_ms is not None
    assert latency.playback_ms >= 0


async def test_an_item_that_is_deleted_while_it_is_spoken_stays_deleted() -> None:
    llm = ScriptedLlm([says("One two three four."), says("It is noon.")])
    async with talking(scripted(llm=llm)) as client:
        client.session.append_audio(utterance(QUESTION))
        audio = await client.until_heard(100)
        client.session.delete_item(audio.item_id)
        await client.until(n.ItemDeleted)
        assert (await client.until(n.ReplyEnded)).status == "completed"
        assert client.session.item(audio.item_id) is None
        await goes_on(client)
    assert [message.role for message in llm.prompts[1].messages] == ["system", "user", "user"]


# ---- life -----------------------------------------------------------------------------------------


async def test_a_client_that_reads_no_notices_is_let_go() -> None:
    async with talking(scripted()) as client:
        for number in range(NOTICES_WAITING):
            client.session.add_item(user("Hello", f"item_{number}"))
        assert not client.session.overrun
        client.session.add_item(user("Hello", "item_x"))
        assert client.session.overrun
        await client.until_closed()
    assert len(client.all(n.ItemAdded)) == NOTICES_WAITING


@pytest.mark.parametrize("heard_ms", [0, 300])
async def test_closing_in_mid_reply_leaves_nothing_running(heard_ms: int) -> None:
    llm = ScriptedLlm([says(LONG)])
    async with talking(scripted(llm=llm)) as client:
        client.session.append_audio(utterance(QUESTION))
        await client.until(n.ReplyBegan) if heard_ms == 0 else await client.until_heard(heard_ms)
        client.session.close()
        await client.until_closed()
        assert await client.session.next_notice() is None
    assert llm.under_way == 0


async def test_a_closed_session_takes_what_comes_and_does_nothing() -> None:
    async with talking(scripted()) as client:
        client.session.close()
        client.session.append_audio(utterance(QUESTION))
        client.session.commit_input()
        client.session.request_reply(ReplyOptions())
        client.session.cancel_reply()
        client.session.configure(MANUAL)
        client.session.delete_item("item_9")
        client.session.acknowledge_playback("item_9", 0, 0)
        client.session.clear_input()
        await client.until_closed()
    assert client.seen == []


async def test_two_sessions_on_the_same_engines_do_not_disturb_each_other() -> None:
    llm = ScriptedLlm([says(LONG)])
    engines = scripted(llm=llm)
    async with talking(engines, name="sess_a") as first, talking(engines, name="sess_b", alone=False) as second:
        first.session.append_audio(utterance(QUESTION))
        await first.until_heard(300)
        second.session.append_audio(utterance(ANSWER))
        await second.until_heard(300)
        second.session.close()
        ended = await first.until(n.ReplyEnded)
    assert ended.status == "completed"
    assert reply_text(first.seen, ended.response_id) == LONG
    assert {prompt.session_key for prompt in llm.prompts} == {"sess_a", "sess_b"}
    assert llm.prompts[1].messages[-1].content == TEXTS[ANSWER]


async def test_audio_that_arrives_at_once_is_heard_by_its_samples() -> None:
    llm = ScriptedLlm([says("It is noon.")])
    async with talking(scripted(llm=llm)) as client:
        client.session.append_audio(np.concatenate((utterance(QUESTION, then_ms=2000), utterance(ANSWER, then_ms=2000))))
        await client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
    assert [transcript.text for transcript in client.all(n.TranscriptCompleted)] == [TEXTS[QUESTION], TEXTS[ANSWER]]
    starts = [started.audio_start_ms for started in client.all(n.UserSpeechStarted)]
    assert starts == [pytest.approx(0, abs=32), pytest.approx(2400, abs=32)]
    assert [message.role for message in llm.prompts[-1].messages] == ["system", "user", "user"]


async def test_the_model_reads_the_words_while_they_are_spoken() -> None:
    llm = ScriptedLlm([says("It is noon.")])
    async with talking(scripted(llm=llm)) as client:
        client.session.append_audio(utterance(QUESTION, then_ms=200))
        await client.until(n.ReplyBegan)
    assert llm.warmed[0].messages == (Message("system", "Be brief."),)
    assert llm.warmed[-1].messages == llm.prompts[0].messages
