"""What holds for every request: the key, the models, unknown addresses, faults."""

import asyncio
import json

import aiohttp
import pytest

from speakback.audio.pcm import Samples
from speakback.emulators.content import HeardText
from speakback.emulators.faults import COMMON, Fault, Faults
from speakback.emulators.groq.chat import POSSIBLE_IN_STREAM
from speakback.emulators.groq.chat_faults import TOOL_USE_FAILED
from speakback.emulators.groq.wire import event
from speakback.providers.errors import ProviderError
from tests.emulators.groq.test_chat import TOOL
from tests.emulators.groq.wires import Clock, groq_wire, wav


@pytest.mark.parametrize("key", [None, "", "gsk_wrong", "gsk_local_developmen"])
@pytest.mark.parametrize("path", ["/models", "/models/openai/gpt-oss-20b"])
async def test_without_the_key_there_is_nothing(key: str | None, path: str) -> None:
    async with groq_wire() as wire:
        answer = await wire.send("GET", path, key=key)
    assert answer.status == 401
    assert answer.text == (
        '{"error":{"message":"Invalid API Key","type":"invalid_request_error","code":"invalid_api_key"}}'
    )
    assert answer.headers["x-request-id"].startswith("req_01")


async def test_the_list_of_models() -> None:
    async with groq_wire() as wire:
        body = json.loads((await wire.send("GET", "/models")).text)
        one = json.loads((await wire.send("GET", "/models/openai%2Fgpt-oss-20b")).text)
        gone = await wire.send("GET", "/models/llama-3.1-8b-instant")
    assert body["object"] == "list"
    ids = [model["id"] for model in body["data"]]
    assert {"openai/gpt-oss-20b", "openai/gpt-oss-120b", "whisper-large-v3-turbo"} <= set(ids)
    assert not any("llama" in one_id for one_id in ids)
    assert one == next(model for model in body["data"] if model["id"] == "openai/gpt-oss-20b")
    assert (gone.status, json.loads(gone.text)["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("GET", "/chat/completions"), ("POST", "/models")])
async def test_unknown_addresses(method: str, path: str) -> None:
    async with groq_wire() as wire:
        answer = await wire.send(method, path)
    assert answer.status == 404
    assert f"Unknown request URL: {method} /openai/v1{path}." in json.loads(answer.text)["error"]["message"]


BEFORE = [
    ("429", 429, "rate_limit_exceeded"),
    ("quota", 429, "rate_limit_exceeded"),
    ("system-busy", 503, None),
    ("500", 500, None),
]


@pytest.mark.parametrize(("fault", "status", "code"), BEFORE)
async def test_faults_before_the_answer(fault: str, status: int, code: str | None) -> None:
    async with groq_wire(faults=fault) as wire:
        answers = [await wire.transcribe(wav(0.5)), await wire.chat(), await wire.chat(stream=True)]
    assert [answer.status for answer in answers] == [status] * 3
    for answer in answers:
        assert code is None or json.loads(answer.text)["error"]["code"] == code
        assert ("retry-after" in answer.headers) == (status == 429)


async def test_a_used_up_quota_takes_hours() -> None:
    async with groq_wire(faults="quota", tier="free") as wire:
        answer = await wire.chat()
    assert "tokens per day (TPD): Limit 200000, Used 200000" in answer.text
    assert int(answer.headers["retry-after"]) > 3600


async def test_the_flex_tier_is_out_of_capacity_by_a_498() -> None:
    async with groq_wire(faults="system-busy") as wire:
        answer = await wire.chat(service_tier="flex")
    assert (answer.status, json.loads(answer.text)["error"]["code"]) == (498, "capacity_exceeded")


async def test_a_slow_first_byte() -> None:
    clock = Clock()
    async with groq_wire(faults="slow-first-byte", clock=clock) as wire:
        began_s = clock.now_s
        await wire.chat(stream=True)
        assert clock.now_s - began_s == pytest.approx(4.0)
        await wire.transcribe(wav(0.5))
    assert clock.now_s - began_s == pytest.approx(8.0)


async def test_errors_in_a_stream_come_in_three_forms_and_without_done() -> None:
    forms = set()
    for seed in range(12):
        async with groq_wire(faults="error-in-stream", seed=seed) as wire:
            answer = await wire.chat(stream=True, tools=[TOOL], include_reasoning=False)
        assert answer.status == 200
        assert "[DONE]" not in answer.text
        assert '"finish_reason":"stop"' not in answer.text
        last = answer.text.rstrip("\n").rpartition("\n\n")[2]
        for form in (event(TOOL_USE_FAILED, "error"), event(TOOL_USE_FAILED)):
            if last == form.decode().rstrip("\n"):
                forms.add(form)
        if '"x_groq":{"id":"req_01' in last and '"error":"' in last:
            forms.add(b"in a chunk")
    assert len(forms) == 3


def test_the_worked_error_event_byte_for_byte() -> None:
    assert event(TOOL_USE_FAILED, "error").decode() == (
        "event: error\n"
        'data: {"error":{"message":"Failed to call a function. Please adjust your prompt. See \'failed_generation\' '
        'for more details.","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"…",'
        '"status_code":400}}\n\n'
    )


async def test_a_stream_may_end_without_done_or_a_finish_reason() -> None:
    async with groq_wire(faults="no-done") as wire:
        answer = await wire.chat(stream=True)
    assert answer.text.count("data: ") > 1
    assert "[DONE]" not in answer.text
    assert "usage" not in answer.text


async def test_a_stream_may_hold_what_is_not_json() -> None:
    async with groq_wire(faults="not-json") as wire:
        answer = await wire.chat(stream=True)
        page = await wire.chat()
        transcription = await wire.transcribe(wav(0.5))
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text.rstrip("\n").split("\n\n")[-2].removeprefix("data: "))
    assert page.text == transcription.text
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html"


async def test_a_chat_may_succeed_in_silence() -> None:
    async with groq_wire(faults="silent-success") as wire:
        answer = await wire.chat(stream=True)
    assert '"finish_reason":"stop"' in answer.text
    assert answer.text.endswith("data: [DONE]\n\n")
    assert answer.text.count('"delta"') == 2


async def test_a_content_length_may_lie() -> None:
    async with groq_wire(faults="lying-content-length") as wire:
        with pytest.raises(aiohttp.ClientPayloadError):
            await wire.transcribe(wav(0.5))
        with pytest.raises(aiohttp.ClientPayloadError):
            await wire.chat()


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_stalled_answer_ends_with_its_client(streamed: bool) -> None:
    before = asyncio.all_tasks()
    async with groq_wire(faults="stalled") as wire:
        url = f"{wire.base}/openai/v1/chat/completions"
        asked = {"model": "openai/gpt-oss-20b", "messages": [{"role": "user", "content": "a"}], "stream": streamed}
        headers = {"Authorization": "Bearer gsk_local_development"}
        gone = await wire.http.post(url, json=asked, headers=headers)
        assert (await gone.content.readany()).startswith(b"data: " if streamed else b"{")
        gone.close()
    assert asyncio.all_tasks() == before


async def test_faults_can_be_set_while_it_runs() -> None:
    shares: dict[Fault, float] = {}
    async with groq_wire(faults=Faults(shares)) as wire:
        statuses = [(await wire.chat()).status]
        shares[Fault.SERVER_500] = 1.0
        statuses.append((await wire.chat()).status)
        shares.clear()
        statuses.append((await wire.chat()).status)
    assert statuses == [200, 500, 200]


def test_of_a_bad_day_s_faults_only_those_of_sockets_cannot_befall_a_stream() -> None:
    assert set(COMMON) - set(POSSIBLE_IN_STREAM) == {Fault.CLOSE_1006, Fault.CLOSE_1008}


async def test_a_model_that_fails_is_the_service_s_failure() -> None:
    class Broken:
        async def recognise(self, audio_16k: Samples) -> HeardText:
            raise ProviderError("stt", "whisper", "failed")

    async with groq_wire(recogniser=Broken()) as wire:
        answer = await wire.transcribe(wav(0.5))
    assert answer.status == 500
    assert "whisper" not in answer.text


async def test_the_same_seed_gives_the_same_ids() -> None:
    async def ids(seed: int) -> list[str]:
        async with groq_wire(seed=seed) as wire:
            return [(await wire.chat()).headers["x-request-id"] for _ in range(3)]

    first = await ids(1)
    assert len(set(first)) == 3
    assert first == await ids(1)
    assert first != await ids(2)


async def test_an_unknown_region_is_refused() -> None:
    with pytest.raises(ValueError, match="'mars' is no region; there are us, eu"):
        async with groq_wire(region="mars"):
            pass
