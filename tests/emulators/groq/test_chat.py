"""Chat on the wire, against the specification's worked exchange."""

import json
from typing import Any

import pytest

from speakback.emulators.groq.chat_body import Completion, Spent
from speakback.emulators.groq.wire import DONE, event
from speakback.emulators.profiles import BAD_DAY, TYPICAL
from speakback.emulators.scripted_content import ScriptedWriter
from speakback.providers.llm import ToolCall
from tests.emulators.groq.wires import NOW_S, Answer, Clock, groq_wire

CALL = ToolCall("call_1", "weather", '{"city":"Oslo"}')
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def events(answer: Answer) -> list[dict[str, Any]]:
    """All but `[DONE]`."""
    parts = answer.text.split("\n\n")
    assert parts[-2:] == ["data: [DONE]", ""]
    return [json.loads(part.removeprefix("data: ")) for part in parts[:-2]]


def deltas(answer: Answer) -> list[dict[str, Any]]:
    return [chunk["choices"][0]["delta"] for chunk in events(answer) if chunk["choices"]]


def message_of(answer: Answer) -> str:
    text: str = json.loads(answer.text)["error"]["message"]
    return text


HEAD = (
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1758000000,"model":"openai/gpt-oss-20b",'
    '"system_fingerprint":"fp_1",'
)
USAGE = (
    '{"queue_time":0.042,"prompt_tokens":78,"prompt_time":0.0031,"completion_tokens":120,"completion_time":0.24,'
    '"total_tokens":198,"total_time":0.2431}'
)


def test_the_worked_exchange_byte_for_byte() -> None:
    chat = Completion("chatcmpl-1", 1_758_000_000, "openai/gpt-oss-20b", "fp_1", "req_01x", 1_234_567)
    spent = Spent(0.042, 78, 0.0031, 120, 0.24, 0)
    written = b"".join(
        (
            event(chat.first()),
            event(chat.reasoning("The")),
            event(chat.content("Int")),
            event(chat.finish("stop", spent)),
            event(chat.usage(spent)),
            DONE,
        )
    )
    assert written.decode() == (
        f'{HEAD}"choices":[{{"index":0,"delta":{{"role":"assistant","content":""}},"logprobs":null,"finish_reason":null}}],'
        '"x_groq":{"id":"req_01x","seed":1234567}}\n\n'
        f'{HEAD}"choices":[{{"index":0,"delta":{{"reasoning":"The","channel":"analysis"}},"logprobs":null,"finish_reason":null}}]}}\n\n'
        f'{HEAD}"choices":[{{"index":0,"delta":{{"content":"Int"}},"logprobs":null,"finish_reason":null}}]}}\n\n'
        f'{HEAD}"choices":[{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"stop"}}],'
        f'"x_groq":{{"id":"req_01x","usage":{USAGE}}},"usage":{USAGE}}}\n\n'
        f'{HEAD}"choices":[],"usage":{USAGE},"service_tier":"on_demand"}}\n\n'
        "data: [DONE]\n\n"
    )


async def test_a_stream_has_reasoning_then_the_reply_then_usage_twice() -> None:
    async with groq_wire() as wire:
        answer = await wire.chat(stream=True, reasoning_effort="low")
    assert answer.headers["Content-Type"] == "text/event-stream"
    kinds = [
        "reasoning" if "reasoning" in delta else "content" if "content" in delta else "end" for delta in deltas(answer)
    ]
    assert kinds == ["content"] + ["reasoning"] * 12 + ["content"] * 2 + ["end"]
    first, *_, last = events(answer)
    assert first["x_groq"]["id"] == answer.headers["x-request-id"]
    assert last["usage"] == last["x_groq"]["usage"]
    assert last["usage"]["completion_tokens"] == 14
    assert last["usage"]["completion_tokens_details"] == {"reasoning_tokens": 12}
    assert first["created"] == NOW_S


async def test_an_extra_chunk_only_with_include_usage() -> None:
    async with groq_wire() as wire:
        without = events(await wire.chat(stream=True))
        with_it = events(await wire.chat(stream=True, stream_options={"include_usage": True}))
    assert len(with_it) == len(without) + 1
    assert with_it[-1]["choices"] == []
    assert with_it[-1]["usage"] == with_it[-2]["usage"]
    assert with_it[-1]["service_tier"] == "on_demand"


@pytest.mark.parametrize("hidden", [{"include_reasoning": False}, {"reasoning_format": "hidden"}])
async def test_hidden_reasoning_is_counted_and_not_sent(hidden: dict[str, object]) -> None:
    async with groq_wire() as wire:
        answer = await wire.chat(stream=True, **hidden)
    assert all("reasoning" not in delta for delta in deltas(answer))
    assert "".join(str(delta.get("content", "")) for delta in deltas(answer)) == "Int eresting."
    assert events(answer)[-1]["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0


async def test_raw_reasoning_is_part_of_the_content() -> None:
    async with groq_wire() as wire:
        answer = await wire.chat(stream=True, reasoning_format="raw", reasoning_effort="low")
        whole = json.loads((await wire.chat(reasoning_format="raw", reasoning_effort="low")).text)
    text = "".join(str(delta.get("content", "")) for delta in deltas(answer))
    assert text.startswith("<think>The")
    assert text.endswith("</think>Int eresting.")
    assert whole["choices"][0]["message"]["content"] == text


async def test_a_small_maximum_is_eaten_by_reasoning() -> None:
    async with groq_wire() as wire:
        answer = await wire.chat(stream=True, max_completion_tokens=20, include_reasoning=False)
    assert deltas(answer) == [{"role": "assistant", "content": ""}, {}]
    assert events(answer)[-1]["choices"][0]["finish_reason"] == "length"


async def test_a_model_that_does_not_reason() -> None:
    async with groq_wire() as wire:
        answer = await wire.chat(stream=True, model="groq/compound")
    assert all("reasoning" not in delta for delta in deltas(answer))
    assert "completion_tokens_details" not in events(answer)[-1]["usage"]


async def test_a_tool_call() -> None:
    wire_call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [wire_call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]
    async with groq_wire(writer=ScriptedWriter((CALL, "It rains."))) as wire:
        answer = await wire.chat(stream=True, tools=[TOOL], include_reasoning=False)
        then = json.loads((await wire.chat(messages=messages, tools=[TOOL])).text)
    assert deltas(answer)[1] == {"tool_calls": [{"index": 0, **wire_call}]}
    assert events(answer)[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert then["choices"][0]["message"]["content"] == "It rains."


async def test_an_answer_that_is_not_streamed() -> None:
    async with groq_wire() as wire:
        body = json.loads((await wire.chat(reasoning_effort="low", seed=7)).text)
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["message"]["content"] == "Int eresting."
    assert body["choices"][0]["message"]["reasoning"].startswith("The user")
    assert body["x_groq"]["seed"] == 7
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + 14


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"n": 2}, "'n' : value must be 1"),
    ({"logprobs": True}, "property 'logprobs' is not supported"),
    ({"logit_bias": {}}, "property 'logit_bias' is not supported"),
    ({"top_logprobs": 2}, "property 'top_logprobs' is not supported"),
    ({"presence_penalty": 0.5}, "property 'presence_penalty' is not supported"),
    ({"messages": [{"role": "user", "content": "a", "name": "b"}]}, "property 'name' is unsupported"),
    ({"max_new_tokens": 5}, "property 'max_new_tokens' is unsupported"),
    ({"temperature": "hot"}, "'temperature' : value must be a number between 0 and 2"),
    ({"temperature": 2.1}, "'temperature' : value must be a number between 0 and 2"),
    ({"stream": "yes"}, "'stream' : value must be a boolean"),
    ({"max_completion_tokens": 0}, "'max_completion_tokens' : value must be an integer of at least 1"),
    ({"messages": []}, "'messages' : value must be an array of at least 1 message"),
    ({"messages": [{"role": "robot", "content": "a"}]}, "'messages.0' : discriminator property 'role'"),
    ({"messages": [{"role": "user"}]}, "'messages.0' : property 'content' is missing"),
    ({"messages": [{"role": "tool", "content": "a"}]}, "property 'tool_call_id' is missing"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "array of text parts"),
    ({"messages": ["hello"]}, "'messages.0' : value must be an object"),
    ({"reasoning_effort": "none"}, "'reasoning_effort' : value must be one of [low medium high]"),
    ({"reasoning_effort": "huge"}, "'reasoning_effort' : value must be one of"),
    ({"reasoning_format": "raw", "include_reasoning": True}, "cannot specify both"),
    ({"stream_options": {"include_usage": True}}, "'stream_options' : only allowed with stream"),
    ({"stream": True, "stream_options": {"usage": True}}, "'stream_options' : value must be"),
    ({"service_tier": "gold"}, "'service_tier' : value must be one of"),
    ({"tools": [TOOL] * 129}, "'tools' : value must be at most 128 tools"),
    ({"tools": [{"type": "function"}]}, "'tools.0' : value must be a function with a name"),
    ({"tool_choice": "required"}, "'tool_choice' : value must be"),
    ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "x"}}}, "not among the tools"),
    ({"stop": ["a"]}, "the emulator of this service does not do this"),
    ({"response_format": {"type": "json_object"}}, "the emulator has no other"),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
async def test_what_is_refused(fields: dict[str, object], message: str) -> None:
    async with groq_wire() as wire:
        answer = await wire.chat(**fields)
    assert answer.status == 400
    assert message in message_of(answer)
    assert json.loads(answer.text)["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("body", ["{", "[]", '"x"'])
async def test_a_body_must_be_an_object(body: str) -> None:
    async with groq_wire() as wire:
        assert (await wire.send("POST", "/chat/completions", data=body)).status == 400


async def test_null_is_as_good_as_absent() -> None:
    async with groq_wire() as wire:
        assert (await wire.chat(stop=None, temperature=None, n=1, seed=None, tools=None)).status == 200


@pytest.mark.parametrize("model", ["llama-3.3-70b-versatile", "llama-3.1-8b-instant", "qwen/qwen3-32b", "gpt-99"])
async def test_models_that_are_gone(model: str) -> None:
    async with groq_wire() as wire:
        answer = await wire.chat(model=model)
    assert answer.status == 404
    assert json.loads(answer.text) == {
        "error": {
            "message": f"The model `{model}` does not exist or you do not have access to it.",
            "type": "invalid_request_error",
            "code": "model_not_found",
        }
    }


async def test_a_prompt_over_all_that_a_minute_holds_is_a_413() -> None:
    async with groq_wire(tier="free") as wire:
        answer = await wire.chat(max_completion_tokens=11_881)
    assert answer.status == 413
    assert json.loads(answer.text)["error"]["code"] == "rate_limit_exceeded"


async def test_tokens_come_at_the_model_s_speed() -> None:
    times = {}
    for model in ("openai/gpt-oss-20b", "openai/gpt-oss-120b"):
        clock = Clock()
        async with groq_wire(profile=TYPICAL, clock=clock, writer=ScriptedWriter(("a " * 101,))) as wire:
            began_s = clock.now_s
            await wire.chat(stream=True, model=model, reasoning_effort="low")
            times[model] = clock.now_s - began_s
    assert times["openai/gpt-oss-120b"] - times["openai/gpt-oss-20b"] == pytest.approx(0.113, abs=1e-6)


async def test_hidden_reasoning_takes_its_time() -> None:
    took = []
    for effort in ("low", "high"):
        clock = Clock()
        async with groq_wire(profile=TYPICAL, clock=clock) as wire:
            began_s = clock.now_s
            await wire.chat(stream=True, include_reasoning=False, reasoning_effort=effort)
            took.append(clock.now_s - began_s)
    assert took[1] - took[0] == pytest.approx((200 - 12) / 1000)


async def test_bad_days_are_slow_and_the_same_for_the_same_seed() -> None:
    async def took(seed: int) -> list[float]:
        clock, times = Clock(), []
        async with groq_wire(profile=BAD_DAY, seed=seed, clock=clock) as wire:
            for _ in range(5):
                began_s = clock.now_s
                await wire.chat(include_reasoning=False, reasoning_effort="low")
                times.append(round(clock.now_s - began_s, 6))
        return times

    first = await took(1)
    assert first == await took(1)
    assert first != await took(2)
    assert len(set(first)) == 5
