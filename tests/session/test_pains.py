"""What users of other voice agents suffer from in taking turns, each as a conversation that must go well here."""

from dataclasses import replace

import pytest

from speakback.providers.errors import ProviderError
from speakback.providers.llm import Message
from speakback.session import notices as n
from speakback.session.asking import APOLOGY
from speakback.session.settings import ReplyOptions, SessionSettings
from speakback.timebase import VOICE_HZ, samples_to_ms
from speakback.turn.barge_in import BargeIn
from speakback.turn.strategies import STRATEGIES, strategy
from tests.session.line import GRADED, SLOW_WORD_MS, Line, after, on_the_line, said, slow_ear, slow_voice
from tests.session.scripted import (
    ANSWER,
    BACKCHANNEL,
    BRIEF,
    ECHOED,
    HALT,
    LONG,
    NOISE,
    PLAIN,
    QUESTION,
    TEXTS,
    ScriptedLlm,
    reply_text,
    says,
    scripted,
    sent_samples,
)

pytestmark = pytest.mark.asyncio(loop_factories=["virtual_time"])

OVERLAP_AWARE = replace(BRIEF, turn=strategy("overlap-aware"))
EVERY_STRATEGY = [replace(BRIEF, turn=strategy(name)) for name in STRATEGIES]


async def said_until_done(line: Line) -> str:
    """All that the user hears until the agent has said what it had to."""
    ended = await line.client.until(n.ReplyEnded)
    heard = [said(ended)]
    while ended.status != "completed":
        ended = await line.client.until(n.ReplyEnded)
        heard.append(said(ended))
    return " ".join(heard)


# ---- 1: backchannels kill the agent -----------------------------------------------------------------


@pytest.mark.parametrize("stt_ms", [0, 150, 700])
@pytest.mark.parametrize("voiced_ms", [160, 300, 440, 640])
async def test_pain_1_a_backchannel_does_not_stop_the_agent(voiced_ms: int, stt_ms: int) -> None:
    llm = ScriptedLlm([says(LONG)])
    async with on_the_line(scripted(llm=llm, stt=slow_ear(stt_ms), tts=slow_voice()), OVERLAP_AWARE) as line:
        await line.asks()
        line.say(BACKCHANNEL, voiced_ms)
        ended = await line.client.until(n.ReplyEnded)
    assert (ended.status, said(ended)) == ("completed", LONG)
    assert len(line.client.all(n.UserSpeechStarted)) == 1
    assert len(llm.prompts) == 1


async def test_pain_1_the_path_of_the_words_obeys_the_same_policy_as_that_of_the_voice() -> None:
    stt = slow_ear(1000)  # the words come when the voice's verdict is long final
    async with on_the_line(scripted(says(LONG), stt=stt, tts=slow_voice()), OVERLAP_AWARE) as line:
        await line.asks()
        line.say(BACKCHANNEL, 440)
        ended = await line.client.until(n.ReplyEnded)
    assert (ended.status, said(ended)) == ("completed", LONG)


@pytest.mark.parametrize("settings", EVERY_STRATEGY, ids=list(STRATEGIES))
async def test_pain_1_whatever_the_strategy_the_words_are_all_said(settings: SessionSettings) -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(700), tts=slow_voice()), settings) as line:
        await line.asks()
        line.say(BACKCHANNEL, 800)
        assert (await said_until_done(line)).endswith("fifteen sixteen.")
        heard = "".join(reply_text(line.client.seen, began.response_id) for began in line.client.all(n.ReplyBegan))
    assert [word for word in LONG.split() if word not in heard] == []


# ---- 2: a false interruption, and then silence for ever ---------------------------------------------


@pytest.mark.parametrize("settings", EVERY_STRATEGY, ids=list(STRATEGIES))
@pytest.mark.parametrize("noise_ms", [120, 300, 900, 2000])
async def test_pain_2_a_noise_over_the_agent_is_not_followed_by_silence(
    settings: SessionSettings, noise_ms: int
) -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(400), tts=slow_voice()), settings) as line:
        await line.asks()
        line.say(NOISE, noise_ms)
        assert await said_until_done(line) == LONG


@pytest.mark.parametrize("settings", EVERY_STRATEGY, ids=list(STRATEGIES))
async def test_pain_2_a_cough_before_the_reply_does_not_cost_the_reply(settings: SessionSettings) -> None:
    engines = scripted(after(800, says("It is noon.")), stt=slow_ear())
    async with on_the_line(engines, settings) as line:
        line.say(QUESTION, 400)
        await line.client.until(n.ReplyBegan)
        line.say(NOISE, 200)
        ended = await line.client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
    assert said(ended) == "It is noon."


async def test_pain_2_a_voice_that_cannot_be_transcribed_is_not_followed_by_silence() -> None:
    stt = slow_ear()
    async with on_the_line(scripted(says(LONG), stt=stt, tts=slow_voice()), OVERLAP_AWARE) as line:
        await line.asks()
        stt.failure = ProviderError("stt", "scripted", "is not there")
        line.say(ANSWER, 1200)
        assert (await line.client.until(n.ReplyEnded)).status == "cancelled"
        assert said(await line.client.until(n.ReplyEnded)) == APOLOGY


# ---- 3: the echo of its own voice interrupts the agent ----------------------------------------------


@pytest.mark.parametrize("voiced_ms", [300, 700, 1500])
async def test_pain_3_the_agents_own_words_come_back_do_not_interrupt_it(voiced_ms: int) -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), OVERLAP_AWARE) as line:
        await line.asks()
        line.say(ECHOED, voiced_ms)
        ended = await line.client.until(n.ReplyEnded)
    assert (ended.status, said(ended)) == ("completed", LONG)
    assert len(line.client.all(n.UserSpeechStarted)) == 1


# ---- 4: the history says what was not heard ---------------------------------------------------------


async def interrupted_after(line: Line, heard_ms: int) -> n.ReplyEnded:
    await line.asks(heard_ms)
    line.say(ANSWER, 1000)
    return await line.client.until(n.ReplyEnded)


@pytest.mark.parametrize("heard_ms", [400, 1000, 1800])
async def test_pain_4_the_model_knows_just_what_was_heard(heard_ms: int) -> None:
    llm = ScriptedLlm([says(LONG), says("It is noon.")])
    async with on_the_line(scripted(llm=llm, stt=slow_ear(), tts=slow_voice()), OVERLAP_AWARE) as line:
        ended = await interrupted_after(line, heard_ms)
        await line.client.until(n.ReplyEnded)
    sent_words = samples_to_ms(sent_samples(line.client.seen[: line.client.place(ended)]), VOICE_HZ) / SLOW_WORD_MS
    heard = said(ended)
    assert LONG.startswith(heard)
    assert sent_words - 1.5 <= len(heard.split()) <= sent_words + 0.5
    assert llm.prompts[1].messages[-2:] == (Message("assistant", heard), Message("user", TEXTS[ANSWER]))


async def test_pain_4_a_client_that_plays_late_is_believed() -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), OVERLAP_AWARE) as line:
        await line.asks()
        item_id = line.client.all(n.ReplyMessageBegan)[0].item_id
        line.client.session.acknowledge_playback(item_id, 200, 900)
        line.say(HALT, 300)
        ended = await line.client.until(n.ReplyEnded)
    assert 1 <= len(said(ended).split()) <= 4


async def test_pain_4_a_client_that_truncates_has_the_last_word() -> None:
    llm = ScriptedLlm([says(LONG), says("It is noon.")])
    async with on_the_line(scripted(llm=llm, stt=slow_ear(), tts=slow_voice()), OVERLAP_AWARE) as line:
        ended = await interrupted_after(line, 1000)
        line.client.session.truncate_item(ended.items[0].item_id, 420)
        await line.client.until(n.ItemTruncated)
        await line.client.until(n.ReplyEnded)
    assert llm.prompts[1].messages[-2] == Message("assistant", "One two")


# ---- 5: audio that still comes after the interruption -----------------------------------------------


async def test_pain_5_no_audio_of_an_interrupted_reply_follows_its_end() -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), OVERLAP_AWARE) as line:
        stopped = await interrupted_after(line, 1000)
        await line.client.until(n.ReplyEnded)
        await line.client.until(n.LatencyMeasured)
    after_end = line.client.seen[line.client.place(stopped) + 1 :]
    late = [notice for notice in after_end if isinstance(notice, n.ReplyAudioSent | n.ReplyTextGrew)]
    assert stopped.response_id not in {notice.response_id for notice in late}
    started = line.client.all(n.UserSpeechStarted)[1]
    between = line.client.seen[line.client.place(started) : line.client.place(stopped)]
    assert sent_samples(between) == 0


# ---- 6: a hard cut, plain to hear -------------------------------------------------------------------


@pytest.mark.parametrize("level", [ANSWER, HALT])
async def test_pain_6_the_agent_fades_out(level: float) -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), OVERLAP_AWARE) as line:
        await line.asks()
        line.say(level, 600)
        stopped = await line.client.until(n.ReplyEnded)
        latency = (await line.client.until(n.LatencyMeasured)).latency
    audio = [sent for sent in line.client.all(n.ReplyAudioSent) if sent.response_id == stopped.response_id]
    assert abs(float(audio[-1].audio_24k[-1])) < 0.001
    assert latency.artifacts is not None
    assert (latency.artifacts.border_jumps, latency.artifacts.cut_off) == (0, False)


async def test_pain_6_a_hold_and_its_end_do_not_click() -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(400), tts=slow_voice()), OVERLAP_AWARE) as line:
        await line.asks()
        line.say(BACKCHANNEL, 440)
        latency = (await line.client.until(n.LatencyMeasured)).latency
    assert line.verdicts[0] == "hold"
    assert latency.artifacts is not None
    assert (latency.artifacts.border_jumps, latency.artifacts.late_frames) == (0, 0)
    assert (latency.artifacts.missing_frames, latency.artifacts.unexpected_silence_ms) == (0, 0)


# ---- 12: settings of interruption that do not do what they say --------------------------------------


async def test_pain_12_short_words_do_not_add_up_over_a_long_reply() -> None:
    engines = scripted(says(f"{LONG} {LONG}"), stt=slow_ear(), tts=slow_voice())
    async with on_the_line(engines, OVERLAP_AWARE) as line:
        await line.asks()
        for _ in range(4):
            line.say(BACKCHANNEL, 240)
            line.pause(600)
        ended = await line.client.until(n.ReplyEnded)
    assert (ended.status, said(ended)) == ("completed", f"{LONG} {LONG}")
    assert set(line.verdicts) <= {"backchannel", "hold", "open"}


@pytest.mark.parametrize("spoken", [HALT, ANSWER, BACKCHANNEL, NOISE])
async def test_pain_12_an_agent_that_never_yields_does_not_yield_to_words_either(spoken: float) -> None:
    settings = replace(BRIEF, turn=replace(PLAIN, barge_in=BargeIn.NEVER))
    async with on_the_line(scripted(says(LONG), says("Yes?"), stt=slow_ear(), tts=slow_voice()), settings) as line:
        await line.asks()
        line.say(spoken, 600)
        ended = await line.client.until(n.ReplyEnded)
    assert (ended.status, said(ended), line.verdicts) == ("completed", LONG, [])


async def test_pain_12_what_is_set_in_mid_reply_counts_from_then_on() -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), GRADED) as line:
        await line.asks()
        line.client.session.configure(replace(GRADED, turn=replace(GRADED.turn, barge_in=BargeIn.NEVER)))
        line.say(HALT, 300)
        assert (await line.client.until(n.ReplyEnded)).status == "completed"


async def test_pain_12_an_interruption_does_not_stop_the_reply_that_answers_it() -> None:
    async with on_the_line(scripted(says(LONG), stt=slow_ear(), tts=slow_voice()), OVERLAP_AWARE) as line:
        await interrupted_after(line, 1000)
        answered = await line.client.until(n.ReplyEnded)
        line.client.session.request_reply(ReplyOptions())
        again = await line.client.until(n.ReplyEnded)
    assert [answered.status, again.status] == ["completed", "completed"]
