"""The official SDKs as clients, so that the emulator is not merely shaped to ours."""

import groq
import httpcore2  # noqa: F401  # openai imports it late, which would block the loop
import openai
import pytest
from groq.types.chat import ChatCompletionMessageParam
from openai.types.audio import TranscriptionVerbose
from openai.types.chat import ChatCompletionFunctionToolParam

from speakback.emulators.groq.app import DEV_KEY
from speakback.emulators.scripted_content import ScriptedWriter
from tests.emulators.groq.test_chat import CALL
from tests.emulators.groq.wires import Wire, groq_wire, wav

NAMED_EVENT_SEED = 1
"""With it, the error of a stream comes as a named event."""
WEATHER: ChatCompletionFunctionToolParam = {"type": "function", "function": {"name": "weather"}}
MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello."}]


def groq_client(wire: Wire, key: str = DEV_KEY) -> groq.AsyncGroq:
    return groq.AsyncGroq(api_key=key, base_url=wire.base, max_retries=0)


def openai_client(wire: Wire, key: str = DEV_KEY) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key=key, base_url=f"{wire.base}/openai/v1", max_retries=0)


async def test_groq_streams_a_chat() -> None:
    async with groq_wire() as wire, groq_client(wire) as client:
        stream = await client.chat.completions.create(
            model="openai/gpt-oss-20b", messages=MESSAGES, stream=True, reasoning_effort="low", seed=5
        )
        chunks = [chunk async for chunk in stream]
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert "".join(delta.content or "" for delta in deltas) == "Int eresting."
    assert "".join(delta.reasoning or "" for delta in deltas).startswith("The user")
    assert chunks[0].x_groq is not None
    assert chunks[0].x_groq.seed == 5
    last = chunks[-1]
    assert last.choices[0].finish_reason == "stop"
    assert last.x_groq is not None
    assert last.x_groq.id == chunks[0].x_groq.id
    assert last.x_groq.usage is not None
    assert last.x_groq.usage.completion_tokens_details is not None
    assert last.x_groq.usage.completion_tokens_details.reasoning_tokens == 12


async def test_groq_chats_without_a_stream_and_sees_the_limits() -> None:
    async with groq_wire(tier="free") as wire, groq_client(wire) as client:
        raw = await client.chat.completions.with_raw_response.create(model="openai/gpt-oss-120b", messages=MESSAGES)
        answer = await raw.parse()
    assert answer.choices[0].message.content == "Int eresting."
    assert raw.headers["x-ratelimit-limit-tokens"] == "8000"
    assert raw.headers["x-ratelimit-reset-requests"] == "1m26.4s"


async def test_groq_transcribes() -> None:
    async with groq_wire() as wire, groq_client(wire) as client:
        raw = await client.audio.transcriptions.with_raw_response.create(
            file=("audio.wav", wav(1.0)),
            model="whisper-large-v3-turbo",
            language="en",
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
            temperature=0,
        )
        answer = await raw.parse()
    assert answer.text == " Hello there."
    assert {"words", "segments", "duration", "x_groq"} <= (answer.model_extra or {}).keys()


async def test_openai_transcribes() -> None:
    async with groq_wire() as wire, openai_client(wire) as client:
        answer = await client.audio.transcriptions.create(
            file=("audio.wav", wav(1.0)),
            model="whisper-large-v3-turbo",
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
        )
    assert isinstance(answer, TranscriptionVerbose)
    assert answer.words is not None
    assert [word.word for word in answer.words] == ["Hello", "there."]
    assert answer.segments is not None
    assert -1 < answer.segments[0].avg_logprob < 0


async def test_openai_streams_a_chat_with_usage_and_a_tool_call() -> None:
    async with groq_wire(writer=ScriptedWriter((CALL,))) as wire, openai_client(wire) as client:
        stream = await client.chat.completions.create(
            model="openai/gpt-oss-20b",
            messages=[{"role": "user", "content": "Weather?"}],
            stream=True,
            stream_options={"include_usage": True},
            tools=[WEATHER],
        )
        chunks = [chunk async for chunk in stream]
    calls = [call for chunk in chunks if chunk.choices for call in chunk.choices[0].delta.tool_calls or ()]
    assert [(call.id, call.function and call.function.arguments) for call in calls] == [("call_1", '{"city":"Oslo"}')]
    assert chunks[-1].usage is not None
    assert chunks[-1].choices == []


async def test_both_list_the_models() -> None:
    async with groq_wire() as wire, groq_client(wire) as one, openai_client(wire) as other:
        by_groq = {model.id for model in (await one.models.list()).data}
        by_openai = {model.id async for model in other.models.list()}
        found = await other.models.retrieve("openai/gpt-oss-20b")
        also = await one.models.retrieve("openai/gpt-oss-20b")
    assert by_groq == by_openai
    assert found.owned_by == also.owned_by == "OpenAI"


ERRORS = [
    ("", "wrong", "openai/gpt-oss-20b", groq.AuthenticationError, openai.AuthenticationError),
    ("", DEV_KEY, "llama-3.3-70b-versatile", groq.NotFoundError, openai.NotFoundError),
    ("", DEV_KEY, "whisper-large-v3", groq.BadRequestError, openai.BadRequestError),
    ("429", DEV_KEY, "openai/gpt-oss-20b", groq.RateLimitError, openai.RateLimitError),
    ("500", DEV_KEY, "openai/gpt-oss-20b", groq.InternalServerError, openai.InternalServerError),
    ("system-busy", DEV_KEY, "openai/gpt-oss-20b", groq.InternalServerError, openai.InternalServerError),
]


@pytest.mark.parametrize(("faults", "key", "model", "by_groq", "by_openai"), ERRORS)
async def test_errors_have_their_classes(
    faults: str, key: str, model: str, by_groq: type[groq.APIStatusError], by_openai: type[openai.APIStatusError]
) -> None:
    async with groq_wire(faults=faults) as wire, groq_client(wire, key) as one, openai_client(wire, key) as other:
        with pytest.raises(by_groq) as first:
            await one.chat.completions.create(model=model, messages=MESSAGES)
        with pytest.raises(by_openai) as second:
            await other.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hello."}])
    assert second.value.request_id is not None
    assert second.value.request_id.startswith("req_01")
    assert "error" in first.value.response.json()


async def test_a_wrong_extension_is_a_bad_request() -> None:
    async with groq_wire() as wire, groq_client(wire) as client:
        with pytest.raises(groq.BadRequestError, match="file must be one of the following types"):
            await client.audio.transcriptions.create(file=("audio", wav(0.5)), model="whisper-large-v3-turbo")


async def test_a_named_error_event_is_an_error() -> None:
    async with groq_wire(faults="error-in-stream", seed=NAMED_EVENT_SEED) as wire, groq_client(wire) as client:
        with pytest.raises(groq.APIError, match="Internal Server Error"):
            async for _ in await client.chat.completions.create(
                model="openai/gpt-oss-20b", messages=MESSAGES, stream=True
            ):
                pass


async def test_the_retry_of_the_sdk_obeys_retry_after() -> None:
    async with groq_wire(tier="free") as wire, groq_client(wire) as client:
        for _ in range(20):
            await client.audio.transcriptions.create(file=("a.wav", wav(0.1)), model="whisper-large-v3-turbo")
        with pytest.raises(groq.RateLimitError) as refusal:
            await client.audio.transcriptions.create(file=("a.wav", wav(0.1)), model="whisper-large-v3-turbo")
    assert refusal.value.response.headers["retry-after"] == "3"
