"""Against a small server that speaks the documented event stream, over a real socket."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from types import AsyncGeneratorType

import openai
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from speakback.providers.adapters.openai_chat import ChatOptions, OpenAiChat
from speakback.providers.errors import Failure, ProviderError
from speakback.providers.llm import LlmDelta, Message, Prompt, TextDelta, Tool, ToolCall, Usage

SECRET = "sk-very-secret"
PROMPT = Prompt((Message("system", "Be brief."), Message("user", "private words")), correlation_id="c-7", max_tokens=9)

Answer = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


def event(delta: dict[str, object], finish_reason: str | None = None, **more: object) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    return data({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more})


def data(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def usage(**details: object) -> bytes:
    counts = {"prompt_tokens": 11, "completion_tokens": 2, "total_tokens": 13, **details}
    return data(
        {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": counts}
    )


DONE = b"data: [DONE]\n\n"


class Service:
    """Records the requests, and whether the client hung up."""

    def __init__(self) -> None:
        self.requests: list[dict[str, object]] = []
        self.headers: list[dict[str, str]] = []
        self.asked = asyncio.Event()
        self.hung_up = asyncio.Event()


@asynccontextmanager
async def served(
    answer: Answer | list[bytes] | int, options: ChatOptions | None = None
) -> AsyncIterator[tuple[OpenAiChat, Service]]:
    service = Service()

    async def handle(request: web.Request) -> web.StreamResponse:
        service.requests.append(await request.json())
        service.headers.append(dict(request.headers))
        service.asked.set()
        if isinstance(answer, int):
            return web.json_response({"error": {"message": f"no {SECRET} private words"}}, status=answer)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            if isinstance(answer, list):
                for piece in answer:
                    await response.write(piece)
            else:
                await answer(request, response)
        except (asyncio.CancelledError, ConnectionResetError):
            service.hung_up.set()
            raise
        return response

    app = web.Application()
    app.router.add_post("/v1/chat/completions", handle)
    async with TestServer(app) as server:
        await server.start_server(handler_cancellation=True)
        model = await client_of(str(server.make_url("/v1")), options)
        try:
            yield model, service
        finally:
            await model.aclose()


async def client_of(base_url: str, options: ChatOptions | None = None) -> OpenAiChat:
    """Made in a thread, because it reads the certificates of the machine."""
    return await asyncio.to_thread(OpenAiChat, base_url, "m", SECRET, options)


async def deltas(model: OpenAiChat, prompt: Prompt = PROMPT) -> list[LlmDelta]:
    return [delta async for delta in model.stream(prompt)]


async def test_it_streams_text_and_usage_and_never_reasoning() -> None:
    answer = [
        event({"role": "assistant", "content": ""}),
        event({"reasoning": "Hm."}),
        event({"reasoning_content": "Hm."}),
        event({"content": "Good"}),
        event({"content": " day"}),
        event({}, "stop"),
        usage(prompt_tokens_details={"cached_tokens": 4}),
        DONE,
    ]
    async with served(answer) as (model, service):
        assert await deltas(model) == [TextDelta("Good"), TextDelta(" day"), Usage(11, 2, 4, stopped_at_limit=False)]
    (request,), (headers,) = service.requests, service.headers
    assert request["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "private words"},
    ]
    assert (request["model"], request["max_tokens"], request["stream"]) == ("m", 9, True)
    assert "tools" not in request
    assert headers["X-Correlation-ID"] == "c-7"
    assert headers["Authorization"] == f"Bearer {SECRET}"


async def test_a_reply_cut_by_the_limit_says_so_and_uncounted_caching_is_none() -> None:
    async with served([event({"content": "Good"}), event({}, "length"), usage(), DONE]) as (model, _):
        assert (await deltas(model))[-1] == Usage(11, 2, None, stopped_at_limit=True)


async def test_a_service_that_counts_nothing_is_not_counted_for() -> None:
    async with served([event({"content": "Good"}), event({}, "stop"), DONE]) as (model, _):
        assert await deltas(model) == [TextDelta("Good")]


async def test_tool_calls_are_put_together_from_their_pieces() -> None:
    def piece(index: int, **fields: object) -> bytes:
        return event({"tool_calls": [{"index": index, **fields}]})

    answer = [
        piece(0, id="a", type="function", function={"name": "weather", "arguments": ""}),
        piece(0, function={"arguments": '{"city":'}),
        piece(1, id="b", type="function", function={"name": "time", "arguments": "{}"}),
        piece(0, function={"arguments": ' "Paris"}'}),
        event({}, "tool_calls"),
        DONE,
    ]
    prompt = replace(PROMPT, tools=(Tool("weather", "of a city", '{"type": "object"}'),), tool_choice="required")
    async with served(answer) as (model, service):
        weather, time = ToolCall("a", "weather", '{"city": "Paris"}'), ToolCall("b", "time", "{}")
        assert await deltas(model, prompt) == [weather, time]
    assert service.requests[0]["tool_choice"] == "required"
    function = {"name": "weather", "description": "of a city", "parameters": {"type": "object"}}
    assert service.requests[0]["tools"] == [{"type": "function", "function": function}]


async def test_a_tools_call_and_result_go_back_to_the_service() -> None:
    call = ToolCall("a", "weather", "{}")
    talk = (*PROMPT.messages, Message("assistant", "", (call,)), Message("tool", "rain", tool_call_id="a"))
    async with served([event({"content": "Rain."}), event({}, "stop"), DONE]) as (model, service):
        await deltas(model, replace(PROMPT, messages=talk))
    messages = service.requests[0]["messages"]
    assert isinstance(messages, list)
    assert messages[-2:] == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "a", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
        },
        {"role": "tool", "content": "rain", "tool_call_id": "a"},
    ]


async def test_the_first_words_come_before_the_last_are_written() -> None:
    heard = asyncio.Event()

    async def answer(request: web.Request, response: web.StreamResponse) -> None:
        await response.write(event({"content": "Good"}))
        await heard.wait()
        await response.write(event({"content": " day"}) + event({}, "stop") + DONE)

    async with served(answer) as (model, _):
        stream = model.stream(PROMPT)
        assert await anext(stream) == TextDelta("Good")
        heard.set()
        assert [delta async for delta in stream] == [TextDelta(" day")]


async def endless(request: web.Request, response: web.StreamResponse) -> None:
    await response.write(event({"content": "Good"}))
    await asyncio.Event().wait()


async def silent(request: web.Request, response: web.StreamResponse) -> None:
    await asyncio.Event().wait()


async def test_closing_the_iterator_hangs_up() -> None:
    async with served(endless) as (model, service):
        async with aclosing(model.stream(PROMPT)) as stream:
            await anext(stream)
        await service.hung_up.wait()


@pytest.mark.parametrize("answer", [endless, silent])
async def test_cancelling_the_task_hangs_up(answer: Answer) -> None:
    async with served(answer) as (model, service):
        task = asyncio.create_task(deltas(model))
        await service.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await service.hung_up.wait()


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (400, Failure.BAD_REQUEST),
        (401, Failure.REFUSED_KEY),
        (403, Failure.FORBIDDEN),
        (404, Failure.UNKNOWN_MODEL),
        (413, Failure.BAD_REQUEST),
        (429, Failure.RATE_LIMITED),
        (503, Failure.BUSY),
    ],
)
async def test_a_refusal_is_explained_without_the_services_words(status: int, failure: Failure) -> None:
    async with served(status) as (model, _):
        with pytest.raises(ProviderError, match=f"HTTP {status}: ") as refusal:
            await deltas(model)
    assert refusal.value.failure is failure
    assert SECRET not in str(refusal.value)
    assert "private" not in str(refusal.value)
    assert refusal.value.__context__ is None


async def test_an_error_in_mid_reply_is_raised_after_what_was_said() -> None:
    answer = [event({"content": "Good"}), data({"error": {"message": f"private words {SECRET}"}})]
    await breaks_off(answer)


async def test_a_reply_that_ends_without_an_end_is_an_error() -> None:
    await breaks_off([event({"content": "Good"})])


async def test_a_lost_connection_is_an_error() -> None:
    async def answer(request: web.Request, response: web.StreamResponse) -> None:
        await response.write(event({"content": "Good"}))
        assert request.transport is not None
        request.transport.abort()

    await breaks_off(answer)


async def test_what_is_not_json_is_an_error() -> None:
    await breaks_off([event({"content": "Good"}), b"data: private {\n\n"], Failure.BAD_ANSWER)


@pytest.mark.parametrize(
    "shape",
    [
        [],
        "private",
        7,
        {"choices": [7]},
        {"choices": [{"delta": None}]},
        {"choices": [{"delta": {"content": ["private"]}, "finish_reason": None}]},
        {"choices": [{"delta": {"tool_calls": ["private"]}, "finish_reason": None}]},
    ],
    ids=repr,
)
async def test_json_of_another_shape_is_an_error(shape: object) -> None:
    await breaks_off([event({"content": "Good"}), data(shape)], Failure.BAD_ANSWER)


async def test_json_without_a_bottom_is_an_error() -> None:
    await breaks_off([event({"content": "Good"}), b"data: " + b"[" * 100_000 + b"\n\n"], Failure.BAD_ANSWER)


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Nobody collects garbage."""
    gc.disable()
    yield
    gc.enable()


def suspended() -> list[str]:
    """Generators of the libraries below that were neither read to their end nor closed."""
    generators = [found for found in gc.get_objects() if isinstance(found, AsyncGeneratorType) and found.ag_frame]
    return [found.__qualname__ for found in generators if "aiter" in found.__qualname__]


async def nothing_is_suspended() -> None:
    for _ in range(50):  # each closes the next, in a task of its own
        await asyncio.sleep(0)
    assert suspended() == []


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("broken", [b"data: {\n\n", data([]), data({"error": {"message": "private"}})])
async def test_a_failure_that_is_kept_keeps_no_generator_open(broken: bytes) -> None:
    async with served([event({"content": "Good"}), broken, event({"content": " day"})]) as (model, _):
        with pytest.raises(ProviderError) as failure:
            await deltas(model)
        await nothing_is_suspended()
        assert failure.value.__context__ is None


@pytest.mark.usefixtures("uncollected")
async def test_a_reply_that_is_not_read_to_its_end_keeps_no_generator_open() -> None:
    async with served(endless) as (model, _):
        stream = model.stream(PROMPT)
        await anext(stream)
        assert suspended()
        await stream.aclose()
        await nothing_is_suspended()


async def test_what_goes_wrong_behind_the_end_costs_nothing() -> None:
    for behind in (b"data: {\n\n", data([]), data({"error": {"message": "private"}})):
        async with served([event({"content": "Good"}), event({}, "stop"), behind]) as (model, _):
            assert await deltas(model) == [TextDelta("Good")]


async def test_a_service_that_does_not_hang_up_behind_the_end_is_not_waited_for() -> None:
    async def answer(request: web.Request, response: web.StreamResponse) -> None:
        await response.write(event({"content": "Good"}) + event({}, "stop"))
        await asyncio.Event().wait()

    async with served(answer) as (model, service):
        assert await deltas(model) == [TextDelta("Good")]
        await service.hung_up.wait()


@pytest.mark.parametrize("chunk", [{"choices": None}, {"choices": []}, {"private": 1}, {"error": None}], ids=repr)
async def test_a_chunk_without_choices_is_passed_over(chunk: dict[str, object]) -> None:
    async with served([data(chunk), event({"content": "Good"}), event({}, "stop"), DONE]) as (model, _):
        assert await deltas(model) == [TextDelta("Good")]


async def breaks_off(answer: Answer | list[bytes], why: Failure = Failure.BROKE_OFF) -> None:
    async with served(answer) as (model, _), aclosing(model.stream(PROMPT)) as stream:
        assert await anext(stream) == TextDelta("Good")
        with pytest.raises(ProviderError) as failure:
            await anext(stream)
    assert failure.value.failure is why
    assert SECRET not in str(failure.value)
    assert "private" not in str(failure.value)


@pytest.mark.parametrize("answer", [endless, silent])
async def test_a_service_that_falls_silent_is_given_up(answer: Answer) -> None:
    async with served(answer, ChatOptions(silence_timeout_s=0.05)) as (model, _):
        with pytest.raises(ProviderError, match="no answer in time") as failure:
            await deltas(model)
    assert failure.value.failure is Failure.LATE


async def test_a_service_that_is_not_there_is_named(unused_tcp_port: int) -> None:
    model = await client_of(f"http://127.0.0.1:{unused_tcp_port}/v1")
    with pytest.raises(ProviderError, match="cannot connect; check the base URL") as failure:
        await deltas(model)
    assert failure.value.failure is Failure.UNREACHABLE
    await model.aclose()


async def test_warming_asks_nothing() -> None:
    async with served([DONE]) as (model, service):
        await model.warm(PROMPT)
    assert service.requests == []


async def test_openai_itself_is_told_the_limit_by_its_new_name(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: dict[str, object] = {}

    async def create(self: object, **fields: object) -> None:
        sent.update(fields)
        raise openai.OpenAIError("not sent")

    monkeypatch.setattr(openai.resources.chat.AsyncCompletions, "create", create)
    model = await client_of("https://api.openai.com/v1")
    with pytest.raises(openai.OpenAIError):
        await deltas(model)
    assert sent["max_completion_tokens"] == 9
    assert "max_tokens" not in sent
    await model.aclose()


async def test_the_names_of_an_account_at_openai_are_told_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK reads them from the environment by itself."""
    monkeypatch.setenv("OPENAI_ORG_ID", "org-private")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-private")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Mine: private")
    async with served([event({"content": "Hi."}), event({}, "stop"), DONE]) as (llm, service):
        async for _ in llm.stream(PROMPT):
            pass
    assert "private" not in " ".join(f"{name}: {value}" for name, value in service.headers[0].items())
