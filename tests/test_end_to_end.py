"""What a user does first: the openai SDK, pointed at a server that runs all its default models, over a real socket.

A sentence is spoken in another voice, the reply's audio is taken down by another model than the server's
own, and what was heard is compared with the text that the server says it spoke.
"""

import asyncio
import os
import re
import sys
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
from blockbuster import BlockBuster
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from speakback import weights
from speakback.audio.pcm import Samples, pcm16_from_samples, samples_from_pcm16
from speakback.audio.resample import resample
from speakback.providers.adapters.piper import Piper
from speakback.providers.adapters.whisper import Whisper
from speakback.timebase import EAR_HZ, VOICE_HZ, ms_to_samples

QUESTION = "What is the capital city of France?"
APPEND_MS = 20


@asynccontextmanager
async def default_server(folder: Path) -> AsyncIterator[str]:
    """`speakback serve` as a process in an empty folder, with no configuration at all; gives the SDK's base URL."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if key == "SPEAKBACK_WEIGHTS__DIRECTORY" or not key.startswith("SPEAKBACK_")
    }
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "speakback", "serve", "--port", "0",
        cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert server.stdout is not None
    try:
        ready = (await server.stdout.readline()).decode()
        address = re.search(r"http://\S+", ready)
        assert address is not None, f"the server ended before it was ready: {ready!r}"
        yield f"{address.group()}/v1"
    finally:
        if server.returncode is None:
            server.terminate()
        await server.communicate()


async def spoken(text: str) -> Samples:
    """The sentence in a voice that is not the server's, at 24 kHz."""

    async def clauses() -> AsyncIterator[str]:
        yield text

    voice = Piper()
    audio = np.concatenate([chunk.audio_24k async for chunk in voice.speak(clauses())])
    await voice.aclose()
    return audio


async def say(connection: AsyncRealtimeConnection, audio_24k: Samples) -> None:
    """Stream the audio and then silence in real time, until cancelled."""
    loop = asyncio.get_running_loop()
    step = ms_to_samples(APPEND_MS, VOICE_HZ)
    began, sent = loop.time(), 0
    while True:
        block = audio_24k[sent : sent + step]
        block = np.pad(block, (0, step - len(block)))
        await connection.input_audio_buffer.append(audio=b64encode(pcm16_from_samples(block)).decode())
        sent += step
        await asyncio.sleep(max(0.0, began + sent / VOICE_HZ - loop.time()))


def words(text: str) -> list[str]:
    return re.sub(r"[^\w\s']", " ", text.lower()).split()


@pytest.fixture
def sdk(blockbuster: BlockBuster) -> AsyncOpenAI:
    """The guard is off: the server is another process, and the SDK reads files and asks the system who it is."""
    blockbuster.deactivate()
    return AsyncOpenAI(api_key="none")


@pytest.fixture
def judge() -> Whisper:
    """Another model than the server's."""
    return Whisper(weights.resolve("whisper-base"), name="judge")


@pytest.mark.timeout(180)
async def test_a_spoken_question_is_answered_aloud_with_the_text_it_claims(
    sdk: AsyncOpenAI, judge: Whisper, tmp_path: Path
) -> None:
    question = await spoken(QUESTION)
    heard, said, audio = "", "", b""
    async with default_server(tmp_path) as base_url:
        client = sdk.with_options(base_url=base_url)
        async with client.realtime.connect(model="speakback") as connection:
            speaking = asyncio.create_task(say(connection, question))
            async for event in connection:
                if event.type == "conversation.item.input_audio_transcription.completed":
                    heard = event.transcript
                elif event.type == "response.output_audio.delta":
                    audio += b64decode(event.delta)
                elif event.type == "response.output_audio_transcript.done":
                    said = event.transcript
                elif event.type == "response.done":
                    assert event.response.status == "completed"
                    break
                else:
                    assert event.type != "error", event
            speaking.cancel()
        await client.close()
    assert SequenceMatcher(None, words(heard), words(QUESTION)).ratio() > 0.8, heard  # the voice varies by chance
    assert "paris" in words(said)
    transcript = await judge.transcribe(resample(samples_from_pcm16(audio), VOICE_HZ, EAR_HZ), language="en")
    await judge.aclose()
    assert SequenceMatcher(None, words(transcript.text), words(said)).ratio() > 0.85, (transcript.text, said)
