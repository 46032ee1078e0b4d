import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import numpy as np
import pytest

from speakback.audio.pcm import Samples
from speakback.providers.llm import LlmDelta, Message, Prompt, TextDelta
from speakback.session import notices as n
from speakback.session.items import MessageItem
from speakback.session.settings import ReplyOptions
from speakback.session.waiting import MOST_NOTICES
from speakback.timebase import VOICE_HZ, samples_to_ms
from tests.session.scripted import (
    ANSWER,
    BRIEF,
    LONG,
    MANUAL,
    NOISE,
    PLAIN,
    QUESTION,
    TEXTS,
    WORD_MS,
    ScriptedLlm,
    reply_text,
    says,
    scripted,
    sent_samples,
    silence,
    sound,
    talking,
    user,
    utterance,
)


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


async def test_a_turn_that_ends_while_the_user_speaks_has_no_endpointing_wait() -> None:
    short = replace(BRIEF, turn=replace(PLAIN, max_turn_ms=300))
    async with talking(scripted(), short) as client:
        client.session.append_audio(np.concatenate((utterance(QUESTION, then_ms=200), sound(QUESTION))))
        latency = (await client.until(n.LatencyMeasured)).latency
    assert latency.item_id is not None
    assert latency.transcription_ms is not None
    assert (latency.endpointing_wait_ms, latency.ttfb_ms) == (None, None)


# ---- barge-in ---------------------------------------------------------------------------------------


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
        assert 3 <= len(message.text.split()) <= 12
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


# ---- life -------------------------------------------------------------------------------------------


async def test_a_client_that_reads_no_notices_is_let_go() -> None:
    async with talking(scripted()) as client:
        for number in range(MOST_NOTICES):
            client.session.add_item(user("Hello", f"item_{number}"))
        before = client.session.overrun
        client.session.add_item(user("Hello", "item_x"))
        assert (before, client.session.overrun) == (False, True)
        await client.until_closed()
    assert len(client.all(n.ItemAdded)) == MOST_NOTICES + 1


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
        client.session.append_audio(
            np.concatenate((utterance(QUESTION, then_ms=2000), utterance(ANSWER, then_ms=2000)))
        )
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
