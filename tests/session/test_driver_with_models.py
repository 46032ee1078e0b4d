"""Whole conversations in which every ear and every voice is real. The user speaks with the voice of the agent."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from speakback import weights
from speakback.audio.pcm import Samples
from speakback.audio.resample import resample
from speakback.config import Settings
from speakback.providers.adapters.echo import Echo
from speakback.providers.adapters.hibari import Hibari
from speakback.providers.adapters.smart_turn import SmartTurn
from speakback.providers.adapters.whisper import Whisper
from speakback.providers.engines import Engines
from speakback.providers.llm import LlmDelta, Prompt, TextDelta
from speakback.session import notices as n
from speakback.session.agreement import same_words
from speakback.session.items import MessageItem
from speakback.session.settings import ReplyOptions, SessionSettings
from speakback.timebase import EAR_HZ, VOICE_HZ, ms_to_samples, samples_to_ms
from speakback.turn.strategies import strategy
from speakback.vad.silero import SileroVad
from tests.providers.voices import spoken
from tests.session.scripted import Client, LevelVad, ScriptedLlm, reply_text, says, sent_samples, talking

TIME = "Can you tell me what time it is?"
WEATHER = "The weather is very nice today."
STOP = "Please stop, I have another question."
STORY = "Once upon a time there was a king. He had three sons. The first was tall. The second was strong."

SETTINGS = SessionSettings(instructions="Be brief.", turn=strategy(Settings().turn.strategy))
STEP_MS = 20


@pytest.fixture(scope="session")
def models() -> Iterator[Engines]:
    """All but the VAD, which belongs to one event loop; and with a model that repeats what it hears."""
    smart_turn = SmartTurn(weights.resolve("smart-turn-v3.2") / "smart-turn-v3.2-cpu.onnx", name="smart-turn")
    whisper = Whisper(weights.resolve("whisper-tiny.en"), name="whisper-tiny.en")
    engines = Engines(vad=LevelVad(), stt=whisper, end_of_turn=smart_turn, llm=Echo(), tts=Hibari())
    asyncio.run(engines.tts.warm())
    yield engines
    asyncio.run(engines.aclose())


@pytest.fixture(scope="session")
def silero() -> Path:
    return weights.resolve("silero-vad") / "silero_vad.onnx"


@pytest.fixture
async def engines(models: Engines, silero: Path) -> AsyncIterator[Engines]:
    vad = SileroVad(silero)
    yield replace(models, vad=vad)
    await vad.aclose()


@pytest.fixture(scope="session")
def said(models: Engines) -> dict[str, Samples]:
    """The user's sentences, at 16 kHz."""

    async def say() -> dict[str, Samples]:
        return {
            text: resample((await spoken(models.tts, text)).audio_24k, VOICE_HZ, EAR_HZ)
            for text in (TIME, WEATHER, STOP)
        }

    return asyncio.run(say())


def room(ms: int) -> Samples:
    """The sound of a quiet room."""
    noise = np.random.default_rng(ms).normal(0, 2e-4, ms_to_samples(ms, EAR_HZ))
    return noise.astype(np.float32)


def in_a_room(*sounds: Samples, then_ms: int = 2000) -> Samples:
    """The sounds one after the other, a moment of quiet before and `then_ms` of it after each."""
    return np.concatenate((room(500), *(part for sound in sounds for part in (sound, room(then_ms)))))


def noise_burst(ms: int, level: float = 0.3) -> Samples:
    """A cough, as far as a VAD can tell: a burst of noise with a sharp onset that dies away."""
    samples = ms_to_samples(ms, EAR_HZ)
    decay = np.exp(-np.arange(samples) / samples * 4)
    return (np.random.default_rng(3).normal(0, level, samples) * decay).astype(np.float32)


async def speak_in_real_time(client: Client, audio_16k: Samples) -> None:
    """As a microphone does: a message every 20 ms."""
    clock = asyncio.get_running_loop()
    began = clock.time()
    step = ms_to_samples(STEP_MS, EAR_HZ)
    for start in range(0, len(audio_16k), step):
        await asyncio.sleep(began + (start + step) / EAR_HZ - clock.time())
        client.session.append_audio(audio_16k[start : start + step])


def reply_audio(client: Client) -> Samples:
    return np.concatenate([notice.audio_24k for notice in client.all(n.ReplyAudioSent)])


async def test_a_spoken_sentence_is_answered_aloud_in_real_time(engines: Engines, said: dict[str, Samples]) -> None:
    async with talking(engines, SETTINGS) as client:
        speaking = asyncio.create_task(speak_in_real_time(client, in_a_room(said[TIME], then_ms=4000)))
        latency = (await client.until(n.LatencyMeasured)).latency
        speaking.cancel()
        await asyncio.wait([speaking])
    (transcript,) = client.all(n.TranscriptCompleted)
    assert same_words(transcript.text, TIME)
    assert "".join(grown.delta for grown in client.all(n.TranscriptGrew)) in transcript.text
    (ended,) = client.all(n.ReplyEnded)
    (message,) = ended.items
    assert isinstance(message, MessageItem)
    assert same_words(message.text, TIME)
    repeated = await engines.stt.transcribe(resample(reply_audio(client), VOICE_HZ, EAR_HZ), language="en")
    assert same_words(repeated.text, TIME)
    assert latency.artifacts is not None
    assert latency.artifacts.border_jumps == latency.artifacts.clipped_samples == 0
    assert not latency.artifacts.cut_off
    assert latency.endpointing_wait_ms is not None
    assert latency.endpointing_wait_ms >= 200
    assert latency.ttfb_ms is not None
    assert latency.own_ms is not None


async def test_the_user_may_interrupt(engines: Engines, said: dict[str, Samples]) -> None:
    llm = ScriptedLlm([says(STORY), says("Sure.")])
    async with talking(replace(engines, llm=llm), SETTINGS) as client:
        client.session.append_audio(in_a_room(said[TIME]))
        await client.until_heard(1500)
        client.session.append_audio(in_a_room(said[STOP]))
        started = await client.until(n.UserSpeechStarted)
        ended = await client.until(n.ReplyEnded)
        assert (ended.status, ended.reason) == ("cancelled", "turn_detected")
        assert client.place(started) < client.place(ended)
        assert sent_samples(client.seen[client.place(started) :]) == 0
        (message,) = ended.items
        assert isinstance(message, MessageItem)
        assert message.text
        assert STORY.startswith(message.text)
        assert message.text != STORY
        assert (await client.until(n.ReplyEnded)).status == "completed"
    assert [said.content for said in llm.prompts[1].messages if said.role == "assistant"] == [message.text]
    assert same_words(llm.prompts[1].messages[-1].content, STOP)


@pytest.mark.parametrize("noise", ["cough", "hiss", "hum", "nothing"])
async def test_what_is_not_speech_never_becomes_a_turn(engines: Engines, said: dict[str, Samples], noise: str) -> None:
    hum = 0.1 * np.sin(np.arange(2 * EAR_HZ) * (2 * np.pi * 100 / EAR_HZ)).astype(np.float32)
    sounds = {
        "cough": noise_burst(300),
        "hiss": np.random.default_rng(5).normal(0, 0.05, 2 * EAR_HZ).astype(np.float32),
        "hum": hum,
        "nothing": np.zeros(2 * EAR_HZ, np.float32),
    }
    llm = ScriptedLlm([says("Sure.")])
    async with talking(replace(engines, llm=llm), SETTINGS) as client:
        client.session.append_audio(in_a_room(sounds[noise], said[TIME]))
        assert (await client.until(n.ReplyEnded, lambda ended: ended.status == "completed")).items
    (user,) = [message for message in llm.prompts[-1].messages if message.role == "user"]
    assert same_words(user.content, TIME)
    assert len(client.all(n.ItemDeleted)) == len(client.all(n.InputBufferCommitted)) - 1


async def test_a_cough_while_the_agent_thinks_does_not_leave_silence(engines: Engines) -> None:
    """The VAD takes the cough for speech (Silero would not); the transcription finds no words in it."""
    never = asyncio.Event()

    async def thinks(prompt: Prompt) -> AsyncGenerator[LlmDelta, None]:
        await never.wait()
        yield TextDelta("Never said.")

    llm = ScriptedLlm([thinks, says("It is noon.")])
    async with talking(replace(engines, llm=llm, vad=LevelVad()), SETTINGS) as client:
        client.session.request_reply(ReplyOptions())
        await client.until(n.ReplyBegan)
        client.session.append_audio(in_a_room(noise_burst(300)))
        cough = await client.until(n.UserSpeechStarted)
        assert (await client.until(n.ItemDeleted)).item_id == cough.item_id
        ended = await client.until(n.ReplyEnded, lambda ended: ended.status == "completed")
    assert reply_text(client.seen, ended.response_id) == "It is noon."


async def test_a_whole_recording_at_once_is_two_turns(engines: Engines, said: dict[str, Samples]) -> None:
    async with talking(engines, SETTINGS) as client:
        client.session.append_audio(in_a_room(said[TIME], said[WEATHER]))
        read = [await client.until(n.TranscriptCompleted) for _ in range(2)]  # by two threads: either may be done first
        assert (await client.until(n.ReplyEnded, lambda ended: ended.status == "completed")).items
    first, second = sorted(read, key=lambda transcript: transcript.item_id)
    assert same_words(first.text, TIME)
    assert same_words(second.text, WEATHER)
    starts_ms = [started.audio_start_ms for started in client.all(n.UserSpeechStarted)]
    second_ms = 500 + samples_to_ms(len(said[TIME]), EAR_HZ) + 2000
    assert starts_ms == [pytest.approx(500, abs=150), pytest.approx(second_ms, abs=150)]


async def test_a_client_may_commit_its_turns_itself(engines: Engines, said: dict[str, Samples]) -> None:
    async with talking(engines, replace(SETTINGS, listens=False)) as client:
        client.session.append_audio(said[WEATHER])
        client.session.commit_input()
        client.session.request_reply(ReplyOptions(speaks=False))
        ended = await client.until(n.ReplyEnded)
    (message,) = ended.items
    assert isinstance(message, MessageItem)
    assert same_words(message.text, WEATHER)
    assert not client.all(n.ReplyAudioSent)


async def test_two_sessions_on_the_same_models_do_not_disturb_each_other(
    engines: Engines, said: dict[str, Samples]
) -> None:
    async with (
        talking(engines, SETTINGS, name="sess_a") as first,
        talking(engines, SETTINGS, name="sess_b", alone=False) as second,
    ):
        first.session.append_audio(in_a_room(said[TIME]))
        second.session.append_audio(in_a_room(said[WEATHER]))
        one, other = await asyncio.gather(first.until(n.ReplyEnded), second.until(n.ReplyEnded))
    assert same_words(reply_text(first.seen, one.response_id), TIME)
    assert same_words(reply_text(second.seen, other.response_id), WEATHER)


async def test_closing_in_mid_reply_leaves_the_models_free(engines: Engines, said: dict[str, Samples]) -> None:
    """No thread is left with work of the closed session, so the next one is served at once and whole."""
    llm = ScriptedLlm([says(" ".join([STORY] * 3)), says("Sure.")])
    before = {thread.name for thread in threading.enumerate()}
    for _ in range(2):
        async with talking(replace(engines, llm=llm), SETTINGS) as client:
            client.session.append_audio(in_a_room(said[TIME]))
            await client.until_heard(100)
    assert llm.under_way == 0
    left = {thread.name for thread in threading.enumerate()} - before
    assert all(name.startswith(("asyncio_", "stt-", "tts-", "end_of_turn-")) for name in left)
