"""Conversations that go on behind a lost connection: real sockets, real sessions, scripted engines, each store."""

import asyncio
import json
from collections.abc import MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from speakback.config.api_keys import key_hash
from speakback.gateway.auth import KeyRing
from speakback.gateway.resume.memory import MemoryStore
from speakback.gateway.resume.redis import redis_store
from speakback.gateway.resume.store import ResumeStore
from speakback.gateway.resume.tokens import record_key
from tests.gateway.live import Caller
from tests.gateway.resume.house import (
    anywhere,
    deltas,
    elsewhere,
    heard_words,
    house,
    latest_token_of,
    question,
    reply_item,
    reply_text,
    resumed,
    talkative,
    text_of,
    token_of,
    vanish,
    voice,
)
from tests.gateway.resume.redis_process import NO_REDIS, found
from tests.session.scripted import ANSWER, LONG, QUESTION, ScriptedLlm, ScriptedStt, says, scripted


class Clock:
    """Goes on when it is told to."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore(Clock())


# ---- the whole of it --------------------------------------------------------------------------


async def test_a_reply_that_a_lost_connection_cut_goes_on_where_it_was(store: ResumeStore) -> None:
    async with house(store) as (at, _):
        async with at.call() as first:
            token = await token_of(first)
            await first.append(question())
            begun = await reply_item(first)
            await heard_words(first, 6)
        async with at.call(token) as second:
            assert second.events[0]["session"]["id"] == first.events[0]["session"]["id"]  # type: ignore[index]
            told = await resumed(second)
            rest = await reply_item(second)
            await second.until("response.done")
            assert await latest_token_of(second) != token
            words = [await text_of(second, begun), await text_of(second, rest)]
            assert (told["owes_reply"], told["items"]) == (True, 2)
            assert " ".join(words) == LONG, "no gap, and nothing twice"
            assert words[0].split() == " ".join(deltas(first)).split()[: len(words[0].split())]
            assert "".join(deltas(second)) == words[1]
            await second.append(question(ANSWER))
            assert await reply_text(second) == LONG


async def test_of_two_clients_with_one_token_one_gets_the_conversation(store: ResumeStore) -> None:
    async with house(store) as (at, _):
        async with at.call() as first:
            token = await token_of(first)

        async def tries() -> int:
            try:
                async with at.call(token) as caller:
                    await resumed(caller)
                    return 101
            except aiohttp.WSServerHandshakeError as refused:
                return refused.status

        assert sorted(await asyncio.gather(*(tries() for _ in range(5)))) == [101, 410, 410, 410, 410]


async def test_who_comes_back_while_the_old_connection_stands_ends_it(store: ResumeStore) -> None:
    async with house(store) as (at, service), at.call() as first:
        token = await token_of(first)
        await first.append(question())
        begun = await reply_item(first)
        await heard_words(first, 5)
        async with at.call(token) as second:
            assert (await resumed(second))["owes_reply"]
            rest = await reply_item(second)
            assert await first.closed() == 1012
            await second.until("response.done")
            assert f"{await text_of(second, begun)} {await text_of(second, rest)}" == LONG
            assert service.seats.taken == 1


async def test_the_settings_of_the_client_are_restored(memory: MemoryStore) -> None:
    tool = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}
    settings: dict[str, object] = {
        "instructions": "In verse.",
        "tools": [tool],
        "audio": {"input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": "audio/pcma"}}},
        "speakback": {"events": ["latency"], "strategy": {"name": "half-duplex", "overrides": {"stop_fade_ms": 7}}},
    }
    async with house(memory) as (at, _):
        async with at.call() as first:
            token = await token_of(first)
            await first.send("session.update", session=settings)
            before = (await first.until("session.updated"))["session"]
        async with at.call(token) as second:
            after = second.events[0]["session"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert {**before, "speakback": {}} == {**after, "speakback": {}}
    assert before["speakback"]["events"] == after["speakback"]["events"]


async def test_a_token_may_come_in_a_subprotocol(memory: MemoryStore) -> None:
    async with house(memory) as (at, _):
        async with at.call() as first:
            token = await token_of(first)
        async with at.call(protocols=("realtime", f"speakback-resume.{token}")) as second:
            await resumed(second)
            assert second.socket.protocol == "realtime"


# ---- the user's side --------------------------------------------------------------------------


async def test_a_turn_that_the_break_cut_is_whole_afterwards(store: ResumeStore) -> None:
    async with house(store) as (at, _):
        async with at.call() as first:
            token = await token_of(first)
            await first.append(voice(QUESTION, 800), block_ms=100)
            await first.until("input_audio_buffer.speech_started")
        async with at.call(token) as second:
            heard_ms = (await resumed(second))["heard_ms"]
            assert isinstance(heard_ms, int)
            await second.append(voice(QUESTION, 800 - heard_ms + 400))
            await second.append(question(0.0))
            done = await second.until("conversation.item.input_audio_transcription.completed")
            await second.until("response.done")
    assert done["transcript"] == "What time is it?"
    assert done["usage"]["seconds"] == pytest.approx(1.2, abs=0.1)  # type: ignore[index]
    assert second.types().count("conversation.item.input_audio_transcription.completed") == 1


async def test_a_turn_that_was_not_answered_is_answered_once(memory: MemoryStore) -> None:
    gate, llm = asyncio.Event(), ScriptedLlm([says("It is noon.")])
    async with house(memory, scripted(stt=ScriptedStt(gate=gate), llm=llm)) as (at, _):
        async with at.call() as first:
            token = await token_of(first)
            await first.append(question())
            await first.until("input_audio_buffer.committed")
        async with at.call(token) as second:
            assert (await resumed(second))["owes_reply"]
            gate.set()
            assert await reply_text(second) == "It is noon."
            await second.append(question(ANSWER))
            await second.until("response.done")
    asked = [prompt.messages[-1].content for prompt in llm.prompts]
    assert asked == ["What time is it?", "Tell me more."]


async def test_a_tool_that_runs_over_the_break_is_waited_for(memory: MemoryStore) -> None:
    async with house(memory, scripted(says("Yes."))) as (at, _):
        async with at.call() as first:
            token = await token_of(first)
            call = {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"}
            await first.send("conversation.item.create", item=call)
            await first.until("conversation.item.done")
        async with at.call(token) as second:
            assert (await resumed(second))["items"] == 1
            output = {"type": "function_call_output", "call_id": "call_1", "output": "noon"}
            await second.send("conversation.item.create", item=output)
            added = await second.until("conversation.item.added")
            await second.send("response.create")
            assert await reply_text(second) == "Yes."
    assert added["item"]["id"].endswith("_c2")  # type: ignore[index]


# ---- tokens -----------------------------------------------------------------------------------


async def test_a_token_that_was_used_or_made_up_is_refused(store: ResumeStore) -> None:
    async with house(store) as (at, _):
        async with at.call() as first:
            token = await token_of(first)
        async with at.call(token) as second:
            await resumed(second)
            for bad in (token, "", "x", "é" * 50, "../../etc/passwd", "a" * 4000):
                assert await at.refusal(bad) == (410, "resume_token_invalid")


async def test_a_token_expires(memory: MemoryStore) -> None:
    async with house(memory) as (at, service):
        async with at.call() as first:
            token = await token_of(first)
        await service.emptied()
        clock = memory._now_s
        assert isinstance(clock, Clock)
        clock.now_s += 61
        assert await at.refusal(token) == (410, "resume_token_invalid")


async def test_another_api_key_gets_nothing_and_spoils_nothing(store: ResumeStore) -> None:
    keys = KeyRing((key_hash("sk-sb-a"), key_hash("sk-sb-b")))
    async with house(store, keys=keys) as (at, _):
        async with at.call(key="sk-sb-a") as first:
            token = await token_of(first)
        assert await at.refusal(token, key="sk-sb-b") == (410, "resume_token_invalid")
        assert await at.refusal(token) == (401, "invalid_api_key")
        async with at.call(token, key="sk-sb-a") as second:
            await resumed(second)


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_client_that_closes_is_forgotten(store: ResumeStore, code: int) -> None:
    async with house(store) as (at, service):
        async with at.call() as first:
            token = await token_of(first)
            await first.socket.close(code=code)
            await service.emptied()
        assert await at.refusal(token) == (410, "resume_token_invalid")


async def test_a_client_that_was_gone_before_it_knew_may_come_again(store: ResumeStore) -> None:
    async with house(store) as (at, service):
        async with at.call() as first:
            token = await token_of(first)
        for _ in range(2):
            socket = await at.http.ws_connect(
                f"{at.address}/v1/realtime", headers={"Speakback-Resume": token}, autoping=False
            )
            socket._response.close()
            await service.emptied()
        async with at.call(token) as second:
            await resumed(second)


async def test_a_server_that_leaves_uses_up_no_token(memory: MemoryStore) -> None:
    async with house(memory) as (at, service):
        async with at.call() as first:
            token = await token_of(first)
        await service.emptied()
        service.begin_leaving()
        assert await at.refusal(token) == (503, "not_ready")
        service.is_leaving = False
        async with at.call(token) as second:
            await resumed(second)


async def test_a_server_that_ends_a_connection_keeps_its_conversation_first(memory: MemoryStore) -> None:
    async with house(memory) as (at, service), at.call() as first:
        token = await token_of(first)
        await first.append(question())
        await heard_words(first, 3)
        service._say_to_all(lambda connection: connection.end(1012, "the server restarts"))
        assert await first.closed() == 1012
        service._goodbye = None
        async with at.call(token) as second:
            assert (await resumed(second))["owes_reply"]


async def test_a_record_of_another_version_is_left_to_a_server_of_that_version(store: ResumeStore) -> None:
    record, key = b'{"speakback_snapshot": 99, "snapshot": null}', record_key("token", "")
    async with house(store) as (at, _):
        await store.create(key, record, 60.0)
        assert await at.refusal("token") == (503, "resume_unavailable")
        assert await store.take(key) == record


async def test_a_wish_that_a_server_cannot_grant_is_not_dropped(memory: MemoryStore) -> None:
    """A pin may be a law, such as where a provider is."""
    other = replace(talkative(), llm=ScriptedLlm([says("Hm.")], name="other"))
    async with house(memory) as (at, service), house(memory, other) as (elsewhere_at, _):
        async with at.call() as first:
            token = await token_of(first)
            pinned = {"providers": {"llm": {"provider": "scripted", "only": True}}}
            await first.send("session.update", session={"speakback": pinned})
            await first.until("session.updated")
        await service.emptied()
        assert await elsewhere_at.refusal(token) == (410, "resume_token_invalid")
        async with at.call(token) as second:
            await resumed(second)


async def test_a_full_server_lets_those_in_who_come_back(memory: MemoryStore) -> None:
    async with house(memory) as (at, service), at.call() as first:
        token = await token_of(first)
        service.seats.total = 1
        async with at.call(token) as second:
            await resumed(second)


async def test_what_came_of_tokens_is_counted(memory: MemoryStore) -> None:
    async with house(memory) as (at, _):
        async with at.call() as first:
            token = await token_of(first)
        async with at.call(token) as second:
            await resumed(second)
            await at.refusal("nonsense")
            async with at.http.get(f"{at.address}/metrics") as answer:
                lines = (await answer.text()).splitlines()
    assert 'speakback_resumptions_total{outcome="resumed"} 1.0' in lines
    assert 'speakback_resumptions_total{outcome="refused"} 2.0' in lines, "it is asked twice"
    assert 'speakback_admitted_total{kind="resumed"} 1.0' in lines


# ---- who does not ask, and what is told to nobody ----------------------------------------------


async def test_a_client_that_does_not_ask_is_told_nothing_and_nothing_is_kept(memory: MemoryStore) -> None:
    async with house(memory) as (at, _):
        socket = await at.http.ws_connect(f"{at.address}/v1/realtime")
        caller = Caller(socket)
        reading = asyncio.create_task(caller.read())
        await caller.append(question())
        await caller.until("response.done")
        assert not [event for event in caller.types() if str(event).startswith("speakback")]
        assert memory._records == {}
        await socket.close()
        await reading


async def test_a_client_may_ask_that_nothing_is_kept(memory: MemoryStore) -> None:
    async with house(memory) as (at, _), at.call() as caller:
        await token_of(caller)
        await caller.send("session.update", session={"speakback": {"resume": False}})
        await caller.until("session.updated")
        vanish(caller)
    assert memory._records == {}


async def test_neither_token_nor_speech_is_logged(memory: MemoryStore, logged: list[MutableMapping[str, Any]]) -> None:
    async with house(memory) as (at, _):
        async with at.call() as first:
            token = await token_of(first)
            await first.append(question())
            await heard_words(first, 2)
        async with at.call(token) as second:
            await resumed(second)
            await second.until("response.done")
            other = await latest_token_of(second)
    lines = json.dumps(logged, default=str)
    assert "session resumed" in lines
    for secret in (token, other, "two three", "What time"):
        assert secret not in lines


# ---- other processes --------------------------------------------------------------------------


async def text_in(folder: Path, text: str) -> None:
    """Wait until a record in that folder holds the text."""

    def holds() -> bool:
        return any(text.encode() in path.read_bytes() for path in folder.glob("*.json"))

    while not await asyncio.to_thread(holds):
        pass


@pytest.mark.timeout(120)  # processes start slowly on a machine that is busy
async def test_a_conversation_goes_on_in_another_process(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    async with (
        aiohttp.ClientSession() as http,
        elsewhere(folder, http) as one,
        elsewhere(folder, http) as other,
    ):
        async with one.house.call() as first:
            token = await token_of(first)
            await first.append(question())
            begun = await reply_item(first)
            await heard_words(first, 6)
            vanish(first)
            await text_in(folder, "incomplete")
        async with other.house.call(token) as second:
            assert (await resumed(second))["owes_reply"]
            rest = await reply_item(second)
            await second.until("response.done")
            assert f"{await text_of(second, begun)} {await text_of(second, rest)}" == LONG


@pytest.mark.timeout(120)  # processes start slowly on a machine that is busy
async def test_a_conversation_outlives_a_process_that_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    async with aiohttp.ClientSession() as http, elsewhere(folder, http) as other:
        async with elsewhere(folder, http) as one, one.house.call() as first:
            token = await token_of(first)
            await first.append(question())
            begun = await reply_item(first)
            await text_in(folder, "incomplete")
            one.process.kill()
            await one.process.wait()
        async with other.house.call(token) as second:
            told = await resumed(second)
            rest = await reply_item(second)
            await second.until("response.done")
            words = [await text_of(second, begun), await text_of(second, rest)]
        assert told["owes_reply"]
        assert " ".join(words) == LONG, "only what was not kept yet is said again"


# ---- stores that fail -------------------------------------------------------------------------


@pytest.mark.timeout(120)
async def test_a_full_disk_costs_the_resumption_only(tmp_path: Path) -> None:
    async with (
        aiohttp.ClientSession() as http,
        elsewhere(tmp_path / "kept", http, "16") as one,
        one.house.call() as caller,
    ):
        told = await caller.until("speakback.resume_unavailable")
        assert "the disk fails (File too large)" in str(told["reason"])
        for level in (QUESTION, ANSWER):
            await caller.append(question(level))
            assert await reply_text(caller) == LONG
        assert caller.types().count("speakback.resume_unavailable") == 1
        assert "speakback.resume_token" not in caller.types()


@pytest.mark.timeout(120)  # processes start slowly on a machine that is busy
async def test_a_dead_redis_server_costs_the_resumption_only_and_as_long_as_it_is_dead(tmp_path: Path) -> None:
    if (server := await asyncio.to_thread(found, tmp_path)) is None:
        pytest.skip(NO_REDIS)
    await asyncio.to_thread(server.start)
    store = await redis_store(server.url)
    try:
        async with house(store, scripted(says("It is noon."))) as (at, service):
            async with at.call() as caller:
                token = await token_of(caller)
                await asyncio.to_thread(server.stop)
                await caller.append(question())
                assert await reply_text(caller) == "It is noon."
                await anywhere(caller, "speakback.resume_unavailable")
                assert await at.refusal(token) == (503, "resume_unavailable")
                await caller.append(question(ANSWER))
                assert await reply_text(caller) == "It is noon."
                await asyncio.to_thread(server.start)
                assert await token_of(caller) == token
                assert caller.types().count("speakback.resume_unavailable") == 1
            await service.emptied()
            async with at.call(token) as second:
                assert (await resumed(second))["items"] == 4
    finally:
        await store.aclose()
        await asyncio.to_thread(server.stop)


async def test_where_resumption_is_off_a_token_is_refused(memory: MemoryStore) -> None:
    async with house(memory, talkative()) as (at, service):
        service.resumption = None
        assert await at.refusal("any") == (410, "resume_token_invalid")
        async with at.call() as caller:
            await caller.append(question())
            assert await reply_text(caller) == LONG
            assert not [event for event in caller.types() if "resume" in str(event)]
