"""Speech over the agent, live: what it hears, what it does with its voice, and what its client is told."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from speakback.audio.pcm import Samples
from speakback.providers.llm import Message
from speakback.providers.stt import Transcript
from speakback.session import notices as n
from speakback.session.asking import rephrase_note
from speakback.session.items import MessageItem
from speakback.session.settings import ReplyOptions, SessionSettings
from speakback.timebase import EAR_HZ, ms_to_samples
from speakback.turn.strategies import strategy
from tests.session.line import GRADED, SLOW_WORD_MS, Line, on_the_line, onset_ms, said, slow_ear, slow_voice
from tests.session.scripted import (
    ANSWER,
    BACKCHANNEL,
    BRIEF,
    ECHOED,
    GO_ON,
    HALT,
    LONG,
    NOISE,
    QUESTION,
    TEXTS,
    WHAT,
    ScriptedLlm,
    ScriptedStt,
    reply_text,
    says,
    scripted,
    sent_samples,
)
from tests.session.virtual_time import START_S

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])

DUCKED = 0.25
OVERLAP_AWARE = replace(BRIEF, turn=strategy("overlap-aware", {"overlap.provisional_ms": 350}))


class LateStt(ScriptedStt):
    """Reads nothing in 300 ms or less."""

    async def transcribe(self, audio_16k: Samples, *, language: str) -> Transcript:
        transcript = await super().transcribe(audio_16k, language=language)
        voiced = np.count_nonzero(audio_16k)
        return transcript if voiced > ms_to_samples(300, EAR_HZ) else Transcript("", (), None, rejected="noise")


async def talked_over(line: Line, level: float, ms: int) -> n.ReplyEnded:
    """Say that over a long reply, and wait for the reply's end; every verdict so far is in `line.verdicts`."""
    await line.asks()
    line.say(level, ms)
    return await line.client.until(n.ReplyEnded)


def heard_whole(line: Line, ended: n.ReplyEnded) -> None:
    """The reply came to its end, no word was lost or said twice, and the client was told of no user speech."""
    assert (ended.status, said(ended)) == ("completed", LONG)
    assert reply_text(line.client.seen, ended.response_id) == LONG
    assert len(line.client.all(n.UserSpeechStarted)) == 1
    told = {
        notice.item_id for notice in line.client.seen if isinstance(notice, n.TranscriptGrew | n.TranscriptCompleted)
    }
    assert not told & {judged.item_id for judged in line.client.all(n.OverlapJudged)}
    assert len(line.client.all(n.InputBufferCommitted)) == 1


# ---- the agent keeps the floor ----------------------------------------------------------------------


@pytest.mark.parametrize("settings", [GRADED, OVERLAP_AWARE], ids=["fixed", "overlap-aware"])
async def test_a_listeners_word_lowers_the_agents_voice_for_a_moment(settings: SessionSettings) -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), settings) as line:
        ended = await talked_over(line, BACKCHANNEL, 160)
    heard_whole(line, ended)
    (judged,) = line.client.all(n.OverlapJudged)
    assert judged.verdict == "backchannel"
    began_ms, verdict_ms = onset_ms(line.client, judged), line.client.at_ms(judged)
    assert min(line.voice(began_ms + 150, verdict_ms)) == pytest.approx(DUCKED, rel=0.02)
    assert line.voice(verdict_ms + 80, line.client.at_ms(ended))[:1] == [pytest.approx(1, rel=0.02)]
    assert sent_samples(line.client.seen) == 24 * SLOW_WORD_MS * len(LONG.split())


async def test_a_longer_listeners_word_makes_the_agent_wait_and_it_goes_on_from_the_word_it_cut() -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(400), tts=slow_voice()), GRADED) as line:
        ended = await talked_over(line, BACKCHANNEL, 440)
    heard_whole(line, ended)
    hold, *_, verdict = line.client.all(n.OverlapJudged)
    assert (hold.verdict, verdict.verdict) == ("hold", "backchannel")
    held_ms, resumed_ms = line.client.at_ms(hold), line.client.at_ms(verdict)
    assert hold.after_ms <= 400
    assert line.voice(held_ms + 1, resumed_ms) == []
    assert line.voice(resumed_ms + 80, resumed_ms + 200)[:1] == [pytest.approx(1, rel=0.02)]
    said_again = sent_samples(line.client.seen) - 24 * SLOW_WORD_MS * len(LONG.split())
    assert 0 < said_again <= 24 * SLOW_WORD_MS


async def test_a_noise_that_held_the_reply_does_not_stop_it() -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), GRADED) as line:
        ended = await talked_over(line, NOISE, 500)
    heard_whole(line, ended)
    assert (line.verdicts[0], line.verdicts[-1]) == ("hold", "noise")


async def test_to_hand_the_floor_back_is_no_interruption() -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), GRADED) as line:
        ended = await talked_over(line, GO_ON, 300)
    heard_whole(line, ended)


async def test_the_agents_own_words_come_back_are_no_interruption() -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), GRADED) as line:
        ended = await talked_over(line, ECHOED, 600)
    heard_whole(line, ended)
    assert line.verdicts[-1] == "echo"


async def test_the_conversation_goes_on_after_a_listeners_word() -> None:
    llm = ScriptedLlm([says(LONG), says("It is noon.")])
    async with on_the_line(scripted(llm=llm, stt=slow_ear(), tts=slow_voice()), GRADED) as line:
        await talked_over(line, BACKCHANNEL, 160)
        line.say(ANSWER, 400)
        assert said(await line.client.until(n.ReplyEnded)) == "It is noon."
    assert [message.content for message in llm.prompts[1].messages if message.role == "user"] == [
        "What time is it?",
        "Tell me more.",
    ]


async def test_what_is_said_soon_after_a_listeners_word_is_read_without_it() -> None:
    llm = ScriptedLlm([says(LONG), says("It is noon.")])
    async with on_the_line(scripted(llm=llm, stt=slow_ear(), tts=slow_voice()), GRADED) as line:
        await line.asks()
        line.say(BACKCHANNEL, 640)
        line.pause(300)
        line.say(QUESTION, 800)
        await line.client.until(n.ReplyEnded)
        assert said(await line.client.until(n.ReplyEnded)) == "It is noon."
    assert llm.prompts[1].messages[-1] == Message("user", TEXTS[QUESTION])


SHORT = " ".join(LONG.split()[:6])
MOMENTS_MS = range(40, 1200, 80)
"""Everywhere within `SHORT`, said slowly."""


@pytest.mark.parametrize("level", [BACKCHANNEL, NOISE], ids=["listener", "noise"])
@pytest.mark.parametrize("heard_ms", MOMENTS_MS)
async def test_whenever_it_is_spoken_over_the_agent_loses_no_word(heard_ms: int, level: float) -> None:
    llm = ScriptedLlm([says(SHORT)])
    async with on_the_line(scripted(llm=llm, stt=slow_ear(400), tts=slow_voice()), GRADED) as line:
        await line.asks(heard_ms)
        line.say(level, 440)
        ended = await line.client.until(n.ReplyEnded)
        line.pause(1500)  # a turn of its own
        line.say(QUESTION, 400)
        await line.client.until(n.ReplyEnded, lambda later: later.status == "completed")
    assert (ended.status, said(ended)) == ("completed", SHORT)
    assert reply_text(line.client.seen, ended.response_id) == SHORT


@pytest.mark.parametrize("heard_ms", MOMENTS_MS)
async def test_whenever_the_agent_is_interrupted_the_user_is_answered_once(heard_ms: int) -> None:
    llm = ScriptedLlm([says(SHORT), says("It is noon.")])
    async with on_the_line(scripted(llm=llm, stt=slow_ear(400), tts=slow_voice()), GRADED) as line:
        await line.asks(heard_ms)
        line.say(ANSWER, 1000)
        first = await line.client.until(n.ReplyEnded)
        second = await line.client.until(n.ReplyEnded)
    assert SHORT.startswith(said(first))
    assert (second.status, said(second)) == ("completed", "It is noon.")
    assert [message.content for message in llm.prompts[1].messages[1:]] == [TEXTS[QUESTION], said(first), TEXTS[ANSWER]]
    assert len(llm.prompts) == 2
    assert len(line.client.all(n.UserSpeechStarted)) == 2


# ---- the agent gives way ----------------------------------------------------------------------------


async def test_an_interruption_stops_the_agent_and_only_then_is_the_client_told_dated_back() -> None:
    llm = ScriptedLlm([says(LONG), says("It is noon.")])
    async with on_the_line(scripted(llm=llm, stt=slow_ear(400), tts=slow_voice()), GRADED) as line:
        ended = await talked_over(line, ANSWER, 1200)
        answered = await line.client.until(n.ReplyEnded)
    assert (ended.status, ended.reason) == ("cancelled", "turn_detected")
    assert line.verdicts == ["hold", "interruption"]
    judged = line.client.all(n.OverlapJudged)[-1]
    started = line.client.all(n.UserSpeechStarted)[1]
    seen_from = line.client.seen[line.client.place(judged) : line.client.place(ended) + 1]
    assert [type(notice) for notice in seen_from] == [
        n.OverlapJudged,
        n.UserSpeechStarted,
        n.ReplyMessageEnded,
        n.ReplyEnded,
    ]
    assert (started.item_id, started.audio_start_ms) == (judged.item_id, judged.audio_start_ms)
    media_ms = line.client.at_ms(started) - round(START_S * 1000)
    assert media_ms - started.audio_start_ms == pytest.approx(judged.after_ms, abs=40)
    grew = line.client.all(n.TranscriptGrew)[-1]
    assert (grew.item_id, grew.delta) == (started.item_id, TEXTS[ANSWER])
    assert line.client.place(grew) > line.client.place(started)
    heard = said(ended)
    assert LONG.startswith(heard)
    assert 5 <= len(heard.split()) <= 7
    assert llm.prompts[1].messages[-2:] == (Message("assistant", heard), Message("user", TEXTS[ANSWER]))
    assert said(answered) == "It is noon."


async def test_a_word_that_asks_it_to_stop_stops_the_agent_as_soon_as_it_is_read() -> None:
    async with on_the_line(scripted(says(LONG), says("Yes?"), stt=slow_ear(), tts=slow_voice()), GRADED) as line:
        ended = await talked_over(line, HALT, 200)
        assert ended.status == "cancelled"
        assert line.client.all(n.OverlapJudged)[-1].after_ms < 600
        assert said(await line.client.until(n.ReplyEnded)) == "Yes?"


async def test_speech_that_cannot_be_read_in_time_is_taken_for_an_interruption() -> None:
    stt = ScriptedStt()
    async with on_the_line(scripted(says(LONG), says("Yes?"), stt=stt, tts=slow_voice()), GRADED) as line:
        await line.asks()
        stt.gate = asyncio.Event()
        line.say(ANSWER, 1200)
        await line.client.until(n.ReplyEnded)
        hold, stop = line.client.all(n.OverlapJudged)
        assert (hold.verdict, stop.verdict) == ("hold", "interruption")
        assert hold.after_ms <= 400
        assert stop.after_ms <= 1300
        stt.gate.set()
        assert said(await line.client.until(n.ReplyEnded)) == "Yes?"


async def test_that_the_first_sound_held_no_words_yet_does_not_make_a_noise_of_the_rest() -> None:
    stt = LateStt(takes_ms=500)
    async with on_the_line(scripted(says(LONG), says("Yes?"), stt=stt, tts=slow_voice()), GRADED) as line:
        assert (await talked_over(line, ANSWER, 1200)).status == "cancelled"
        assert line.verdicts == ["hold", "interruption"]


async def test_the_agent_waits_sooner_where_both_began_to_speak_at_once() -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(400), tts=slow_voice()), GRADED) as line:
        await line.asks(heard_ms=40)
        line.say(BACKCHANNEL, 300)
        hold = await line.client.until(n.OverlapJudged)
        assert hold.verdict == "hold"
        assert hold.after_ms < GRADED.turn.overlap.provisional_ms
        heard_whole(line, await line.client.until(n.ReplyEnded))


async def test_speech_that_outlasts_the_reply_is_a_turn_like_any_other() -> None:
    short = " ".join(LONG.split()[:6])
    async with on_the_line(scripted(says(short), says("It is noon."), stt=slow_ear(2000), tts=slow_voice())) as line:
        line.client.session.configure(
            replace(GRADED, turn=replace(GRADED.turn, overlap=replace(GRADED.turn.overlap, provisional_ms=800)))
        )
        await line.asks(heard_ms=960)
        line.say(ANSWER, 600)
        ended = await line.client.until(n.ReplyEnded)
        started = await line.client.until(n.UserSpeechStarted)
        assert ended.status == "completed"
        assert line.client.at_ms(started) == line.client.at_ms(ended)
        assert said(await line.client.until(n.ReplyEnded)) == "It is noon."


# ---- what becomes of the rest -----------------------------------------------------------------------


async def test_the_rest_of_a_reply_that_a_long_noise_stopped_is_said() -> None:
    stt, llm = ScriptedStt(), ScriptedLlm([says(LONG)])
    async with on_the_line(scripted(llm=llm, stt=stt, tts=slow_voice()), GRADED) as line:
        await line.asks()
        stt.gate = asyncio.Event()
        line.say(NOISE, 1200)
        stopped = await line.client.until(n.ReplyEnded)
        assert stopped.status == "cancelled"
        stt.gate.set()
        rest = await line.client.until(n.ReplyEnded)
    assert rest.status == "completed"
    assert f"{said(stopped)} {said(rest)}" == LONG
    assert len(llm.prompts) == 1
    noise = line.client.all(n.UserSpeechStarted)[1].item_id
    assert noise in {deleted.item_id for deleted in line.client.all(n.ItemDeleted)}


@pytest.mark.parametrize("level", [GO_ON, BACKCHANNEL], ids=["go-on", "listener"])
async def test_the_rest_is_said_to_a_user_who_stopped_the_agent_without_wanting_the_floor(level: float) -> None:
    llm = ScriptedLlm([says(LONG)])
    async with on_the_line(scripted(llm=llm, stt=slow_ear(), tts=slow_voice()), BRIEF) as line:
        stopped = await talked_over(line, level, 300)
        assert stopped.status == "cancelled"
        rest = await line.client.until(n.ReplyEnded)
    assert f"{said(stopped)} {said(rest)}" == LONG
    assert len(llm.prompts) == 1


async def test_what_asks_the_model_to_say_the_rest_in_other_words() -> None:
    llm = ScriptedLlm([says(LONG), says("In short: numbers.")])
    async with on_the_line(scripted(llm=llm, stt=slow_ear(), tts=slow_voice()), GRADED) as line:
        stopped = await talked_over(line, WHAT, 300)
        assert said(await line.client.until(n.ReplyEnded)) == "In short: numbers."
    unsaid = LONG.removeprefix(said(stopped)).strip()
    assert llm.prompts[1].messages[-3:] == (
        Message("assistant", said(stopped)),
        Message("user", TEXTS[WHAT]),
        Message("system", rephrase_note(unsaid)),
    )


# ---- an agent that cannot be stopped ----------------------------------------------------------------


async def test_an_uninterruptible_reply_is_said_whole_and_then_the_user_is_answered() -> None:
    async with on_the_line(scripted(says(LONG), says("It is noon."), stt=slow_ear(), tts=slow_voice()), GRADED) as line:
        line.client.session.request_reply(ReplyOptions(interruptible=False))
        await line.client.until_heard(1000)
        line.say(ANSWER, 600)
        ended = await line.client.until(n.ReplyEnded)
        assert (ended.status, said(ended), line.verdicts) == ("completed", LONG, [])
        assert line.client.all(n.UserSpeechStarted) == []
        assert min(line.voice(0, line.client.at_ms(ended))) > 0.9
        assert said(await line.client.until(n.ReplyEnded)) == "It is noon."


async def test_a_half_duplex_agent_speaks_to_its_end_and_then_answers() -> None:
    settings = replace(BRIEF, turn=strategy("half-duplex"))
    async with on_the_line(
        scripted(says(LONG), says("It is noon."), stt=slow_ear(), tts=slow_voice()), settings
    ) as line:
        ended = await talked_over(line, ANSWER, 600)
        assert (ended.status, said(ended), line.verdicts) == ("completed", LONG, [])
        assert said(await line.client.until(n.ReplyEnded)) == "It is noon."


async def test_a_rapid_duplex_agent_stops_at_the_first_sound() -> None:
    settings = replace(BRIEF, turn=strategy("rapid-duplex"))
    async with on_the_line(
        scripted(says(LONG), says("It is noon."), stt=slow_ear(), tts=slow_voice()), settings
    ) as line:
        ended = await talked_over(line, ANSWER, 400)
        assert ended.status == "cancelled"
        assert line.verdicts == ["interruption"]
        assert line.client.all(n.OverlapJudged)[0].after_ms <= 150
        assert said(await line.client.until(n.ReplyEnded)) == "It is noon."


# ---- the client truncates meanwhile -----------------------------------------------------------------


async def held_and_truncated(line: Line, level: float, ms: int) -> tuple[n.ReplyEnded, str]:
    """Say that over the agent; once it holds, the client drops all but 600 ms. The end, and what stood there then."""
    began = await line.asks()
    line.say(level, ms)
    await line.client.until(n.OverlapJudged, lambda judged: judged.verdict == "hold")
    item_id = line.client.all(n.ReplyMessageBegan)[-1].item_id
    line.client.session.truncate_item(item_id, 3 * SLOW_WORD_MS)
    await line.client.until(n.ItemTruncated)
    cut = line.client.session.item(item_id)
    assert isinstance(cut, MessageItem)
    return await line.client.until(n.ReplyEnded, lambda ended: ended.response_id == began.response_id), cut.text


async def test_what_is_heard_of_a_reply_that_goes_on_after_a_truncate_is_in_the_history() -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), GRADED) as line:
        ended, then = await held_and_truncated(line, NOISE, 500)
    assert (ended.status, then) == ("completed", "One two three")
    lost = [word for word in LONG.split() if word not in said(ended).split()]
    assert said(ended).startswith("One two three ")
    assert said(ended).endswith(LONG.split()[-1])
    assert 0 < len(lost) <= 5, "what the client dropped unplayed"
    assert " ".join(LONG.split()[3 : 3 + len(lost)]) == " ".join(lost)


async def test_a_truncate_has_the_last_word_on_a_reply_that_is_then_interrupted() -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), GRADED) as line:
        ended, then = await held_and_truncated(line, ANSWER, 1200)
    assert (ended.status, said(ended), then) == ("cancelled", "One two three", "One two three")


@pytest.mark.parametrize("more_ms", [0, 1200], ids=["ends", "goes on"])
async def test_a_turn_that_the_client_commits_while_the_agent_is_held_has_the_floor(more_ms: int) -> None:
    llm = ScriptedLlm([says(LONG), says("It is noon.")])
    async with on_the_line(scripted(llm=llm, stt=slow_ear(), tts=slow_voice()), GRADED) as line:
        await line.asks()
        line.say(ANSWER, 400 + more_ms)
        await line.client.until(n.OverlapJudged, lambda judged: judged.verdict == "hold")
        line.client.session.commit_input()
        line.client.session.request_reply(ReplyOptions())
        stopped = await line.client.until(n.ReplyEnded)
        if more_ms:
            line.pause(2000)
        answer = await line.client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
    assert (stopped.status, stopped.reason) == ("cancelled", "turn_detected")
    assert line.verdicts == ["hold", "interruption"]
    assert said(answer) == "It is noon."
    assert line.client.all(n.Fault) == []
