"""gateway/realtime/user_audio.py: long messages are heard a second at a time, and nothing of them is lost unsaid."""

import json
from base64 import b64encode

import numpy as np
import pytest

from speakback.audio.resample import DELAY_MS
from speakback.gateway.realtime.formats import PCM_24K, IncomingAudio, WireFormat
from speakback.gateway.realtime.refusal import Refusal
from speakback.gateway.realtime.user_audio import STRETCH_MS, UserAudio
from speakback.timebase import EAR_HZ, ms_to_samples
from tests.gateway.scripted import ScriptedConversation, codec_for, error_of
from tests.gateway.test_app import event_from, is_healthy, server

PCM_16K = WireFormat("audio/pcm", 16_000)
ULAW = WireFormat("audio/pcmu", 8_000)


def noise(format: WireFormat, ms: int) -> bytes:
    rng = np.random.default_rng(1)
    return bytes(rng.integers(0, 255, ms_to_samples(ms, format.rate_hz) * format.sample_bytes, dtype=np.uint8))


@pytest.mark.parametrize("format", [PCM_24K, PCM_16K, ULAW], ids=lambda format: f"{format.type} {format.rate_hz}")
@pytest.mark.parametrize("ms", [20, STRETCH_MS, STRETCH_MS + 20, 5 * STRETCH_MS + 140])
def test_all_of_a_message_is_heard_a_second_at_a_time(format: WireFormat, ms: int) -> None:
    conversation, data = ScriptedConversation(), noise(format, ms)
    audio = UserAudio(format, conversation)
    audio.take(data, None, "")
    steps = 1
    heard = [len(conversation.heard)]
    while audio.go_on():
        steps += 1
        heard.append(len(conversation.heard))
    assert steps == -(-ms // STRETCH_MS)
    assert max(np.diff([0, *heard])) <= ms_to_samples(STRETCH_MS, EAR_HZ)
    assert np.allclose(conversation.heard, IncomingAudio(format).push(data), atol=1e-6)


@pytest.mark.parametrize("format", [PCM_24K, PCM_16K, ULAW], ids=lambda format: f"{format.type} {format.rate_hz}")
def test_small_messages_are_heard_together_as_soon_as_anything_can_be_made_of_them(format: WireFormat) -> None:
    conversation, data = ScriptedConversation(wanted_samples=512), noise(format, 400)
    audio, stream = UserAudio(format, conversation), IncomingAudio(format)
    step = ms_to_samples(20, format.rate_hz) * format.sample_bytes
    made = 0
    for start in range(0, len(data), step):
        heard = len(conversation.heard)
        audio.take(data[start : start + step], None, "")
        made += len(stream.push(data[start : start + step]))
        assert len(conversation.heard) == (made if made - heard >= 512 else heard)
    audio.flush()
    whole = IncomingAudio(format)
    assert np.allclose(conversation.heard, np.concatenate((whole.push(data), whole.flush())), atol=1e-6)


@pytest.mark.parametrize("format", [PCM_24K, PCM_16K, ULAW], ids=lambda format: f"{format.type} {format.rate_hz}")
def test_quiet_messages_are_heard_together_and_a_loud_one_at_once_with_all_before_it(format: WireFormat) -> None:
    conversation = ScriptedConversation(wanted_samples=512, wanted_quiet_samples=2048)
    audio = UserAudio(format, conversation)
    loud, quiet = noise(format, 40), format.bytes_of(np.zeros(ms_to_samples(20, format.rate_hz), np.float32))
    for _ in range(6):
        audio.take(quiet, None, "")
    assert not len(conversation.heard)
    audio.take(quiet, None, "")
    assert len(conversation.heard) >= 2048
    audio.take(quiet, None, "")
    audio.take(loud, None, "")
    assert len(conversation.heard) >= ms_to_samples(8 * 20 + 40 - 2 * DELAY_MS, EAR_HZ)
    assert len(conversation.heard) == len(expected := IncomingAudio(format).push(8 * quiet + loud))
    assert np.allclose(conversation.heard, expected, atol=1e-6)


def test_of_a_message_longer_than_a_frame_nobody_says_that_it_is_quiet() -> None:
    """A click in it would be no louder than its silence makes it."""
    conversation = ScriptedConversation(wanted_samples=512, wanted_quiet_samples=20_000)
    audio = UserAudio(PCM_16K, conversation)
    audio.take(bytes(2 * 512), None, "")
    assert not len(conversation.heard)
    audio.take(bytes(2 * 513), None, "")
    assert len(conversation.heard) == 1025


def test_what_is_quiet_is_heard_at_once_where_there_is_reason_to() -> None:
    conversation = ScriptedConversation(wanted_samples=512, wanted_quiet_samples=20_000)
    audio = UserAudio(PCM_16K, conversation)
    audio.take(bytes(2 * 512), None, "")
    audio.hear_held()
    assert len(conversation.heard) == 512


def test_what_is_held_is_forgotten_with_the_rest() -> None:
    conversation = ScriptedConversation(wanted_samples=512)
    audio = UserAudio(PCM_16K, conversation)
    audio.take(noise(PCM_16K, 20), None, "")
    audio.reset()
    audio.take(bytes(2 * 512), None, "")
    assert len(conversation.heard) == 512
    assert not np.any(conversation.heard)


def test_of_a_message_that_does_not_fit_the_client_learns_what_was_not_heard() -> None:
    conversation = ScriptedConversation(room_samples=ms_to_samples(2500, EAR_HZ))
    codec = codec_for(conversation)
    data = b64encode(noise(PCM_24K, 4000)).decode()
    event = {"type": "input_audio_buffer.append", "audio": data, "event_id": "mine"}
    assert codec.receive_text(json.dumps(event).encode()) == []
    assert codec.hear_on() == []
    answers = codec.hear_on()
    assert answers is not None
    error = error_of(answers)
    assert (error["code"], error["param"], error["event_id"]) == ("input_audio_buffer_full", "audio", "mine")
    assert "the last 2000 ms of this message were not heard" in str(error["message"])
    assert codec.hear_on() is None
    assert len(conversation.heard) <= ms_to_samples(2000, EAR_HZ)


def test_of_a_long_message_that_ends_in_half_a_sample_nothing_is_heard() -> None:
    conversation = ScriptedConversation()
    audio = UserAudio(PCM_24K, conversation)
    with pytest.raises(Refusal, match="odd number of bytes"):
        audio.take(noise(PCM_24K, 3000) + b"1", "audio", "")
    assert not audio.go_on()
    assert not len(conversation.heard)


async def test_the_next_message_is_taken_when_all_of_a_long_one_was_heard() -> None:
    async with server() as running:
        socket = await running.connect()
        await event_from(socket)
        audio = b64encode(noise(PCM_24K, 9000)).decode()
        await socket.send_json({"type": "input_audio_buffer.append", "audio": audio})
        assert await is_healthy(socket)
        heard = running.conversations[0].heard
    assert ms_to_samples(8990, EAR_HZ) < len(heard) <= ms_to_samples(9000, EAR_HZ)
