"""The official `elevenlabs` package as a client of the emulator."""

import asyncio
import base64
from collections.abc import Callable
from typing import TypeVar

import httpx
import pytest
from elevenlabs import VoiceSettings
from elevenlabs.client import AsyncElevenLabs, ElevenLabs
from elevenlabs.core.api_error import ApiError

from speakback.emulators.elevenlabs.options import DEV_KEY
from tests.emulators.elevenlabs.voices import HELLO, HELLO_SAMPLES, VOICE, emulator

FLASH = "eleven_flash_v2_5"
T = TypeVar("T")


# The package asks websockets for the code and reason of a close in a way that has had its day.
pytestmark = pytest.mark.filterwarnings("ignore:ConnectionClosed.(code|reason) is deprecated:DeprecationWarning")


async def with_sdk(work: Callable[[ElevenLabs], T], key: str = DEV_KEY) -> T:
    """What the (blocking) client makes of an emulator, in a thread."""
    async with emulator() as address:
        return await asyncio.to_thread(_in_thread, work, address, key)


def _in_thread(work: Callable[[ElevenLabs], T], address: str, key: str) -> T:
    with httpx.Client() as http:
        client = ElevenLabs(api_key=key, base_url=f"http://{address}", httpx_client=http)
        # The package opens sockets with TLS, whatever its base URL says.
        client.text_to_speech._ws_base_url = f"ws://{address}"
        return work(client)


async def test_convert_realtime() -> None:
    def work(client: ElevenLabs) -> bytes:
        return b"".join(
            client.text_to_speech.convert_realtime(
                VOICE,
                text=iter(["Hello", " world."]),
                model_id=FLASH,
                output_format="pcm_24000",
                voice_settings=VoiceSettings(stability=0.5, similarity_boost=0.75, style=0.0, use_speaker_boost=True),
            )
        )

    audio = await with_sdk(work)
    assert len(audio) >= len("Hello world.") * 65 * 48


async def test_convert_realtime_of_more_than_its_schedule() -> None:
    words = [f"word{n} " for n in range(40)]

    def work(client: ElevenLabs) -> bytes:
        return b"".join(
            client.text_to_speech.convert_realtime(VOICE, text=iter(words), model_id=FLASH, output_format="pcm_16000")
        )

    assert len(await with_sdk(work)) >= len("".join(words)) * 65 * 32


async def test_convert_realtime_with_a_wrong_key() -> None:
    def work(client: ElevenLabs) -> bytes:
        return b"".join(client.text_to_speech.convert_realtime(VOICE, text=iter(["Hello "]), model_id=FLASH))

    with pytest.raises(ApiError) as refused:
        await with_sdk(work, key="wrong")
    assert refused.value.status_code == 1008
    assert "Invalid API key" in str(refused.value.body), "the frame, or the close reason: whichever it met first"


async def test_stream_and_convert() -> None:
    def work(client: ElevenLabs) -> tuple[bytes, bytes]:
        speech = client.text_to_speech
        streamed = b"".join(speech.stream(VOICE, text=HELLO, model_id=FLASH, output_format="pcm_24000"))
        whole = b"".join(speech.convert(VOICE, text=HELLO, model_id=FLASH, output_format="pcm_24000"))
        return streamed, whole

    streamed, whole = await with_sdk(work)
    assert streamed == whole
    assert len(streamed) == HELLO_SAMPLES * 2


async def test_stream_with_timestamps() -> None:
    def work(client: ElevenLabs) -> tuple[bytes, str]:
        chunks = list(
            client.text_to_speech.stream_with_timestamps(VOICE, text=HELLO, model_id=FLASH, output_format="pcm_24000")
        )
        audio = b"".join(base64.b64decode(chunk.audio_base_64) for chunk in chunks)
        return audio, "".join("".join(chunk.alignment.characters) for chunk in chunks if chunk.alignment)

    audio, text = await with_sdk(work)
    assert len(audio) == HELLO_SAMPLES * 2
    assert text == HELLO


async def test_a_refusal_is_the_error_that_it_is_meant_to_be() -> None:
    def work(client: ElevenLabs) -> bytes:
        return b"".join(client.text_to_speech.stream("nobody", text=HELLO, model_id=FLASH))

    with pytest.raises(ApiError) as refused:
        await with_sdk(work)
    assert refused.value.status_code == 404


async def test_the_account() -> None:
    def work(client: ElevenLabs) -> tuple[str, list[str], list[str], str]:
        subscription = client.user.subscription.get()
        models = [model.model_id for model in client.models.list()]
        voices = [voice.voice_id for voice in client.voices.get_all().voices]
        token = client.tokens.single_use.create("tts_websocket").token
        return subscription.tier, models, voices, token

    tier, models, voices, token = await with_sdk(work)
    assert tier == "pro"
    assert FLASH in models
    assert VOICE in voices
    assert token


async def test_the_asynchronous_client_streams() -> None:
    async with emulator() as address, httpx.AsyncClient() as http:
        client = AsyncElevenLabs(api_key=DEV_KEY, base_url=f"http://{address}", httpx_client=http)
        stream = client.text_to_speech.stream(VOICE, text=HELLO, model_id=FLASH, output_format="pcm_24000")
        assert len(b"".join([chunk async for chunk in stream])) == HELLO_SAMPLES * 2
