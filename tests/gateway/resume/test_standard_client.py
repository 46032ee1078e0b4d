"""The `openai` package against a server that keeps conversations: it is not disturbed, and can make use of it."""

from base64 import b64encode

import pytest
from blockbuster import BlockBuster
from openai import AsyncOpenAI

from speakback.audio.pcm import pcm16_from_samples
from speakback.gateway.resume.memory import MemoryStore
from tests.gateway.resume.house import house, question
from tests.session.scripted import says, scripted


@pytest.fixture
def sdk(blockbuster: BlockBuster) -> AsyncOpenAI:
    """The guard is off: the SDK reads files and asks the system who it is."""
    blockbuster.deactivate()
    return AsyncOpenAI(api_key="none")


@pytest.mark.parametrize("opts_in", [False, True])
async def test_a_conversation_goes_as_ever(sdk: AsyncOpenAI, opts_in: bool) -> None:
    audio = b64encode(pcm16_from_samples(question())).decode()
    told: list[str] = []
    async with house(MemoryStore(lambda: 0.0), scripted(says("It is noon."))) as (at, _):
        client = sdk.with_options(base_url=f"{at.address}/v1")
        async with client.realtime.connect(model="any") as connection:
            if opts_in:
                # The SDK's types do not know our key; it sends what it is given.
                await connection.session.update(session={"type": "realtime", "speakback": {}})  # type: ignore[arg-type]
            await connection.input_audio_buffer.append(audio=audio)
            async for event in connection:
                told.append(event.type)
                if event.type == "response.done":
                    assert event.response.status == "completed"
                    break
    assert told[0] == "session.created"
    assert "error" not in told
    assert ("speakback.resume_token" in told) == opts_in


async def test_it_takes_a_conversation_up_with_a_header(sdk: AsyncOpenAI) -> None:
    token, told = "", list[str]()
    async with house(MemoryStore(lambda: 0.0), scripted(says("It is noon."))) as (at, service):
        client = sdk.with_options(base_url=f"{at.address}/v1")
        async with client.realtime.connect(model="any") as connection:
            await connection.session.update(session={"type": "realtime", "speakback": {}})  # type: ignore[arg-type]
            while not token:
                token = str(getattr(await connection.recv(), "token", ""))
            connection._connection.transport.abort()
        await service.emptied()
        headers = {"Speakback-Resume": token}
        async with client.realtime.connect(model="any", extra_headers=headers) as connection:
            while "speakback.resume_token" not in told:
                told.append((await connection.recv()).type)
    assert told == ["session.created", "speakback.resumed", "speakback.resume_token"]
