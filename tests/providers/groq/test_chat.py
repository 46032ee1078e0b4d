"""`OpenAiChat` with Groq's options, against the documented stream. A number in a name is that of a known trap."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from speakback.providers.adapters.groq.chat import MODELS, groq_chat, reasoning_controls
from speakback.providers.adapters.openai_chat import ChatOptions, OpenAiChat
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.llm import LlmDelta, Message, Prompt, TextDelta, Tool, ToolCall, Usage
from speakback.providers.rate_limit import Plan, RateLimit, Turnstile
from tests.providers.groq.service import KEY

MODEL = MODELS[0]
PROMPT = Prompt((Message("user", "private words"),), max_tokens=160, temperature=0.6)
COUNTS = {"queue_time": 0.042, "prompt_tokens": 78, "completion_tokens": 120, "total_tokens": 198, "total_time": 0.243}


def chunk(delta: dict[str, object], finish: str | None = None, **more: object) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1758000000, "model": MODEL}
    return sse({**head, "system_fingerprint": "fp_1", "choices": [choice], **more})


def sse(value: object, event: str = "") -> bytes:
    return f"{event}data: {json.dumps(value)}\n\n".encode()


OPENING = chunk({"role": "assistant", "content": ""}, x_groq={"id": "req_01open", "seed": 1234567})
ENDING = chunk({}, "stop", x_groq={"id": "req_01open", "usage": COUNTS}, usage=COUNTS)
COUNTED = sse({"id": "chatcmpl-1", "choices": [], "usage": COUNTS, "service_tier": "on_demand"})
DONE = b"data: [DONE]\n\n"


@dataclass
class Groq:
    """Answers each chat with `stream`, or with `refusal`."""

    stream: tuple[bytes, ...] = ()
    refusal: tuple[int, Mapping[str, object], Mapping[str, str]] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[dict[str, object]] = field(default_factory=list)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        if self.refusal is not None:
            status, body, headers = self.refusal
            return web.json_response(body, status=status, headers=headers)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **self.headers})
        await response.prepare(request)
        for piece in self.stream:
            await response.write(piece)
        return response


@asynccontextmanager
async def talking_to(groq: Groq, model: str = MODEL, options: ChatOptions | None = None) -> AsyncIterator[OpenAiChat]:
    app = web.Application()
    app.router.add_post("/openai/v1/chat/completions", groq.chat)
    async with TestServer(app) as server:
        base_url = str(server.make_url("/openai/v1"))
        turnstile = Turnstile(RateLimit(Plan()))
        chat = await asyncio.to_thread(OpenAiChat, base_url, model, KEY, options or groq_chat(model), turnstile)
        try:
            yield chat
        finally:
            await chat.aclose()


async def deltas(chat: OpenAiChat, prompt: Prompt = PROMPT) -> list[LlmDelta]:
    return [delta async for delta in chat.stream(prompt)]


async def replied(*stream: bytes, prompt: Prompt = PROMPT) -> list[LlmDelta]:
    async with talking_to(Groq(stream)) as chat:
        return await deltas(chat, prompt)


async def fails(groq: Groq) -> ProviderError:
    async with talking_to(groq) as chat:
        with pytest.raises(ProviderError) as failure:
            await deltas(chat)
    assert "private" not in str(failure.value)
    assert KEY not in str(failure.value)
    return failure.value


async def test_the_worked_exchange() -> None:
    groq = Groq(
        (
            OPENING,
            chunk({"reasoning": "The", "channel": "analysis"}),
            chunk({"content": "Int"}) + chunk({"content": "eresting."}),
            ENDING,
            COUNTED,
            DONE,
        )
    )
    async with talking_to(groq) as chat:
        assert chat.name == "groq"
        said = await deltas(chat)
    assert said == [TextDelta("Int"), TextDelta("eresting."), Usage(78, 120, None, stopped_at_limit=False)]
    (request,) = groq.requests
    assert request == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "private words"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 512,
        "temperature": 0.6,
        "reasoning_effort": "low",
        "include_reasoning": False,
    }


async def test_what_is_not_in_the_final_channel_is_not_said() -> None:
    told = [
        chunk({"content": "Hm.", "channel": "analysis"}),
        chunk({"content": "call", "channel": "commentary"}),
        chunk({"reasoning": "Hm.", "reasoning_content": "Hm."}),
        chunk({"content": "Yes.", "channel": "final"}),
    ]
    assert (await replied(OPENING, *told, ENDING, DONE))[0] == TextDelta("Yes.")


async def test_a_whole_tool_call_in_one_chunk() -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "time", "arguments": "{}"}}
    said = await replied(OPENING, chunk({"tool_calls": [call]}), chunk({}, "tool_calls"), DONE)
    assert said == [ToolCall("call_1", "time", "{}")]


async def test_28_reasoning_that_uses_up_the_limit_is_told() -> None:
    problem = await fails(Groq((OPENING, chunk({"reasoning": "Hm."}), chunk({}, "length", usage=COUNTS), DONE)))
    assert problem.failure is Failure.BAD_ANSWER
    assert "reasoning used it up" in str(problem)
    assert "req_01open" in str(problem)


async def test_28_a_reply_without_a_word_is_an_error() -> None:
    problem = await fails(Groq((OPENING, ENDING, COUNTED, DONE)))
    assert problem.failure is Failure.BAD_ANSWER


@pytest.mark.parametrize(
    ("prompt_limit", "asked_for"),
    [(160, 512), (800, 800)],
)
async def test_28_there_is_room_for_the_reasoning(prompt_limit: int, asked_for: int) -> None:
    groq = Groq((chunk({"content": "Yes."}), ENDING, DONE))
    async with talking_to(groq) as chat:
        await deltas(chat, replace(PROMPT, max_tokens=prompt_limit))
    assert groq.requests[0]["max_completion_tokens"] == asked_for


def test_only_models_that_reason_are_told_how() -> None:
    assert reasoning_controls("openai/gpt-oss-120b") == {"reasoning_effort": "low", "include_reasoning": False}
    assert reasoning_controls("qwen/qwen3.6-27b") == {"reasoning_effort": "none"}
    assert reasoning_controls("llama-3.3-70b-versatile") == {}
    assert groq_chat("llama-3.3-70b-versatile").least_completion_tokens == 0


FAILED_CALL = {
    "error": {
        "message": "Failed to call a function. private",
        "type": "invalid_request_error",
        "code": "tool_use_failed",
        "failed_generation": "private",
        "status_code": 400,
    }
}


@pytest.mark.parametrize(
    ("broken", "failure"),
    [
        (sse(FAILED_CALL, "event: error\n"), Failure.BAD_ANSWER),
        (sse(FAILED_CALL), Failure.BAD_ANSWER),
        (sse({"error": "private"}), Failure.BROKE_OFF),
        (sse({"error": {"message": "private", "type": "internal_server_error"}}, "event: error\n"), Failure.BROKE_OFF),
        (chunk({}, None, x_groq={"id": "req_01open", "error": "private"}), Failure.BROKE_OFF),
        (chunk({}, "stop", x_groq={"error": "private"}), Failure.BROKE_OFF),
        (b"", Failure.BROKE_OFF),
        (DONE, Failure.BROKE_OFF),
        (chunk({"content": "private"})[:-9], Failure.BROKE_OFF),
        (chunk({}, "stop")[:-1], Failure.BROKE_OFF),
        (b"event: error\ndata: private\n\n", Failure.BAD_ANSWER),
        (sse({"message": "private"}, "event: error\n"), Failure.BROKE_OFF),
    ],
)
async def test_29_an_error_in_the_stream_and_a_stream_without_an_end_are_seen(broken: bytes, failure: Failure) -> None:
    groq = Groq((OPENING, chunk({"content": "Int"}), broken), headers={"x-request-id": "req_01head"})
    async with talking_to(groq) as chat, aclosing(chat.stream(PROMPT)) as stream:
        assert await anext(stream) == TextDelta("Int")
        with pytest.raises(ProviderError) as problem:
            await anext(stream)
    assert problem.value.failure is failure
    assert "(request req_01head)" in str(problem.value)
    assert "private" not in str(problem.value)


async def test_27_a_413_that_is_a_rate_limit_is_one_and_stops_nobody_else() -> None:
    message = "Request too large for model … on tokens per minute (TPM): Limit 8000, Requested 11881, private"
    error = {"error": {"message": message, "type": "tokens", "code": "rate_limit_exceeded"}}
    groq = Groq(refusal=(413, error, {"x-request-id": "req_01large"}))
    async with talking_to(groq) as chat:
        with pytest.raises(ProviderError, match="tokens per minute") as problem:
            await deltas(chat)
        assert problem.value.failure is Failure.RATE_LIMITED
        assert "req_01large" in str(problem.value)
        groq.refusal, groq.stream = None, (chunk({"content": "Yes."}), ENDING, DONE)
        assert (await deltas(chat))[0] == TextDelta("Yes.")


async def test_26_after_a_429_nobody_asks_until_the_service_takes_requests_again() -> None:
    message = "… on tokens per day (TPD): Limit 200000, Used 197117, Requested 4254. Please try again in 9m52.272s."
    error = {"error": {"message": message, "type": "tokens", "code": "rate_limit_exceeded"}}
    groq = Groq(refusal=(429, error, {}))
    async with talking_to(groq) as chat:
        for _ in range(2):
            with pytest.raises(ProviderError) as problem:
                await deltas(chat)
            assert problem.value.failure is Failure.RATE_LIMITED
            assert problem.value.retry_after_s == pytest.approx(592.272, abs=1)
    assert len(groq.requests) == 1


async def test_a_flex_tier_without_capacity_is_busy() -> None:
    error = {"error": {"message": "private", "code": "capacity_exceeded"}}
    assert (await fails(Groq(refusal=(498, error, {})))).failure is Failure.BUSY


async def test_a_model_that_is_gone_is_named_with_the_nearest() -> None:
    gone = "openai/gpt-oss-20"
    error = {"error": {"message": "The model private does not exist", "code": "model_not_found"}}
    options = replace(groq_chat(gone, region="us"), known_models=MODELS)
    async with talking_to(Groq(refusal=(404, error, {})), gone, options) as chat:
        with pytest.raises(ProviderError, match="'groq' in us: .*the nearest there is: openai/gpt-oss-20b") as problem:
            await deltas(chat)
    assert problem.value.failure is Failure.UNKNOWN_MODEL


async def test_a_tools_parameters_that_are_no_json_are_told() -> None:
    async with talking_to(Groq((DONE,))) as chat:
        with pytest.raises(ProviderError, match="a tool") as problem:
            await deltas(chat, replace(PROMPT, tools=(Tool("time", "now", "[]"),)))
    assert problem.value.failure is Failure.BAD_REQUEST
